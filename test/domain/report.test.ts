import { describe, expect, test } from '@jest/globals';
import { successRate, TIME_TO_PAY_STEPS } from '../../domain/report.ts';

describe('the success rate', () => {
  test.each([
    [15n, 16n, '0.9375'],
    [1n, 1n, '1.0000'],
    [0n, 3n, '0.0000'],
    [1n, 3n, '0.3333'],
    [2n, 3n, '0.6667'],
    // Half up.
    [1n, 20_000n, '0.0001'],
    [1n, 20_001n, '0.0000'],
  ])('of %i in %i is %s', (succeeded, ended, rate) => {
    // Decimal text, since a binary fraction is never exact.
    expect(successRate({ succeeded, ended })).toBe(rate);
  });

  test('of nothing is unknown', () => {
    // Neither 0 nor 1 would be true.
    expect(successRate({ succeeded: 0n, ended: 0n })).toBeNull();
  });
});

test('the steps of times to pay ascend, and each is at most twice the one before, up to three days', () => {
  // A rounded time tells the magnitude.
  for (const [index, step] of TIME_TO_PAY_STEPS.entries()) {
    const before = TIME_TO_PAY_STEPS[index - 1] ?? 0;
    expect(step).toBeGreaterThan(before);
    expect(step <= 259_200 ? step : 0).toBeLessThanOrEqual(Math.max(1, 2 * before));
  }
});
