import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { paymentReference } from '../../domain/references.ts';
import { ROW_MISSING } from '../../workflows/messages/names.ts';
import { openInvoiceTheatre, type InvoiceTheatre } from './staged-invoices.ts';
import { openTheatre, type Script, type Theatre } from './staged-payments.ts';
import { openRefundTheatre, type RefundScript, type RefundTheatre } from './staged-refunds.ts';

let payments: Theatre;
let refunds: RefundTheatre;
let invoices: InvoiceTheatre;
beforeAll(async () => {
  payments = await openTheatre();
  refunds = await openRefundTheatre();
  invoices = await openInvoiceTheatre();
});
afterAll(async () => {
  await payments.close();
  await refunds.close();
  await invoices.close();
});

/** Shorter than other timeouts, because the bug under test is a workflow that never ends. */
const GIVE_UP_MS = 60_000;

const missing = (): Promise<never> =>
  Promise.reject(
    ApplicationFailure.create({ type: ROW_MISSING, message: 'the database has no such row', nonRetryable: true }),
  );

/** Returns why a workflow failed: the type of its own failure. */
async function failureOf(handle: WorkflowHandle): Promise<unknown> {
  const error: unknown = await handle.result().catch((reason: unknown) => reason);
  return error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure
    ? error.cause.type
    : `no failure of ours: ${String(error)}`;
}

const sum = (counts: readonly (readonly unknown[])[]): number =>
  counts.reduce((total, calls) => total + calls.length, 0);

describe('a workflow whose row is gone, since an older database was restored,', () => {
  // Endless retries would keep the workflow open forever, and its row's number may later belong to another payment.
  test.each<[string, Script, number]>([
    ['opening', { open: missing }, 1],
    ['asking at its expiry', { verify: missing }, 2],
    ['settling', { settle: missing }, 3],
    ['going under review', { verify: () => ({ kind: 'review', reason: 'RISK_FLAGGED' }), review: missing }, 3],
  ])(
    'fails at once: a payment that is %s',
    async (_step, script, steps) => {
      const staged = payments.stage(script);
      await payments.skipping.dispatch.startPayment(staged.payment);
      expect(await failureOf(staged.handle())).toBe(ROW_MISSING);
      expect(sum([staged.asked.open, staged.asked.verify, staged.asked.settle, staged.asked.review])).toBe(steps);
    },
    GIVE_UP_MS,
  );

  test('fails at once: a question about unapplied money', async () => {
    const staged = payments.stage({ late: missing });
    await payments.skipping.dispatch.startUnappliedPayment(staged.payment, {
      attemptReference: staged.attemptReference,
      callbackId: 1n,
    });
    expect(await failureOf(staged.late())).toBe(ROW_MISSING);
    expect(staged.asked.late).toHaveLength(1);
  });

  test.each<[string, RefundScript]>([
    ['begins', { stand: missing }],
    ['asks the gateway', { drive: missing }],
    ['ends', { end: missing }],
  ])('fails at once: a refund that %s', async (_step, script) => {
    const staged = refunds.stage(script);
    await refunds.skipping.startRefund(staged.refund);
    expect(await failureOf(staged.handle())).toBe(ROW_MISSING);
    expect(Math.max(staged.asked.stand.length, staged.asked.drive.length, staged.asked.end.length)).toBe(1);
  });

  test('fails at once: an invoice, which somebody waits for', async () => {
    // A caller who changes due dates must get an error, instead of waiting for a workflow that will never read them.
    const invoice = { ...(await invoices.world.bill()), reference: paymentReference() };
    await invoices.tell(invoice, 'issued');
    expect(await failureOf(invoices.handleOf(invoice))).toBe(ROW_MISSING);
    expect(invoices.world.log).toContainEqual(
      expect.objectContaining({ level: 'error', alert: 'workflow-without-row', reference: invoice.reference }),
    );
  });
});
