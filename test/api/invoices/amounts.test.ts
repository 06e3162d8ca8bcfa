import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { day, openBilling, refusal, type Billing } from './billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

const MAX = Number.MAX_SAFE_INTEGER;

function item(unitAmountMinor: number, more: object = {}) {
  return { description: 'A', qty: 1, unitAmountMinor, ...more };
}

describe('adding up', () => {
  // Calculated by hand. Each share is rounded once, at the point where it is calculated.
  test.each([
    [
      'a tax on what the lines leave',
      // 33.33 + 2 × 33.33 = 99.99; 15 % of that is 14.9985.
      { lineItems: [item(3_333), item(3_333, { qty: 2 })], taxes: [{ name: 'VAT', basisPoints: 1_500 }] },
      { subtotalMinor: 9_999, discountMinor: 0, taxMinor: 1_500, totalMinor: 11_499 },
    ],
    [
      'the same rounded down',
      { lineItems: [item(9_999)], taxes: [{ name: 'VAT', basisPoints: 1_500 }], rounding: 'DOWN' },
      { subtotalMinor: 9_999, taxMinor: 1_499, totalMinor: 11_498 },
    ],
    [
      'half a paisa up',
      // 5 % of 0.10 is half a paisa.
      { lineItems: [item(10)], taxes: [{ name: 'VAT', basisPoints: 500 }], rounding: 'HALF_UP' },
      { taxMinor: 1, totalMinor: 11 },
    ],
    [
      'half a paisa to the even neighbour, 0',
      { lineItems: [item(10)], taxes: [{ name: 'VAT', basisPoints: 500 }], rounding: 'HALF_EVEN' },
      { taxMinor: 0, totalMinor: 10 },
    ],
    [
      'one and a half paisa to the even neighbour, 2',
      { lineItems: [item(30)], taxes: [{ name: 'VAT', basisPoints: 500 }], rounding: 'HALF_EVEN' },
      { taxMinor: 2, totalMinor: 32 },
    ],
    [
      'the least share rounded up',
      { lineItems: [item(1)], taxes: [{ name: 'VAT', basisPoints: 1 }], rounding: 'UP' },
      { taxMinor: 1, totalMinor: 2 },
    ],
    [
      'discounts of lines, then of the invoice, then taxes of both kinds',
      // Line 1: 3 × 10.01 = 30.03, less 10 % (3.003 → 3.00) = 27.03, 5 % of that is 1.3515 → 1.35.
      // Line 2: 20.00 less 0.01 = 19.99. After lines 47.02; 12.5 % discount is 5.8775 → 5.88; 41.14 left; 15 % of that is 6.171 → 6.17.
      {
        lineItems: [
          item(1_001, { qty: 3, discount: { basisPoints: 1_000 }, taxes: [{ name: 'SD', basisPoints: 500 }] }),
          item(2_000, { discount: { amountMinor: 1 } }),
        ],
        discount: { basisPoints: 1_250 },
        taxes: [{ name: 'VAT', basisPoints: 1_500 }],
      },
      {
        subtotalMinor: 5_003,
        discountMinor: 300 + 1 + 588,
        taxMinor: 617 + 135,
        totalMinor: 4_114 + 617 + 135,
        taxes: [
          { name: 'VAT', basisPoints: 1_500, amountMinor: 617 },
          { name: 'SD', basisPoints: 500, amountMinor: 135 },
        ],
      },
    ],
    [
      'taxes of one name and rate as one sum, of two rates as two',
      {
        lineItems: [
          item(1_000, { taxes: [{ name: 'VAT', basisPoints: 1_500 }] }),
          item(3_000, {
            taxes: [
              { name: 'VAT', basisPoints: 1_500 },
              { name: 'VAT', basisPoints: 750 },
            ],
          }),
        ],
      },
      {
        taxes: [
          { name: 'VAT', basisPoints: 1_500, amountMinor: 600 },
          { name: 'VAT', basisPoints: 750, amountMinor: 225 },
        ],
        totalMinor: 4_825,
      },
    ],
    [
      'a discount that takes a whole line',
      { lineItems: [item(5_000, { discount: { basisPoints: 10_000 } }), item(100)] },
      { subtotalMinor: 5_100, discountMinor: 5_000, totalMinor: 100 },
    ],
    [
      'the greatest amount that there is',
      { lineItems: [item(MAX)] },
      { subtotalMinor: MAX, totalMinor: MAX, amountDueMinor: 0 },
    ],
    ['a thousand million of the cheapest thing', { lineItems: [item(1, { qty: 1_000_000_000 })] }, { totalMinor: 1e9 }],
  ])('%s', async (_name, change, amounts) => {
    const made = await billing.draft(change);
    expect(made.status).toBe(201);
    expect(made.data).toMatchObject(amounts);
    const { subtotalMinor, discountMinor, taxMinor, totalMinor } = made.data;
    expect(Number(subtotalMinor) - Number(discountMinor) + Number(taxMinor)).toBe(totalMinor);
  });

  test.each([
    ['a line above 2^53 - 1', { lineItems: [item(MAX, { qty: 2 })] }, { 'lineItems.0': `must not exceed ${MAX}` }],
    ['lines above it together', { lineItems: [item(MAX), item(1)] }, { lineItems: `must not exceed ${MAX} in total` }],
    [
      'a tax that leads above it',
      { lineItems: [item(MAX)], taxes: [{ name: 'VAT', basisPoints: 1 }] },
      { lineItems: `must add up to a total between 1 and ${MAX}` },
    ],
    [
      'lines above it of which a discount leaves little',
      { lineItems: [item(MAX), item(MAX)], discount: { basisPoints: 9_999 } },
      { lineItems: `must not exceed ${MAX} in total` },
    ],
    [
      'a discount of more than its line',
      { lineItems: [item(100, { discount: { amountMinor: 101 } })] },
      { 'lineItems.0.discount': 'must not exceed 100' },
    ],
    [
      'a discount of more than the lines leave',
      { lineItems: [item(100, { discount: { amountMinor: 50 } })], discount: { amountMinor: 51 } },
      { discount: 'must not exceed 50' },
    ],
    [
      'a discount of everything',
      { lineItems: [item(100)], discount: { basisPoints: 10_000 } },
      { lineItems: `must add up to a total between 1 and ${MAX}` },
    ],
  ])('%s is refused', async (_name, change, fields) => {
    // If such an invoice were stored, even as a draft, the list of its customer's invoices could not be shown.
    for (const issue of [true, false]) {
      expect(refusal(await billing.create({ ...change, issue }))).toEqual([400, 'VALIDATION_ERROR', fields]);
    }
    expect((await billing.send('/invoices')).status).toBe(200);
  });
});

