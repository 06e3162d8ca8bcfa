import { createHash } from 'node:crypto';

/** So many of them, in their order; which ones is drawn from `seed`, so that every one has its turn. */
export function sample<Item>(
  items: readonly Item[],
  { count, seed, nameOf }: { count: number; seed: string; nameOf: (item: Item) => string },
): Item[] {
  const lot = (item: Item): string =>
    createHash('sha256')
      .update(`${seed} ${nameOf(item)}`)
      .digest('hex');
  const drawn = new Set(items.toSorted((one, other) => (lot(one) < lot(other) ? -1 : 1)).slice(0, count));
  return items.filter((item) => drawn.has(item));
}
