import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  feeBpsAmex,
  feeBpsOrdinary,
  formatAmount,
  formatStoreAmount,
  parseAmount,
  storeAmountOf,
  toBdt,
  unpad,
} from '../../simulators/sslcommerz/money.ts';

const amounts = fc.bigInt({ min: 10_00n, max: 500_000_00n });
const net = (text: string, feeBps: bigint): string =>
  formatStoreAmount(storeAmountOf({ amount: parseAmount(text) ?? 0n, feeBps }));

describe('the gateway’s arithmetic', () => {
  test('gives the net amounts of the published samples', () => {
    // A net amount that is wrong by one paisa would make every reconciliation differ.
    const samples = { '10': '9.75', '20': '19.50', '69': '67.28', '100': '97.50', '400': '390.00', '3000': '2925.00' };
    for (const [gross, expected] of Object.entries(samples)) {
      expect(net(gross, feeBpsOrdinary)).toBe(expected);
    }
    expect(net('1269', feeBpsAmex)).toBe('1224.585');
  });

  test('writes and reads every amount without loss', () => {
    // No amount may pass through a float.
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 99_999_999_99n }), (amount) => {
        expect(parseAmount(formatAmount(amount))).toBe(amount);
        expect(parseAmount(unpad(formatAmount(amount)))).toBe(amount);
      }),
    );
  });

  test('rounds the fee to the nearest place, never by more than half of it', () => {
    // |net × 10000 − gross × (10000 − fee)| is at most half a unit of the last place.
    fc.assert(
      fc.property(amounts, (amount) => {
        const ordinary = storeAmountOf({ amount, feeBps: feeBpsOrdinary });
        expect(ordinary % 10n).toBe(0n);
        const offBy = ordinary * 1_000n - amount * (10_000n - feeBpsOrdinary);
        expect(offBy <= 5_000n && offBy > -5_000n).toBe(true);
        const amexOffBy = storeAmountOf({ amount, feeBps: feeBpsAmex }) * 1_000n - amount * (10_000n - feeBpsAmex);
        expect(amexOffBy <= 500n && amexOffBy > -500n).toBe(true);
      }),
    );
  });

  test('converts at 1.0000 to the same amount and keeps the order of amounts at any rate', () => {
    // After the conversion, a higher order amount must never be the lower charge.
    fc.assert(
      fc.property(amounts, amounts, (left, right) => {
        expect(toBdt({ amount: left, rate: '1.0000' })).toBe(left);
        const [low, high] = left < right ? [left, right] : [right, left];
        expect(toBdt({ amount: low, rate: '121.5000' }) <= toBdt({ amount: high, rate: '121.5000' })).toBe(true);
      }),
    );
  });

  test.each(['', '1.', '.5', '1.005', '1e3', '-1', '+1', '1,000', ' 1', '123456789', '٣'])(
    'refuses %j as an amount',
    (text) => {
      // The format is dec(10,2): anything but plain decimal text is not an amount.
      expect(parseAmount(text)).toBeUndefined();
    },
  );
});
