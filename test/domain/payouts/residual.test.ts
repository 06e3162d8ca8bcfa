import { describe, expect, test } from '@jest/globals';
import { type LabelledLine, residualsOf } from '../../../domain/payouts/residual.ts';

function labelled(changes: Partial<LabelledLine>): LabelledLine {
  return { kind: 'CHARGE', status: 'MATCHED', reason: null, currency: 'BDT', netMinor: 9_770n, ...changes };
}

describe('residualsOf', () => {
  test('sums lines by label, and leaves what no line explains', () => {
    const lines = [
      labelled({}),
      labelled({}),
      labelled({ kind: 'REFUND', netMinor: -4_000n }),
      labelled({ status: 'FLAGGED', reason: 'DUPLICATE' }),
    ];
    const bankAmounts = [
      { currency: 'BDT', amountMinor: 20_000n },
      { currency: 'BDT', amountMinor: 5_000n },
    ];
    expect(residualsOf({ bankAmounts, lines })).toEqual([
      {
        currency: 'BDT',
        bankMinor: 25_000n,
        sums: [
          { kind: 'CHARGE', status: 'FLAGGED', reason: 'DUPLICATE', netMinor: 9_770n, lines: 1 },
          { kind: 'CHARGE', status: 'MATCHED', reason: null, netMinor: 19_540n, lines: 2 },
          { kind: 'REFUND', status: 'MATCHED', reason: null, netMinor: -4_000n, lines: 1 },
        ],
        residualMinor: -310n,
      },
    ]);
  });

  test('keeps currencies apart, also one that only the lines or only the bank has', () => {
    const residuals = residualsOf({
      bankAmounts: [{ currency: 'EUR', amountMinor: 7n }],
      lines: [labelled({ currency: 'USD', netMinor: -5n })],
    });
    expect(residuals.map(({ currency, residualMinor }) => [currency, residualMinor])).toEqual([
      ['EUR', 7n],
      ['USD', 5n],
    ]);
  });
});
