const MASK = (1n << 64n) - 1n;
const GOLDEN = 0x9e3779b97f4a7c15n;

/** Random values that depend only on the seed and the names of the stream, so that a round is the same wherever and whenever it runs. */
export interface Random {
  /** Returns an integer from `min` to `max`, both included. */
  between(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
  chance(share: number): boolean;
  shuffled<T>(items: readonly T[]): T[];
}

/** SplitMix64 (Steele, Lea, Flood 2014). Its state has 64 bits, so it uses all of a 64-bit seed. */
export function randomFrom(seed: bigint, ...stream: readonly number[]): Random {
  let state = stream.reduce((mixed, part) => mix(mixed + GOLDEN * (BigInt(part) + 1n)), seed & MASK);
  const next = (): bigint => mix((state = (state + GOLDEN) & MASK));
  const between = (min: number, max: number): number => min + Number(next() % BigInt(max - min + 1));
  const shuffled = <T>(items: readonly T[]): T[] =>
    items
      .map((item) => ({ item, rank: next() }))
      .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))
      .map(({ item }) => item);
  return {
    between,
    shuffled,
    chance: (share) => between(0, 999_999) < share * 1_000_000,
    pick(items) {
      const [first] = shuffled(items);
      if (first === undefined) {
        throw new RangeError('nothing to pick from');
      }
      return first;
    },
  };
}

function mix(value: bigint): bigint {
  let z = value & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}
