import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { UnappliedPaymentInput } from '../../../workflows/messages/unapplied-payment.ts';
import { createPaymentWorld, type PaymentWorld, type Row } from '../payments/payment-world.ts';
import { until } from '../../support/until.ts';
import type { StoredPayment } from '../../support/stored.ts';

let world: PaymentWorld;
let operators: readonly string[];
beforeAll(async () => {
  world = await createPaymentWorld();
  const rows = await world.rows(
    `insert into operators (email, name, password_hash) values ('a@example.com', 'A', 'none'), ('b@example.com', 'B', 'none') returning id`,
  );
  operators = rows.map(({ id }) => String(id));
});
afterAll(() => world.close());

/** The amount for which the simulator returns a charge that is flagged as risky. */
const RISKY = 131_327n;

async function decision(kind: string, word: string, payment: StoredPayment, more: Row = {}): Promise<string> {
  const { unappliedPaymentId = null, needsSecond = false, second = null } = more;
  const [row] = await world.rows(
    `insert into decisions (application_id, mode, kind, payment_id, unapplied_payment_id, decision, operator_id, needs_second, second_operator_id)
     select application_id, mode, ?, id, ?::bigint, ?, ?::bigint, ?, ?::bigint from payments where id = ?::bigint returning id`,
    [kind, unappliedPaymentId, word, operators[0], needsSecond, second, payment.paymentId],
  );
  return String(row?.['id']);
}

const outcomeOf = async (id: string): Promise<unknown> =>
  (await world.rows('select outcome, consumed_at is not null as closed from decisions where id = ?::bigint', [id]))[0];

async function charged(amountMinor: bigint): Promise<{ input: StoredPayment; attempt: Row }> {
  const opened = await world.opened({ amountMinor });
  await world.finish(opened.attempt);
  await until(async () => (await world.callbacksOf(opened.input)).length > 0);
  return opened;
}

/** Creates money for an expired payment, posted to suspense. */
async function late(): Promise<{ input: UnappliedPaymentInput & StoredPayment; unappliedPaymentId: string }> {
  const { input, attempt } = await charged(10_000n);
  await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
  const question = { ...input, attemptReference: String(attempt['reference']) };
  expect(await world.activities.recordUnappliedPayment(question)).toMatchObject({ kind: 'held' });
  const [row] = await world.rows('select id from unapplied_payments where payment_id = ?::bigint', [input.paymentId]);
  return { input: question, unappliedPaymentId: String(row?.['id']) };
}

const lateStatus = async (id: string): Promise<unknown> =>
  (await world.rows('select status from unapplied_payments where id = ?::bigint', [id]))[0]?.['status'];

