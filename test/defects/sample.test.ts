import { expect, test } from '@jest/globals';
import { sample } from '../../proofs/defects/sample.ts';

const NAMES = Array.from({ length: 20 }, (_, index) => `defect-${index}`);

function draw(seed: string, count: number): string[] {
  return sample(NAMES, { count, seed, nameOf: (name) => name });
}

test('a seed draws the same ones again, in their order', () => {
  // A developer who investigates a failed run must get the same defects from its seed.
  const drawn = draw('a', 7);
  expect(drawn).toHaveLength(7);
  expect(draw('a', 7)).toEqual(drawn);
  expect(NAMES.filter((name) => drawn.includes(name))).toEqual(drawn);
  expect(draw('a', 50)).toEqual(NAMES);
});

test('every defect has its turn', () => {
  // If a defect is never planted, it is unknown whether a check catches it.
  const drawn = new Set(Array.from({ length: 40 }, (_, index) => draw(`seed ${index}`, 5)).flat());
  expect(drawn.size).toBe(NAMES.length);
});
