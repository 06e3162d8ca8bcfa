import { test } from '@jest/globals';

/** `npm run test:e2e` runs everything in its files. `npm test` runs one of each kind: one of the pages, journeys and widths. */
export const RUNS_EVERYTHING = process.env['LENDEN_TEST_EVERYTHING'] === '1';

/** A test for `npm run test:e2e` alone. `npm test` has a shorter one of the same kind. */
export const longTest = RUNS_EVERYTHING ? test : test.skip;

/** Returns every case for `npm run test:e2e`, and the first one for `npm test`. */
export function oneOfEach<Case>(cases: readonly Case[]): readonly Case[] {
  return RUNS_EVERYTHING ? cases : cases.slice(0, 1);
}
