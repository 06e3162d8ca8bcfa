import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { appliedOf, dueMinorOf, payableAmounts, statusPaid, type Billed } from '../../domain/invoice-due.ts';

const TODAY = '2026-11-21';
const billed = (totalMinor: bigint, paidMinor = 0n, changes: Partial<Billed> = {}): Billed => ({
  status: statusPaid(totalMinor, paidMinor),
  totalMinor,
  paidMinor,
  dueDate: null,
  installments: [],
  ...changes,
});
const offer = (invoice: Billed, bounds: { minMinor: bigint; maxMinor: bigint }, ownAllowed = true) =>
  payableAmounts(invoice, { today: TODAY, bounds, ownAllowed });
const bounds = { minMinor: 1_000n, maxMinor: 50_000_000n };

describe('the sums that a payer is offered', () => {
  test('are all that is due, and any part that leaves enough for another payment', () => {
    expect(offer(billed(10_000n), bounds)).toEqual({
      requestedMinor: 10_000n,
      wholeAtOnce: true,
      own: { minMinor: 1_000n, maxMinor: 9_000n },
    });
  });

  test('are no part of one’s own where the application does not take one', () => {
    expect(offer(billed(10_000n), bounds, false)).toMatchObject({ own: null });
  });

  test('are the due installment first', () => {
    const installments = [
      { dueDate: '2026-11-01', amountMinor: 4_000n },
      { dueDate: '2026-12-01', amountMinor: 6_000n },
    ];
    expect(offer(billed(10_000n, 0n, { installments }), bounds)).toMatchObject({ requestedMinor: 4_000n });
    expect(offer(billed(10_000n, 1_500n, { installments }), bounds)).toMatchObject({ requestedMinor: 2_500n });
    expect(offer(billed(10_000n, 4_000n, { installments }), bounds)).toMatchObject({ requestedMinor: 6_000n });
  });

  // A gateway with a minimum of ten taka could never collect a remainder of nine.
  test('never strand a rest that no payment could pay, where that can be helped', () => {
    const installments = [
      { dueDate: '2026-11-01', amountMinor: 9_500n },
      { dueDate: '2026-12-01', amountMinor: 500n },
    ];
    expect(offer(billed(10_000n, 0n, { installments }), bounds)).toMatchObject({ requestedMinor: 10_000n });
    expect(offer(billed(1_500n), bounds)).toEqual({ requestedMinor: 1_500n, wholeAtOnce: true, own: null });
  });

  test('are as much as one payment may be where more is due', () => {
    expect(offer(billed(120_000_000n), bounds)).toEqual({
      requestedMinor: 50_000_000n,
      wholeAtOnce: false,
      own: { minMinor: 1_000n, maxMinor: 50_000_000n },
    });
  });

  test.each([
    ['nothing is due', billed(10_000n, 10_000n)],
    ['it is void', billed(10_000n, 0n, { status: 'VOID' })],
    ['it is a draft', billed(10_000n, 0n, { status: 'DRAFT' })],
    ['less is due than a payment may be', billed(10_000n, 9_500n)],
  ])('are none when %s', (_when, invoice) => {
    expect(offer(invoice, bounds)).toBeNull();
  });

  const amount = fc.bigInt({ min: 1n, max: 2_000_000n });
  // Within any limits, the offered amount can be paid, and repeated payments of the requested amount pay the whole invoice.
  test('can always be paid, and lead to the end', () => {
    fc.assert(
      fc.property(amount, amount, fc.bigInt({ min: 1n, max: 5_000n }), fc.nat(5), (total, max, min, parts) => {
        const limits = { minMinor: min, maxMinor: max + 2n * min + total / 50n };
        const count = BigInt(parts);
        const installments =
          count < 2n || total < count
            ? []
            : Array.from({ length: parts }, (_, index) => ({
                dueDate: `2026-1${index % 3}-0${1 + index}`,
                amountMinor: total / count + (index === 0 ? total % count : 0n),
              })).sort((a, b) => (a.dueDate < b.dueDate ? -1 : 1));
        let invoice = billed(total, 0n, { installments });
        for (let payments = 0; payments < 100; payments += 1) {
          const offered = offer(invoice, limits);
          if (offered === null) {
            expect(dueMinorOf(invoice) < min).toBe(true);
            // Only an amount that was below the minimum from the start may remain.
            expect(invoice.paidMinor === 0n || dueMinorOf(invoice) === 0n).toBe(true);
            return;
          }
          const { requestedMinor, own, wholeAtOnce } = offered;
          expect(
            requestedMinor >= min && requestedMinor <= limits.maxMinor && requestedMinor <= dueMinorOf(invoice),
          ).toBe(true);
          expect(wholeAtOnce).toBe(dueMinorOf(invoice) <= limits.maxMinor);
          expect(own === null || (own.minMinor <= own.maxMinor && own.maxMinor <= limits.maxMinor)).toBe(true);
          const paidMinor = invoice.paidMinor + appliedOf(invoice, requestedMinor);
          invoice = { ...invoice, paidMinor, status: statusPaid(total, paidMinor) };
        }
        throw new Error('it never ends');
      }),
      { numRuns: 300 },
    );
  });
});

describe('what counts of a payment', () => {
  test('is never more than is due, and nothing of what is void or paid', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10_000n }),
        fc.bigInt({ min: 0n, max: 10_000n }),
        fc.bigInt({ min: 1n, max: 20_000n }),
        (total, paid, gross) => {
          const already = paid < total ? paid : total;
          const applied = appliedOf(billed(total, already), gross);
          expect(applied).toBe(gross < total - already ? gross : total - already);
          expect(appliedOf({ ...billed(total, 0n), status: 'VOID' }, gross)).toBe(0n);
        },
      ),
    );
  });
});
