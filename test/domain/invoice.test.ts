import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  requestedMinorOf,
  checkInstallments,
  dueMinorOf,
  InvoiceAmountError,
  INVOICE_ROUNDINGS,
  nextDueDateOf,
  PLAN_STEPS,
  planned,
  shared,
  shareOf,
  shownStatus,
  stateOf,
  statusPaid,
  totalsOf,
  type Billed,
  type InvoiceAmounts,
  type InvoiceLine,
  type InvoiceRounding,
} from '../../domain/invoice.ts';
import { addDays, addMonths, isPlainDate } from '../../domain/plain-date.ts';

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

describe('installments', () => {
  test('of a plan are equal, and what does not divide goes to the first', () => {
    expect(planned(10_000n, { count: 3, every: 'MONTH', firstDueDate: '2027-01-31' })).toEqual([
      { dueDate: '2027-01-31', amountMinor: 3_334n },
      { dueDate: '2027-02-28', amountMinor: 3_333n },
      { dueDate: '2027-03-31', amountMinor: 3_333n },
    ]);
  });

  test('by shares leave the rest to the last', () => {
    const parts = [
      { dueDate: '2027-01-01', basisPoints: 3_333n },
      { dueDate: '2027-02-01', basisPoints: 3_333n },
      { dueDate: '2027-03-01', basisPoints: 3_334n },
    ];
    const amounts = (rounding: InvoiceRounding, totalMinor = 1_000n): bigint[] =>
      shared(totalMinor, parts, rounding).map(({ amountMinor }) => amountMinor);
    expect(amounts('DOWN')).toEqual([333n, 333n, 334n]);
    expect(amounts('HALF_UP')).toEqual([333n, 333n, 334n]);
    expect(amounts('UP')).toEqual([334n, 334n, 332n]);
    // Rounding of a fraction of a minor unit: 3 333 of 10 000 of 5 001 is 1 666.8333.
    expect(amounts('DOWN', 5_001n)).toEqual([1_666n, 1_666n, 1_669n]);
    expect(amounts('HALF_UP', 5_001n)).toEqual([1_667n, 1_667n, 1_667n]);
  });

  test('of any plan and total add up, rise in time and pass the check', () => {
    const plan = fc.record({
      count: fc.integer({ min: 1, max: 120 }),
      every: fc.constantFrom(...PLAN_STEPS),
      firstDueDate: fc.constantFrom('2026-11-30', '2027-01-31', '2028-02-29', '2027-12-31'),
    });
    fc.assert(
      fc.property(fc.bigInt(120n, 10n ** 12n), plan, (total, given) => {
        const installments = planned(total, given);
        checkInstallments(installments, total);
        expect(installments).toHaveLength(given.count);
        const amounts = installments.map(({ amountMinor }) => amountMinor);
        expect((amounts[0] ?? 0n) - (amounts.at(-1) ?? 0n) <= 1n).toBe(true);
      }),
    );
  });

  test.each<[string, { dueDate: string; amountMinor: bigint }[], string]>([
    ['that do not add up', [{ dueDate: '2027-01-01', amountMinor: 99n }], 'installments'],
    [
      'of nothing',
      [
        { dueDate: '2027-01-01', amountMinor: 100n },
        { dueDate: '2027-01-02', amountMinor: 0n },
      ],
      'installments.1',
    ],
    [
      'twice a day',
      [
        { dueDate: '2027-01-01', amountMinor: 50n },
        { dueDate: '2027-01-01', amountMinor: 50n },
      ],
      'installments.1',
    ],
    [
      'that go back in time',
      [
        { dueDate: '2027-01-02', amountMinor: 50n },
        { dueDate: '2027-01-01', amountMinor: 50n },
      ],
      'installments.1',
    ],
  ])('%s are refused', (_name, installments, field) => {
    expect((failureOf(() => checkInstallments(installments, 100n)) as InvoiceAmountError).field).toBe(field);
  });
});

