import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  InvoiceAmountError,
  INVOICE_ROUNDINGS,
  shareOf,
  totalsOf,
  type InvoiceAmounts,
  type InvoiceLine,
} from '../../domain/invoice-totals.ts';

const line = (qty: bigint, unitAmountMinor: bigint, more: Partial<InvoiceLine> = {}): InvoiceLine => ({
  qty,
  unitAmountMinor,
  discount: null,
  taxes: [],
  ...more,
});
const invoice = (lines: InvoiceLine[], more: Partial<InvoiceAmounts> = {}): InvoiceAmounts => ({
  lines,
  discount: null,
  taxes: [],
  rounding: 'HALF_UP',
  ...more,
});
const VAT = { name: 'VAT', basisPoints: 1_500n };

describe('an invoice adds up', () => {
  test('to the sample of its documentation', () => {
    // 1 × 50000 "Setup fee" and 2 × 25000 "Monthly plan".
    const totals = totalsOf(invoice([line(1n, 50_000n), line(2n, 25_000n)]));
    expect(totals).toMatchObject({ subtotalMinor: 100_000n, discountMinor: 0n, taxMinor: 0n, totalMinor: 100_000n });
  });

  test('with discounts before taxes, each rounded once', () => {
    // (3 × 33.33 − 10 %) = 89.99; − 5.00; + 15 % VAT of 84.99 = 12.75.
    const totals = totalsOf(
      invoice([line(3n, 3_333n, { discount: { basisPoints: 1_000n } })], {
        discount: { amountMinor: 500n },
        taxes: [VAT],
      }),
    );
    expect(totals).toEqual({
      lines: [{ lineTotalMinor: 9_999n, discountMinor: 1_000n, taxMinor: 0n }],
      subtotalMinor: 9_999n,
      discountMinor: 1_500n,
      taxes: [{ ...VAT, amountMinor: 1_275n }],
      taxMinor: 1_275n,
      totalMinor: 9_774n,
    });
  });

  test('with a tax that is an amount as it was given, beside those that are shares', () => {
    // 100.00 − 10.00, + 15 % = 13.50, + 7.25. The fixed amount does not depend on the rest.
    const totals = totalsOf(
      invoice([line(1n, 10_000n)], {
        discount: { amountMinor: 1_000n },
        taxes: [VAT, { name: 'Levy', amountMinor: 725n }],
      }),
    );
    expect(totals).toMatchObject({
      taxes: [
        { ...VAT, amountMinor: 1_350n },
        { name: 'Levy', basisPoints: null, amountMinor: 725n },
      ],
      taxMinor: 2_075n,
      totalMinor: 11_075n,
    });
  });

  test('taxes of lines and of the whole under one name are shown as one', () => {
    const totals = totalsOf(invoice([line(1n, 1_000n, { taxes: [VAT] }), line(1n, 2_000n)], { taxes: [VAT] }));
    expect(totals.taxes).toEqual([{ ...VAT, amountMinor: 600n }]);
    expect(totals.totalMinor).toBe(3_600n);
  });

  test.each([
    ['HALF_UP', 3n],
    ['HALF_EVEN', 2n],
    ['DOWN', 2n],
    ['UP', 3n],
  ] as const)('by %s half a unit becomes what its name says', (rounding, share) => {
    expect(shareOf(25n, 1_000n, rounding)).toBe(share);
    expect(shareOf(35n, 1_000n, rounding)).toBe(rounding === 'DOWN' ? 3n : 4n);
  });

  test.each<[string, InvoiceAmounts, string]>([
    [
      'a discount beyond its line',
      invoice([line(1n, 100n, { discount: { amountMinor: 101n } })]),
      'lineItems.0.discount',
    ],
    ['a discount beyond the rest', invoice([line(1n, 100n)], { discount: { amountMinor: 101n } }), 'discount'],
    ['nothing to pay', invoice([line(5n, 0n)]), 'lineItems'],
    ['a total that no JSON number holds', invoice([line(2n ** 52n, 1n), line(2n ** 52n, 1n)]), 'lineItems'],
    ['a line that no JSON number holds', invoice([line(2n ** 30n, 2n ** 30n)]), 'lineItems.0'],
  ])('is refused with %s', (_name, amounts, field) => {
    const failure = failureOf(() => totalsOf(amounts));
    expect(failure).toBeInstanceOf(InvoiceAmountError);
    expect((failure as InvoiceAmountError).field).toBe(field);
  });

  test('so that what a reader sees is the total, whatever the rates and roundings', () => {
    // subtotal − discount + taxes = total, and no amount is negative.
    const reduction = fc.oneof(
      fc.constant(null),
      fc.record({ basisPoints: fc.bigInt(0n, 10_000n) }),
      fc.record({ amountMinor: fc.bigInt(0n, 50n) }),
    );
    const taxes = fc.array(fc.record({ name: fc.constantFrom('VAT', 'SD'), basisPoints: fc.bigInt(0n, 5_000n) }), {
      maxLength: 3,
    });
    const lines = fc.array(
      fc.record({ qty: fc.bigInt(1n, 999n), unitAmountMinor: fc.bigInt(100n, 99_999n), discount: reduction, taxes }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(
        lines,
        reduction,
        taxes,
        fc.constantFrom(...INVOICE_ROUNDINGS),
        (given, discount, ofAll, rounding) => {
          const amounts = { lines: given, discount, taxes: ofAll, rounding };
          const totals = ignoringRefusal(() => totalsOf(amounts));
          if (totals === null) {
            return;
          }
          expect(totals.subtotalMinor - totals.discountMinor + totals.taxMinor).toBe(totals.totalMinor);
          expect(totals.taxes.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)).toBe(totals.taxMinor);
          expect(totals.lines.reduce((sum, { lineTotalMinor }) => sum + lineTotalMinor, 0n)).toBe(totals.subtotalMinor);
          expect(totals.discountMinor >= 0n && totals.taxMinor >= 0n).toBe(true);
        },
      ),
    );
  });
});

function failureOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}

function ignoringRefusal<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof InvoiceAmountError) {
      return null;
    }
    throw error;
  }
}
