import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { payableView } from '../../../api/native/invoices/payable.ts';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import { DomainError } from '../../../domain/errors.ts';
import { openInvoiceWorld, type InvoiceWorld } from './invoice-world.ts';
import type { StoredPayment } from '../../support/stored.ts';

let world: InvoiceWorld;
beforeAll(async () => {
  world = await openInvoiceWorld();
});
afterAll(() => world.close());

const TOTAL = 10_000n;
/** Days before, on and after today, as in the schedule. */
const day = (offset: number): string => world.deps.calendar.today(new Date(Date.now() + offset * 86_400_000));

type Step =
  | { readonly kind: 'begin'; readonly share: number }
  | { readonly kind: 'confirm' | 'expire'; readonly which: number }
  | { readonly kind: 'settle-again'; readonly which: number }
  | { readonly kind: 'refund'; readonly which: number; readonly share: number; readonly keep: boolean }
  | { readonly kind: 'void' };

const share = fc.constantFrom(1, 7, 25, 50, 99, 100);
const which = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('begin' as const), share }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('confirm' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('settle-again' as const), which }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('refund' as const), which, share, keep: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'void' as const }) },
);
const schedule = fc.constantFrom<readonly (readonly [number, number])[]>(
  [],
  [
    [-20, 2_500],
    [0, 2_500],
    [20, 5_000],
  ],
  [
    [5, 1],
    [6, 9_999],
  ],
  [
    [-2, 4_000],
    [-1, 6_000],
  ],
);

/** Computes what should be paid from the steps that were taken. This model shares no code with the product. */
class Expected {
  paid = 0n;
  void = false;
  held = 0n;
  readonly open = new Map<string, bigint>();
  readonly applied = new Map<string, bigint>();
  private readonly parts: readonly (readonly [number, number])[];

  constructor(parts: readonly (readonly [number, number])[]) {
    this.parts = parts;
  }

  get due(): bigint {
    return this.void ? 0n : TOTAL - this.paid;
  }

  /** The unpaid installments up to today; if there are none, the next one; without installments, everything. */
  get asked(): bigint {
    let before = 0n;
    const unpaid = this.parts.map(([offset, amount]) => {
      const missing = clamp(before + BigInt(amount) - this.paid, BigInt(amount));
      before += BigInt(amount);
      return { offset, missing };
    });
    const open = unpaid.filter(({ missing }) => missing > 0n);
    const late = open.filter(({ offset }) => offset <= 0);
    const asked = late.length > 0 ? late : open.slice(0, 1);
    return this.due === 0n || open.length === 0 ? this.due : asked.reduce((sum, { missing }) => sum + missing, 0n);
  }
}

function clamp(amount: bigint, most: bigint): bigint {
  return amount < 0n ? 0n : amount > most ? most : amount;
}

async function refused(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (error instanceof DomainError) {
      return true;
    }
    throw error;
  }
}

async function check(invoice: InvoiceRecord, expected: Expected): Promise<void> {
  const row = await world.read(invoice);
  const view = await payableView(world.deps, { scope: world.caller.scope, invoice: row, applicationName: 'Shop' });
  const held = await world.rows<{ sum: string }>(
    `select coalesce(sum(l.gross_minor), 0)::text as sum from unapplied_payments l join payments p on p.id = l.payment_id where p.invoice_id = ?`,
    [invoice.id],
  );
  expect({
    paid: view.amountPaidMinor,
    due: view.amountDueMinor,
    asked: view.requestedMinor,
    held: held[0]?.sum,
    status: row.status,
    payable: view.checkoutUrl !== null,
  }).toEqual({
    paid: Number(expected.paid),
    due: Number(expected.due),
    asked: Number(expected.asked),
    held: expected.held.toString(),
    status: expected.void
      ? 'VOID'
      : expected.paid === TOTAL
        ? 'PAID'
        : expected.paid > 0n
          ? 'PARTIALLY_PAID'
          : 'ISSUED',
    payable: expected.due > 0n || view.checkoutUrl !== null,
  });
  expect(view.amountPaidMinor + (expected.void ? view.totalMinor : view.amountDueMinor)).toBe(view.totalMinor);
}

// Whatever payers, the shop and the gateway do in any order: paid plus due is the total, the link asks for the right amount, and
// the ledger agrees.
test('any sequence of payments, refunds and voids keeps paid + due = total', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, fc.array(step, { minLength: 3, maxLength: 14 }), async (parts, steps) => {
      const expected = new Expected(parts);
      const invoice = await world.bill(
        parts.length === 0
          ? {}
          : { installments: parts.map(([offset, amountMinor]) => ({ dueDate: day(offset), amountMinor })) },
      );
      const payments: StoredPayment[] = [];
      for (const one of steps) {
        await take(one, { invoice, payments, expected });
        await check(invoice, expected);
      }
    }),
    { numRuns: 60 },
  );
  const { findings, invoices } = await world.verify();
  expect(findings).toEqual([]);
  expect(invoices).toBeGreaterThanOrEqual(60);
}, 240_000);

interface Story {
  readonly invoice: InvoiceRecord;
  readonly payments: StoredPayment[];
  readonly expected: Expected;
}

async function take(one: Step, { invoice, payments, expected }: Story): Promise<void> {
  switch (one.kind) {
    case 'begin': {
      const amount = (TOTAL * BigInt(one.share)) / 100n;
      const no = await refused(async () => {
        const payment = await world.begin(invoice, amount);
        payments.push(payment);
        expected.open.set(payment.paymentId, amount);
      });
      expect(no).toBe(amount > expected.due);
      return;
    }
    case 'confirm': {
      const payment = payments[one.which];
      const amount = payment === undefined ? undefined : expected.open.get(payment.paymentId);
      if (payment === undefined || amount === undefined) {
        return;
      }
      await world.confirm(payment);
      expected.open.delete(payment.paymentId);
      const applied = amount < expected.due ? amount : expected.due;
      expected.applied.set(payment.paymentId, applied);
      expected.paid += applied;
      expected.held += amount - applied;
      return;
    }
    case 'expire': {
      const payment = payments[one.which];
      if (payment !== undefined && expected.open.delete(payment.paymentId)) {
        await world.activities.finalizePayment({ ...payment, status: 'EXPIRED' });
      }
      return;
    }
    case 'settle-again': {
      const payment = payments[one.which];
      if (payment !== undefined && expected.applied.has(payment.paymentId)) {
        await world.activities.finalizePayment({ ...payment, status: 'SUCCEEDED' });
      }
      return;
    }
    case 'refund': {
      const payment = payments[one.which];
      const applied = payment === undefined ? undefined : expected.applied.get(payment.paymentId);
      if (payment === undefined || applied === undefined) {
        return;
      }
      const amount = (TOTAL * BigInt(one.share)) / 100n;
      await world.set({ refundedInvoices: one.keep ? 'KEEP' : 'REOPEN' });
      expect(await refused(() => world.refund(payment, amount))).toBe(amount > applied);
      if (amount <= applied) {
        expected.applied.set(payment.paymentId, applied - amount);
        expected.paid -= one.keep ? 0n : amount;
      }
      return;
    }
    case 'void': {
      const no = await refused(() => world.void(invoice));
      expect(no).toBe(!expected.void && (expected.paid > 0n || expected.open.size > 0));
      expected.void ||= !no;
    }
  }
}
