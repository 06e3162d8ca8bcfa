import { describe, expect, test } from '@jest/globals';
import { amountsAtRisk } from '../../../domain/payouts/at-risk.ts';

const line = (grossMinor: bigint, feeMinor: bigint, currency = 'BDT') => ({
  currency,
  grossMinor,
  feeMinor,
  taxMinor: 0n,
  netMinor: grossMinor - feeMinor,
});
const bdt = (amountMinor: bigint) => ({ currency: 'BDT', amountMinor });

describe('the most that accepting a case can book away', () => {
  test('is the difference and what the line calls a fee', () => {
    // A fee that takes everything hides behind a gross amount that is right to the last poisha.
    expect(
      amountsAtRisk({ reason: 'AMOUNT', stake: bdt(1n), line: line(699_999n, 699_999n), payment: bdt(700_000n) }),
    ).toEqual([bdt(700_000n)]);
    expect(
      amountsAtRisk({ reason: 'AMOUNT', stake: bdt(100n), line: line(9_900n, 250n), payment: bdt(10_000n) }),
    ).toEqual([bdt(350n)]);
  });

  test('is the difference alone if only the fee differs', () => {
    expect(amountsAtRisk({ reason: 'FEE', stake: bdt(30n), line: line(10_000n, 280n), payment: bdt(10_000n) })).toEqual(
      [bdt(30n)],
    );
  });

  test('is the whole line that belongs to nothing, whatever its gross amount is', () => {
    expect(
      amountsAtRisk({ reason: 'MISSING_INTERNALLY', stake: bdt(0n), line: line(0n, 900_000n), payment: null }),
    ).toEqual([bdt(900_000n)]);
  });

  test('is the whole payment too if the line is in another currency', () => {
    // One cent could settle it.
    expect(
      amountsAtRisk({
        reason: 'CURRENCY',
        stake: { currency: 'EUR', amountMinor: 0n },
        line: line(0n, 0n, 'EUR'),
        payment: bdt(900_000n),
      }),
    ).toEqual([{ currency: 'EUR', amountMinor: 0n }, bdt(900_000n)]);
  });

  test('is what the case shows if it is not about a line', () => {
    expect(amountsAtRisk({ reason: 'RESIDUAL', stake: bdt(500n), line: null, payment: null })).toEqual([bdt(500n)]);
  });
});
