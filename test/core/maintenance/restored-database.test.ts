import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createPaymentActivities } from '../../../activities/payments.ts';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import { attemptReference, paymentReference, refundReference } from '../../../domain/references.ts';
import type { Gateway } from '../../../gateways/port.ts';
import { SSLCOMMERZ_CAPABILITIES } from '../../../gateways/sslcommerz/gateway.ts';
import { ROW_MISSING } from '../../../workflows/messages/names.ts';
import { openInvoiceWorld, type InvoiceWorld } from '../invoices/invoice-world.ts';
import type { StoredPayment, StoredRefund } from '../../support/stored.ts';

/**
 * A restored dump was older than a payment, whose number was then assigned again. The payment's workflow is still running, and the number that it
 * uses now belongs to another payment.
 */
let world: InvoiceWorld;
/** These objects belong to another customer, and all of them are open. */
let invoice: InvoiceRecord;
let payment: StoredPayment;
let paid: StoredPayment;
let refund: StoredRefund;
let attempt: string;
/** What the orphaned workflows send: the same numbers with other references. */
let lost: StoredPayment;
let lostRefund: StoredRefund;

beforeAll(async () => {
  world = await openInvoiceWorld();
});
afterAll(() => world.close());

beforeEach(async () => {
  invoice = await world.bill();
  paid = await world.pay(await world.bill(), 10_000n);
  refund = await world.queryRefund(paid, 4_000n);
  payment = await world.begin(invoice, 10_000n);
  attempt = await attemptOf(payment);
  lost = { ...payment, reference: paymentReference() };
  lostRefund = { ...refund, reference: refundReference() };
  world.log.length = 0;
  world.calls.length = 0;
});

async function attemptOf({ reference }: StoredPayment): Promise<string> {
  const [row] = await world.rows<{ reference: string }>(
    'select t.reference from payment_attempts t join payments p on p.id = t.payment_id where p.reference = ?',
    [reference],
  );
  return row?.reference ?? '';
}

/** Reads everything that a workflow can change. */
async function standing(): Promise<unknown> {
  const tables = [
    'payments',
    'payment_attempts',
    'refunds',
    'unapplied_payments',
    'decisions',
    'invoices',
    'invoice_notices',
  ];
  const stand: unknown[] = [];
  for (const table of [...tables, 'gateway_callbacks', 'webhook_events', 'ledger_transactions', 'audit_logs']) {
    stand.push(await world.rows(`select * from ${table} order by id`));
  }
  return stand;
}

describe('an activity for something that the database does not have any more', () => {
  type Activities = InvoiceWorld['activities'];
  const late = () => ({ ...lost, attemptReference: attempt });
  const CASES: { readonly [Name in keyof Activities]: () => Promise<unknown> } = {
    openCheckout: () => world.activities.openCheckout(lost),
    verifyPayment: () => world.activities.verifyPayment({ ...lost, final: true }),
    finalizePayment: () => world.activities.finalizePayment({ ...lost, status: 'EXPIRED' }),
    markForReview: () => world.activities.markForReview({ ...lost, reason: 'RISK_FLAGGED' }),
    readReviewDecision: () => world.activities.readReviewDecision({ ...lost, decisionIds: ['1'] }),
    declineDecision: () => world.activities.declineDecision({ ...lost, decisionId: '1', outcome: 'UNDECIDED' }),
    lookForUnappliedMoney: () => world.activities.lookForUnappliedMoney(lost),
    recordUnappliedPayment: () => world.activities.recordUnappliedPayment(late()),
    decideUnappliedPayment: () => world.activities.decideUnappliedPayment({ ...late(), decisionIds: ['1'] }),
    readUnappliedPayment: () => world.activities.readUnappliedPayment(late()),
    parkUnappliedPayment: () => world.activities.parkUnappliedPayment(late()),
    readRefund: () => world.activities.readRefund(lostRefund),
    decideRefund: () => world.activities.decideRefund({ ...lostRefund, decisionIds: ['1'], expired: true }),
    remindOfApproval: () => world.activities.remindOfApproval(lostRefund),
    driveRefund: () => world.activities.driveRefund(lostRefund),
    endRefund: () => world.activities.endRefund({ ...lostRefund, status: 'SUCCEEDED' }),
    markRefundForReview: () => world.activities.markRefundForReview({ ...lostRefund, reason: 'STUCK_AT_GATEWAY' }),
    driveInvoice: () =>
      world.activities.driveInvoice({ ...world.inputOf({ reference: paymentReference() }), nowMs: Date.now() }),
    sendInvoiceEmails: () => world.activities.sendInvoiceEmails(world.inputOf({ reference: paymentReference() })),
  };

  // After a restore, numbers are assigned twice. Without these checks, an old timer could expire another payment.
  test.each(Object.entries(CASES))('%s fails for good, with an alert, and changes nothing', async (name, run) => {
    const before = await standing();
    await expect(run()).rejects.toMatchObject({ type: ROW_MISSING, nonRetryable: true });
    expect(await standing()).toEqual(before);
    expect(world.calls).toEqual([]);
    expect(world.log).toEqual([
      expect.objectContaining({ level: 'error', activity: name, alert: 'workflow-without-row' }),
    ]);
  });

  test('is in the table above, whichever it is', () => {
    // A new activity needs a case that shows what it does after a restore.
    expect(Object.keys(CASES).toSorted()).toEqual(Object.keys(createPaymentActivities(world.deps)).toSorted());
  });
});