describe('a decision about unapplied money', () => {
  const REFUNDING = { kind: 'refunding', amountMinor: '10000', currency: 'BDT' };

  test('gives it back by a refund of its own, out of suspense', async () => {
    // The money never belonged to the payment, so the payment's refundable balance must not change.
    const { input, unappliedPaymentId } = await late();
    const id = await decision('unapplied-payment', 'refund', input, { unappliedPaymentId });
    expect(await world.activities.decideUnappliedPayment({ ...input, decisionIds: [id] })).toEqual(REFUNDING);
    expect(await lateStatus(unappliedPaymentId)).toBe('REFUNDING');
    expect(await outcomeOf(id)).toEqual({ outcome: 'REFUNDING', closed: true });
    const [refund] = await world.rows('select * from refunds where unapplied_payment_id = ?::bigint', [
      unappliedPaymentId,
    ]);
    expect(refund).toMatchObject({ status: 'PENDING', amount_minor: '10000', created_by_operator_id: operators[0] });
    const reference = String(refund?.['reference']);
    expect(world.sent.refunds).toContain(reference);
    const { applicationId, mode } = input;
    const end = { refundId: String(refund?.['id']), reference, applicationId, mode, status: 'SUCCEEDED' } as const;
    await world.activities.endRefund(end);
    expect(await lateStatus(unappliedPaymentId)).toBe('REFUNDED');
    expect(await world.paymentRow(input)).toMatchObject({ status: 'EXPIRED' });
    const postings = await world.rows(
      `select d.name as debit, c.name as credit from ledger_postings p join ledger_transactions t on t.id = p.transaction_id
       join ledger_accounts d on d.id = p.debit_account_id join ledger_accounts c on c.id = p.credit_account_id where t.cause_id = ?`,
      [reference],
    );
    expect(postings).toEqual([{ debit: 'suspense', credit: 'gateway:sslcommerz:clearing' }]);
  });

  test('whose refund fails leaves it held, to be decided again', async () => {
    // If the refund fails, operators must be able to decide again, or the payer would lose the money.
    const { input, unappliedPaymentId } = await late();
    const id = await decision('unapplied-payment', 'refund', input, { unappliedPaymentId });
    await world.activities.decideUnappliedPayment({ ...input, decisionIds: [id] });
    const [refund] = await world.rows('select * from refunds where unapplied_payment_id = ?::bigint', [
      unappliedPaymentId,
    ]);
    const { applicationId, mode } = input;
    const names = { refundId: String(refund?.['id']), reference: String(refund?.['reference']), applicationId, mode };
    await world.activities.endRefund({ ...names, status: 'FAILED', failureCode: 'GATEWAY_REFUSED_REFUND' });
    expect(await lateStatus(unappliedPaymentId)).toBe('HELD');
    const again = await decision('unapplied-payment', 'keep', input, { unappliedPaymentId });
    await world.activities.decideUnappliedPayment({ ...input, decisionIds: [again] });
    expect(await lateStatus(unappliedPaymentId)).toBe('KEPT');
  });

  test('lets the app keep it, once', async () => {
    // The money leaves suspense once and is owed to the application, even if the decision is signalled twice.
    const { input, unappliedPaymentId } = await late();
    const id = await decision('unapplied-payment', 'keep', input, { unappliedPaymentId });
    await Promise.all(
      Array.from({ length: 5 }, () => world.activities.decideUnappliedPayment({ ...input, decisionIds: [id] })),
    );
    expect(await lateStatus(unappliedPaymentId)).toBe('KEPT');
    const kept = await world.rows(`select id from ledger_transactions where kind = 'kept' and cause_id like ?`, [
      `${input.attemptReference}:%`,
    ]);
    expect(kept).toHaveLength(1);
  });

  test('waits for the second person where two are needed', async () => {
    // One of two approvals must not move money.
    const { input, unappliedPaymentId } = await late();
    const id = await decision('unapplied-payment', 'refund', input, { unappliedPaymentId, needsSecond: true });
    expect(await world.activities.decideUnappliedPayment({ ...input, decisionIds: [id] })).toMatchObject({
      kind: 'held',
    });
    expect(await outcomeOf(id)).toMatchObject({ closed: false });
    await world.rows('update decisions set second_operator_id = ?::bigint where id = ?::bigint returning 1', [
      operators[1],
      id,
    ]);
    expect(await world.activities.decideUnappliedPayment({ ...input, decisionIds: [id] })).toEqual(REFUNDING);
  });

  test('is not needed where the policy gives unapplied money back', async () => {
    await world.rows(`update applications set unapplied_payment_policy = 'REFUND' where id = ?::bigint returning 1`, [
      world.app.applicationId,
    ]);
    const { input, attempt } = await charged(10_000n);
    await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
    const question = { ...input, attemptReference: String(attempt['reference']) };
    expect(await world.activities.recordUnappliedPayment(question)).toEqual(REFUNDING);
    const refunds = await world.rows('select * from refunds where payment_id = ?::bigint', [input.paymentId]);
    expect(refunds).toMatchObject([{ status: 'PENDING', created_by_type: 'SYSTEM', amount_minor: '10000' }]);
    expect(await world.activities.recordUnappliedPayment(question)).toEqual(REFUNDING);
    expect(await world.rows('select 1 from refunds where payment_id = ?::bigint', [input.paymentId])).toHaveLength(1);
    await world.rows(`update applications set unapplied_payment_policy = 'REVIEW' where id = ?::bigint returning 1`, [
      world.app.applicationId,
    ]);
  });
});

