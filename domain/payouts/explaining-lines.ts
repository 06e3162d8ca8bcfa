/** What explains a movement, and what is left over. */
export interface Explanation<Item> {
  readonly explaining: readonly Item[];
  readonly rest: readonly Item[];
}

interface Aim {
  readonly targetMinor: bigint;
  readonly toleranceMinor: bigint;
}

/** Of more lines only all together, each alone, and the first so many are tried. */
const LINES_TRIED_TOGETHER_MAX = 12;

/**
 * Finds the items that add up to the target: all of them, else the fewest, the first of them by their order. An exact sum is preferred to one within the tolerance.
 * Returns null if no items do.
 */
export function explainingLines<Item>(
  items: readonly Item[],
  amountOf: (item: Item) => bigint,
  { targetMinor, toleranceMinor }: Aim,
): Explanation<Item> | null {
  const amounts = items.map(amountOf);
  for (const tolerated of toleranceMinor > 0n ? [0n, toleranceMinor] : [0n]) {
    const isClose = (sumMinor: bigint): boolean =>
      sumMinor - targetMinor <= tolerated && targetMinor - sumMinor <= tolerated;
    for (const indexes of attempts(items.length)) {
      if (isClose(indexes.reduce((sum, index) => sum + (amounts[index] ?? 0n), 0n))) {
        const chosen = new Set(indexes);
        return {
          explaining: items.filter((_, index) => chosen.has(index)),
          rest: items.filter((_, index) => !chosen.has(index)),
        };
      }
    }
  }
  return null;
}

/** Yields sets of at least one index: all, then ever larger ones. */
function* attempts(count: number): Generator<number[]> {
  const all = Array.from({ length: count }, (_, index) => index);
  if (count === 0) {
    return;
  }
  yield all;
  if (count > LINES_TRIED_TOGETHER_MAX) {
    yield* all.map((index) => [index]);
    yield* all.map((index) => all.slice(0, index + 1));
    return;
  }
  for (let size = 1; size < count; size += 1) {
    yield* subsets(all, size);
  }
}

function* subsets(from: readonly number[], size: number): Generator<number[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (const [position, index] of from.entries()) {
    for (const rest of subsets(from.slice(position + 1), size - 1)) {
      yield [index, ...rest];
    }
  }
}
