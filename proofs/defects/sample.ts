import { createHash } from 'node:crypto';

/** Returns `count` items in their original order. The selection depends on `seed`, so that every item is chosen sooner or later. */
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
