/** What explains a movement, and what is left over. */
export interface Explanation<Item> {
  readonly explaining: readonly Item[];
  readonly rest: readonly Item[];
}

interface Aim {
  readonly targetMinor: bigint;
  /** What is let pass of a sum of so many items. */
  readonly toleranceMinor: (items: number) => bigint;
}

/** Of more lines only all together, each alone, and those up to each are tried, so that the work stays in proportion. */
const LINES_TRIED_TOGETHER_MAX = 12;

/**
 * Finds the items that add up to the target: all of them, else the fewest, the first of them by their order. An exact sum is preferred to one within the
 * tolerance. Returns null if no items do.
 */
export function explainingLines<Item>(
  items: readonly Item[],
  amountOf: (item: Item) => bigint,
  { targetMinor, toleranceMinor }: Aim,
): Explanation<Item> | null {
  const amounts = items.map(amountOf);
  const search = items.length > LINES_TRIED_TOGETHER_MAX ? searchLong : searchShort;
  for (const isExact of [true, false]) {
    const found = search(amounts, (sum, items) => {
      const tolerated = isExact ? 0n : toleranceMinor(items);
      return sum - targetMinor <= tolerated && targetMinor - sum <= tolerated;
    });
    if (found !== null) {
      const chosen = new Set(found);
      return {
        explaining: items.filter((_, index) => chosen.has(index)),
        rest: items.filter((_, index) => !chosen.has(index)),
      };
    }
  }
  return null;
}

function searchShort(amounts: readonly bigint[], fits: (sum: bigint, items: number) => boolean): number[] | null {
  const all = [...amounts.keys()];
  if (all.length > 0 && fits(sumOf(amounts), amounts.length)) {
    return all;
  }
  for (let size = 1; size < all.length; size += 1) {
    for (const indexes of subsets(all, size)) {
      if (fits(sumOf(indexes.map((index) => amounts[index] ?? 0n)), size)) {
        return indexes;
      }
    }
  }
  return null;
}

function searchLong(amounts: readonly bigint[], fits: (sum: bigint, items: number) => boolean): number[] | null {
  if (fits(sumOf(amounts), amounts.length)) {
    return [...amounts.keys()];
  }
  const alone = amounts.findIndex((amount) => fits(amount, 1));
  if (alone !== -1) {
    return [alone];
  }
  let sum = 0n;
  const last = amounts.findIndex((amount, index) => fits((sum += amount), index + 1));
  return last === -1 ? null : Array.from({ length: last + 1 }, (_, index) => index);
}

function sumOf(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
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
