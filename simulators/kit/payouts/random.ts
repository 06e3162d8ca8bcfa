import { createHash } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Chance that a seed decides, so that the same log and seed make the same payouts. */
export type Random = {
  below(bound: number): number;
  letters(count: number): string;
};

export function createRandom(seed: string): Random {
  let drawn = 0;
  const draw = (): Buffer => digest(`${seed} ${drawn++}`);
  return {
    below: (bound) => draw().readUInt32BE(0) % bound,
    letters: (count) => lettersOf(Buffer.concat([draw(), draw()]), count),
  };
}

/** Returns letters and digits that belong to a text. */
export function lettersFor(text: string, count: number): string {
  return lettersOf(digest(text), count);
}

/** Sorts by chance. The place of one item does not depend on the others, so that one charge more changes little. */
export function shuffled<Item>(items: readonly Item[], seed: string, nameOf: (item: Item) => string): Item[] {
  const place = new Map(items.map((item) => [item, digest(`${seed} ${nameOf(item)}`).toString('hex')]));
  return items.toSorted((left, right) => ((place.get(left) ?? '') < (place.get(right) ?? '') ? -1 : 1));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function lettersOf(bytes: Buffer, count: number): string {
  return [...bytes.subarray(0, count)].map((byte) => alphabet[byte % alphabet.length]).join('');
}