describe('an activity that names rows of two payments', () => {
  test.each(['recordUnappliedPayment', 'readUnappliedPayment', 'parkUnappliedPayment'] as const)(
    '%s fails for good',
    async (name) => {
      // An attempt of one payment must not be queried for another.
      const before = await standing();
      const question = { ...paid, attemptReference: attempt };
      await expect(world.activities[name](question)).rejects.toMatchObject({ type: ROW_MISSING });
      expect(await standing()).toEqual(before);
    },
  );

  test('finalizePayment does not end a payment by a decision about another one', async () => {
    // The decision was lost in the restore, and its number was assigned again.
    const [operator] = await world.rows<{ id: string }>(
      `insert into operators (email, name, password_hash) values (?, 'Op', 'x') returning id`,
      [`${attemptReference().toLowerCase()}@example.com`],
    );
    const [decision] = await world.rows<{ id: string }>(
      `insert into decisions (application_id, mode, kind, payment_id, decision, operator_id, needs_second)
       select application_id, mode, 'review', id, 'reject', ?::bigint, false from payments where reference = ? returning id`,
      [operator?.id, paid.reference],
    );
    const before = await standing();
    const end = {
      ...payment,
      status: 'FAILED',
      failureCode: 'REVIEW_REJECTED',
      decisionId: decision?.id ?? '',
    } as const;
    await expect(world.activities.finalizePayment(end)).rejects.toMatchObject({ type: ROW_MISSING });
    expect(await standing()).toEqual(before);
  });
});

describe('a restore while the gateway is asked', () => {
  /** Gives the rows other references, as if those that were read are gone and others have their numbers. */
  async function restore(): Promise<void> {
    await world.rows('update payments set reference = ? where reference = ?', [paymentReference(), payment.reference]);
    await world.rows('update payment_attempts set reference = ? where reference = ?', [attemptReference(), attempt]);
    await world.rows('update refunds set reference = ? where reference = ?', [refundReference(), refund.reference]);
    restored = await standing();
  }
  let restored: unknown;

  function during(asked: Partial<Gateway>): InvoiceWorld['activities'] {
    const unused = (): Promise<never> => Promise.reject(new Error('nobody asks this'));
    const gateway: Gateway = {
      capabilities: SSLCOMMERZ_CAPABILITIES,
      storeId: 'teststore',
      openSession: unused,
      queryAttempt: unused,
      parseCallback: () => ({
        claims: 'unknown',
        attemptReference: null,
        claimedValidationId: null,
        signatureValid: false,
        note: null,
      }),
      refund: unused,
      queryRefund: unused,
      ...asked,
    };
    return createPaymentActivities({ ...world.deps, gateways: { ...world.deps.gateways, open: () => gateway } });
  }

  test('gives the page of a lost payment to nobody else', async () => {
    const activities = during({
      async openSession() {
        await restore();
        return { kind: 'opened', sessionKey: 'session', gatewayUrl: 'https://gateway.example/lost' };
      },
    });
    await activities.openCheckout(payment);
    expect(await standing()).toEqual(restored);
  });

  test('gives the charge of a lost payment to nobody else', async () => {
    const activities = during({
      async queryAttempt({ attemptReference: reference }) {
        await restore();
        const charge = {
          validationId: `V-${reference}`,
          gatewayTxnId: `B-${reference}`,
          attemptReference: reference,
          storeId: 'teststore',
          orderAmountMinor: 10_000n,
          orderCurrency: 'BDT',
          grossMinor: 10_000n,
          currency: 'BDT',
          feeMinor: 0n,
          netText: '100.00',
          riskFlagged: false,
          evidence: '{}',
        };
        return { kind: 'charged', charge };
      },
    });
    await activities.verifyPayment({ ...payment, final: true });
    await expect(activities.finalizePayment({ ...payment, status: 'SUCCEEDED' })).rejects.toMatchObject({
      type: ROW_MISSING,
    });
    expect(await standing()).toEqual(restored);
  });

  test('gives the answer about a lost refund to nobody else', async () => {
    const activities = during({
      async refund() {
        await restore();
        return { kind: 'accepted', gatewayRefundId: 'R-1', evidence: '{}' };
      },
    });
    await activities.driveRefund(refund);
    expect(await standing()).toEqual(restored);
  });
});