describe('a decision about a payment under review', () => {
  async function risky(): Promise<StoredPayment> {
    const { input } = await charged(RISKY);
    expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({
      kind: 'review',
      reason: 'RISK_FLAGGED',
    });
    await world.activities.markForReview({ ...input, reason: 'RISK_FLAGGED' });
    return input;
  }

  test('that accepts the risk settles by the gateway’s own confirmation, and is closed with it', async () => {
    // Charge, amount, reference and store still have to agree.
    const input = await risky();
    const id = await decision('review', 'accept', input);
    expect(await world.activities.readReviewDecision({ ...input, decisionIds: [id] })).toEqual({
      kind: 'accept',
      decisionId: id,
    });
    expect(await world.activities.verifyPayment({ ...input, final: false, riskAccepted: true })).toEqual({
      kind: 'charged',
    });
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED', decisionId: id });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED', review_reason: null });
    expect(await outcomeOf(id)).toEqual({ outcome: 'SUCCEEDED', closed: true });
  });

  test('that rejects it leaves the money to be found late', async () => {
    // The payment is FAILED, and the attempt's charge is posted to suspense.
    const input = await risky();
    const id = await decision('review', 'reject', input);
    await world.activities.finalizePayment({
      ...input,
      status: 'FAILED',
      failureCode: 'REVIEW_REJECTED',
      decisionId: id,
    });
    await world.activities.lookForUnappliedMoney(input);
    const attempt = await world.attemptRow(input);
    expect(world.sent.late).toContainEqual({ attemptReference: attempt['reference'], callbackId: 0n });
    const question = { ...input, attemptReference: String(attempt['reference']) };
    expect(await world.activities.recordUnappliedPayment(question)).toMatchObject({ kind: 'held' });
  });

  test('that rejects it looks for the money of a charge that was confirmed already', async () => {
    // The risk was accepted and the charge confirmed, then the worker died before it finalized the payment, and the next operator rejected. The money
    // is still at the gateway.
    const input = await risky();
    expect(await world.activities.verifyPayment({ ...input, final: false, riskAccepted: true })).toEqual({
      kind: 'charged',
    });
    const attempt = await world.attemptRow(input);
    expect(attempt).toMatchObject({ status: 'CONFIRMED' });
    const id = await decision('review', 'reject', input);
    await world.activities.finalizePayment({
      ...input,
      status: 'FAILED',
      failureCode: 'REVIEW_REJECTED',
      decisionId: id,
    });
    expect(await world.activities.openCheckout(input)).toEqual({
      kind: 'ended',
      status: 'FAILED',
      failureCode: 'REVIEW_REJECTED',
    });
    await world.activities.lookForUnappliedMoney(input);
    expect(world.sent.late).toContainEqual({ attemptReference: attempt['reference'], callbackId: 0n });
  });

  test('that was carried out is told as the end it led to', async () => {
    // If a worker dies after its commit and before its task completes, the next worker has to find the payment's end.
    const input = await risky();
    const id = await decision('review', 'reject', input);
    const end = { status: 'FAILED', failureCode: 'REVIEW_REJECTED' } as const;
    await world.activities.finalizePayment({ ...input, ...end, decisionId: id });
    expect(await world.activities.readReviewDecision({ ...input, decisionIds: [id] })).toEqual({
      kind: 'ended',
      ...end,
    });
  });

  test('that is not there is none, and the signal is written down', async () => {
    // Somebody with access to the Temporal UI must not be able to decide.
    const input = await risky();
    expect(await world.activities.readReviewDecision({ ...input, decisionIds: ['99'] })).toEqual({ kind: 'none' });
    expect(
      await world.rows(`select action from audit_logs where target_type = 'payment' and target_id = ?`, [
        input.paymentId,
      ]),
    ).toEqual([{ action: 'decision.signal-without-row' }]);
  });

  test('that cannot be carried out is closed and says why', async () => {
    const input = await risky();
    const id = await decision('review', 'accept', input);
    await world.activities.declineDecision({ ...input, decisionId: id, outcome: 'AMOUNT_MISMATCH' });
    expect(await outcomeOf(id)).toEqual({ outcome: 'DECLINED_AMOUNT_MISMATCH', closed: true });
    expect(await world.activities.readReviewDecision({ ...input, decisionIds: [] })).toEqual({ kind: 'none' });
  });
});