describe('how an invoice stands', () => {
  const schedule = [
    { dueDate: '2027-01-10', amountMinor: 300n },
    { dueDate: '2027-02-10', amountMinor: 300n },
    { dueDate: '2027-03-10', amountMinor: 400n },
  ];
  const billed = (more: Partial<Billed> = {}): Billed => ({
    status: 'ISSUED',
    totalMinor: 1_000n,
    paidMinor: 0n,
    dueDate: null,
    installments: schedule,
    ...more,
  });

  test('is told part by part: money pays the oldest first', () => {
    expect(stateOf(schedule, 450n, '2027-02-11').map(({ paidMinor, status }) => [paidMinor, status])).toEqual([
      [300n, 'PAID'],
      [150n, 'OVERDUE'],
      [0n, 'OPEN'],
    ]);
    expect(stateOf(schedule, 450n, '2027-02-10')[1]?.status).toBe('PARTIALLY_PAID');
  });

  test.each<[string, Partial<Billed>, string, bigint]>([
    ['the first part before its day', {}, '2027-01-01', 300n],
    ['everything up to today', {}, '2027-02-10', 600n],
    ['the rest of a part', { status: 'PARTIALLY_PAID', paidMinor: 100n }, '2027-01-10', 200n],
    ['the next part once the last is paid', { status: 'PARTIALLY_PAID', paidMinor: 300n }, '2027-01-20', 300n],
    ['everything without a schedule', { installments: [] }, '2027-01-01', 1_000n],
    ['nothing of a draft', { status: 'DRAFT' }, '2027-01-01', 0n],
    ['nothing when it is void', { status: 'VOID' }, '2027-01-01', 0n],
    ['nothing when it is paid', { status: 'PAID', paidMinor: 1_000n }, '2027-01-01', 0n],
  ])('asks for %s', (_name, more, today, asked) => {
    expect(requestedMinorOf(billed(more), today)).toBe(asked);
  });

  test('is overdue from the day after, and only while something is due', () => {
    // OVERDUE is derived from the calendar and is not stored.
    expect(shownStatus(billed(), '2027-01-10')).toBe('ISSUED');
    expect(shownStatus(billed(), '2027-01-11')).toBe('OVERDUE');
    expect(shownStatus(billed({ paidMinor: 300n, status: 'PARTIALLY_PAID' }), '2027-01-11')).toBe('PARTIALLY_PAID');
    expect(shownStatus(billed({ paidMinor: 1_000n, status: 'PAID' }), '2030-01-01')).toBe('PAID');
    expect(shownStatus(billed({ status: 'VOID' }), '2030-01-01')).toBe('VOID');
    expect(shownStatus(billed({ installments: [], dueDate: '2027-01-01' }), '2027-01-02')).toBe('OVERDUE');
    expect(shownStatus(billed({ installments: [] }), '2030-01-02')).toBe('ISSUED');
    expect(nextDueDateOf(billed({ paidMinor: 300n, status: 'PARTIALLY_PAID' }), '2027-01-01')).toBe('2027-02-10');
  });

  test('is the same sum from every side, whatever is paid and when', () => {
    // Paid + due = total, and the installments account for every minor unit that was paid.
    const day = fc.integer({ min: 0, max: 120 }).map((days) => addDays('2027-01-01', days));
    fc.assert(
      fc.property(fc.bigInt(0n, 1_000n), day, (paidMinor, today) => {
        const now = billed({ paidMinor, status: statusPaid(1_000n, paidMinor) });
        expect(paidMinor + dueMinorOf(now)).toBe(1_000n);
        const stands = stateOf(schedule, paidMinor, today);
        expect(stands.reduce((sum, { paidMinor: paid }) => sum + paid, 0n)).toBe(paidMinor);
        const asked = requestedMinorOf(now, today);
        expect(asked <= dueMinorOf(now) && asked > 0n === dueMinorOf(now) > 0n).toBe(true);
      }),
    );
  });
});

describe('a date', () => {
  test.each([
    '2027-02-29',
    '2027-13-01',
    '2027-00-10',
    '27-01-01',
    '2027-1-1',
    '2027-01-01T00:00',
    '',
    '１９９９-01-01',
    '1969-12-31',
  ])('is no %p', (text) => {
    expect(isPlainDate(text)).toBe(false);
  });

  test('moves by months to the last day where a month is shorter', () => {
    expect(isPlainDate('2028-02-29')).toBe(true);
    expect([1, 2, 12, 13].map((months) => addMonths('2027-12-31', months))).toEqual([
      '2028-01-31',
      '2028-02-29',
      '2028-12-31',
      '2029-01-31',
    ]);
    expect(addDays('2028-02-28', 2)).toBe('2028-03-01');
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