describe('installments', () => {
  const lineItems = [item(10_000)];
  const parts = (made: { data: Readonly<Record<string, unknown>> }): unknown => made.data['installments'];
  const part = (dueDate: string, amountMinor: number) => ({ dueDate, amountMinor, amountPaidMinor: 0, status: 'OPEN' });

  test('by amounts stand as they were given; the invoice is due with the last of them', async () => {
    // The customer has to be asked for exactly the agreed amounts.
    const installments = [
      { dueDate: '2031-01-05', amountMinor: 1 },
      { dueDate: '2031-02-05', amountMinor: 9_999 },
    ];
    const made = await billing.create({ lineItems, installments });
    expect(parts(made)).toEqual([part('2031-01-05', 1), part('2031-02-05', 9_999)]);
    expect(made.data).toMatchObject({ dueDate: '2031-02-05', nextDueDate: '2031-01-05' });
  });

  test('by shares are rounded down, and the last takes what is left', async () => {
    // 33.33 % of 100.01 is 33.333333; the three parts add up to 100.01.
    const installments = [3_333, 3_333, 3_334].map((basisPoints, i) => ({ dueDate: `2031-0${i + 1}-05`, basisPoints }));
    const made = await billing.create({ lineItems: [item(10_001)], installments });
    expect(parts(made)).toEqual([part('2031-01-05', 3_333), part('2031-02-05', 3_333), part('2031-03-05', 3_335)]);
  });

  test.each([
    ['WEEK', ['2031-01-31', '2031-02-07', '2031-02-14']],
    ['TWO_WEEKS', ['2031-01-31', '2031-02-14', '2031-02-28']],
    ['MONTH', ['2031-01-31', '2031-02-28', '2031-03-31']],
    ['QUARTER', ['2031-01-31', '2031-04-30', '2031-07-31']],
    ['YEAR', ['2031-01-31', '2032-01-31', '2033-01-31']],
  ])('by a plan of every %s from 31 January keep to the end of shorter months', async (every, dates) => {
    // The remainder goes to the first installments, one paisa each.
    const plan = { count: 3, every, firstDueDate: '2031-01-31' };
    const made = await billing.create({ lineItems, plan });
    expect(parts(made)).toEqual([
      part(dates[0] ?? '', 3_334),
      part(dates[1] ?? '', 3_333),
      part(dates[2] ?? '', 3_333),
    ]);
  });

  test('by a plan from 29 February follow leap years', async () => {
    // The 29th is used again in leap years.
    const made = await billing.create({ lineItems, plan: { count: 5, every: 'YEAR', firstDueDate: '2028-02-29' } });
    const dates = ['2028-02-29', '2029-02-28', '2030-02-28', '2031-02-28', '2032-02-29'];
    expect(parts(made)).toEqual(dates.map((dueDate) => expect.objectContaining({ dueDate })));
  });

  test('past ones are overdue, today’s is not', async () => {
    // The payer can still pay on the due date itself.
    const installments = [-1, 0, 1].map((offset, i) => ({ dueDate: day(offset), amountMinor: i === 0 ? 9_998 : 1 }));
    const made = await billing.create({ lineItems, installments });
    expect(made.data).toMatchObject({
      status: 'OVERDUE',
      installments: [{ status: 'OVERDUE' }, { status: 'OPEN' }, { status: 'OPEN' }],
    });
  });

  const dated = (...amounts: number[]) => amounts.map((amountMinor, i) => ({ dueDate: day(i), amountMinor }));
  test.each([
    ['of another sum', { installments: dated(1, 9_998) }, { installments: 'must add up to 10000, not 9999' }],
    [
      'on one day twice',
      { installments: dated(1, 9_999).map((part) => ({ ...part, dueDate: day(0) })) },
      { 'installments.1': 'must be due after the previous one' },
    ],
    [
      'in the wrong order',
      { installments: dated(1, 9_999).reverse() },
      { 'installments.1': 'must be due after the previous one' },
    ],
    [
      'of shares of less than all',
      { installments: [{ dueDate: day(0), basisPoints: 9_999 }] },
      { installments: 'must add up to 10000 basisPoints, not 9999' },
    ],
    [
      'so small that one is nothing',
      {
        lineItems: [item(3)],
        installments: [
          { dueDate: day(0), basisPoints: 1 },
          { dueDate: day(1), basisPoints: 9_999 },
        ],
      },
      { 'installments.0': 'must be at least 1' },
    ],
    [
      'more than there are paisas',
      { lineItems: [item(3)], plan: { count: 4, every: 'WEEK', firstDueDate: day(0) } },
      { 'installments.3': 'must be at least 1' },
    ],
    [
      'beside a due date',
      { dueDate: day(3), installments: dated(10_000) },
      { installments: 'cannot be combined with dueDate' },
    ],
    [
      'beside a plan',
      { installments: dated(10_000), plan: { count: 2, every: 'WEEK', firstDueDate: day(0) } },
      { plan: 'cannot be combined with installments' },
    ],
    [
      'by amount and by share',
      { installments: [...dated(5_000), { dueDate: day(5), basisPoints: 5_000 }] },
      {
        installments:
          'must be a list of 1 to 120 parts, each with a dueDate and either amountMinor or basisPoints, all alike',
      },
    ],
    [
      'that go on after the year 9999',
      { plan: { count: 3, every: 'YEAR', firstDueDate: '9998-01-01' } },
      { 'installments.2': 'must be due after the previous one' },
    ],
  ])('%s are refused', async (_name, change, fields) => {
    // A schedule that does not add up to the total would leave a part unpaid, or ask for too much.
    expect(refusal(await billing.create({ lineItems, ...change }))).toEqual([400, 'VALIDATION_ERROR', fields]);
  });
});
