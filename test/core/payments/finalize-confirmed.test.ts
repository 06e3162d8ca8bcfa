import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { chooseGateway } from '../../../core/payments/store/gateway-choices.ts';
import { recordAnswer } from '../../../core/payments/store/answers.ts';
import { attemptReference } from '../../../domain/references.ts';
import type { Verdict } from '../../../workflows/messages/payment.ts';
import type { StoredPayment } from '../../support/stored.ts';
import { answer, charged, eventsOf, reset } from './scripted-answers.ts';
import { createScriptedWorld, type ScriptedWorld } from './scripted-payments.ts';

let world: ScriptedWorld;
beforeAll(async () => {
  world = await createScriptedWorld({ poolSize: 20 });
});
afterAll(() => world.close());
beforeEach(() => reset(world));

const POSTED = ['gateway:sslcommerz:clearing → app:payable 10000', 'gateway:fees → gateway:sslcommerz:clearing 250'];

/** Queries as a payment that waits for its payer does. */
const query = (input: StoredPayment): Promise<Verdict> =>
  world.activities.verifyPayment({ ...input, final: false, finalizes: true });

/** A payment whose charge the gateway confirms when it is queried. */
async function paid(columns = {}) {
  const input = await world.payment({ status: 'PENDING', ...columns });
  const attempt = await world.attempt(input);
  const charge = world.charge(attempt);
  answer(world, charged(charge));
  return { input, attempt, charge };
}

const finalized = (input: StoredPayment) => world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });

describe('a query of a pending payment', () => {
  test('records the charge and finalizes the payment: postings, event and delivery', async () => {
    // Money is posted only with the gateway's evidence, in the same transaction.
    const { input, attempt, charge } = await paid();
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: charge.validationId });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-another' });
    await world.callback(input, attempt, { claims: 'paid', signatureValid: false });
    expect(await query(input)).toEqual({ kind: 'charged', isFinalized: true });
    expect(await world.attemptRows(input)).toMatchObject([
      {
        status: 'CONFIRMED',
        validation_id: charge.validationId,
        gateway_txn_id: charge.gatewayTxnId,
        gross_minor: '10000',
        fee_minor: '250',
        net_text: '97.50',
        evidence: charge.evidence,
        confirmed_at: expect.anything(),
      },
    ]);
    expect(await world.paymentRow(input)).toMatchObject({
      status: 'SUCCEEDED',
      event_sequence: 1,
      gateway: 'sslcommerz',
      gateway_txn_id: charge.gatewayTxnId,
      fee_minor: '250',
      paid_at: expect.anything(),
      ended_at: expect.anything(),
    });
    expect(await world.outcomes(input)).toEqual(['ACCEPTED', null, 'FORGED']);
    expect(await world.postings(input.reference)).toEqual(POSTED);
    const [event] = await eventsOf(world, input);
    expect(event).toMatchObject({ type: 'payment.succeeded', sequence: 1 });
    expect(world.deliveries).toMatchObject([{ eventId: event?.['event_id'], reference: input.reference }]);
  });

  test('by twenty workers at once posts once, and every one of them sees the payment charged', async () => {
    // A local activity that timed out may still run beside the next one.
    const { input } = await paid();
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => query(input)));
    expect(new Set(verdicts.map(({ kind }) => kind))).toEqual(new Set(['charged']));
    expect(verdicts.filter((verdict) => verdict.kind === 'charged' && verdict.isFinalized === true)).toHaveLength(1);
    expect(await finalized(input)).toBe('SUCCEEDED');
    expect(await world.postings(input.reference)).toEqual(POSTED);
    expect(await eventsOf(world, input)).toHaveLength(1);
    expect(world.deliveries).toHaveLength(1);
  });

  test('while the payer chooses another gateway ends in one of the two orders, never in a deadlock', async () => {
    // Both change the payment and its attempts. Whoever locked them in another order would be aborted by the database after a second.
    for (let round = 0; round < 15; round += 1) {
      const { input } = await paid({ gateway_choices: '{sslcommerz,bkash}' });
      const scope = { applicationId: world.applicationId, mode: 'TEST' as const };
      const choice = {
        paymentId: BigInt(input.paymentId),
        gateway: 'bkash',
        reference: attemptReference(),
        storeId: 'store',
      };
      const [verdict, chosen] = await Promise.all([
        query(input),
        world.deps.database.withScope(scope, (statements) => chooseGateway(statements, choice)),
      ]);
      expect(verdict).toEqual({ kind: 'charged', isFinalized: true });
      expect(['chosen', 'closed']).toContain(chosen.kind);
      expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED', gateway: 'sslcommerz' });
    }
    expect(world.log.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('plans a late query of the page that is still open at a gateway without notifications', async () => {
    // The payer may pay there too, and nobody would tell.
    const { input, attempt } = await paid();
    const left = await world.attempt(input, { number: 2 });
    await world.rows(
      `update payment_attempts set opened_at = now(), gateway = 'bkash' where payment_id = ?::bigint returning 1`,
      [input.paymentId],
    );
    await world.rows('update payment_attempts set superseded_at = now() where reference = ? returning 1', [
      left.reference,
    ]);
    expect(await query(input)).toEqual({ kind: 'charged', isFinalized: true });
    expect(await world.attemptRows(input)).toMatchObject([
      { reference: attempt.reference, status: 'CONFIRMED', query_again_at: null },
      { reference: left.reference, status: 'OPEN', query_again_at: expect.anything() },
    ]);
  });
});

describe('a query records the charge and leaves the end to the next step', () => {
  test.each([
    [
      'that is under review',
      { status: 'PENDING', review_reason: 'RISK_FLAGGED', review_since: '2026-01-01T00:00:00Z' },
    ],
    ['whose page was never recorded', { status: 'CREATED' }],
  ])('of a payment %s', async (_what, columns) => {
    // Only an operator ends a review.
    const { input } = await paid(columns);
    expect(await query(input)).toEqual({ kind: 'charged' });
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'CONFIRMED' }]);
    expect(await world.paymentRow(input)).toMatchObject({ status: columns.status, event_sequence: 0 });
    expect(await world.postings(input.reference)).toEqual([]);
    expect(world.deliveries).toEqual([]);
  });

  test('of a payment that has ended, whose charge is then unapplied money', async () => {
    // The end that was notified must not change.
    const { input } = await paid();
    expect(await world.activities.finalizePayment({ ...input, status: 'EXPIRED' })).toBe('EXPIRED');
    expect(await query(input)).toEqual({ kind: 'charged' });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'EXPIRED', event_sequence: 1 });
    expect(await world.postings(input.reference)).toEqual([]);
  });

  test('if it does not ask for the end', async () => {
    // An operator's decision is closed together with the end.
    const { input } = await paid();
    expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
  });

  test('if the ledger refuses the posting, so that the failure is shown where money is recorded', async () => {
    // Nothing is half done, and the gateway's answer is not lost.
    const { input } = await paid();
    await world.rows(
      `insert into ledger_transactions (application_id, mode, currency, cause_type, cause_id, kind)
       values (?::bigint, 'TEST', 'BDT', 'payment', ?, 'charge') returning 1`,
      [world.applicationId, input.reference],
    );
    expect(await query(input)).toEqual({ kind: 'charged' });
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'CONFIRMED' }]);
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING', event_sequence: 0 });
    expect(await eventsOf(world, input)).toEqual([]);
    expect(world.log).toContainEqual(
      expect.objectContaining({ level: 'warn', payment: input.reference, error: expect.anything() }),
    );
    await expect(finalized(input)).rejects.toMatchObject({ type: 'LEDGER_CONFLICT' });
  });

  test('if another charge of the payment was confirmed while the gateway was queried', async () => {
    // The first charge finalizes the payment; this one is found later as unapplied money.
    const { input, attempt, charge } = await paid();
    const scope = { applicationId: world.applicationId, mode: 'TEST' as const };
    const other = await world.attempt(input, { number: 2, status: 'CLOSED' });
    const facts = {
      status: 'CONFIRMED',
      gatewayTxnId: 'T',
      validationId: 'V-first',
      grossMinor: 10_000n,
      feeMinor: 250n,
    } as const;
    world.gateway.queryAttempt = async () => {
      await world.deps.database.withScope(scope, (statements) =>
        recordAnswer(statements, {
          attempt: other.reference,
          answer: { ...facts, netText: '97.50', evidence: '{}' },
          outcome: 'ACCEPTED',
          newestCallbackId: 0n,
          unanswered: [],
        }),
      );
      return charged(charge);
    };
    expect(await query(input)).toEqual({ kind: 'charged' });
    expect(await world.attemptRows(input)).toMatchObject([
      { reference: attempt.reference, status: 'UNKNOWN', query_again_at: expect.anything() },
      { reference: other.reference, status: 'CONFIRMED' },
    ]);
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
  });
});

test('a charge whose validation id belongs to another payment leads to review', async () => {
  // One charge must not pay two payments.
  const { input: first, charge } = await paid();
  expect(await query(first)).toEqual({ kind: 'charged', isFinalized: true });
  const { input, attempt } = await paid();
  answer(world, charged(world.charge(attempt, { validationId: charge.validationId })));
  expect(await query(input)).toEqual({ kind: 'review', reason: 'EVIDENCE_REUSED' });
  expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
  expect(await world.postings(input.reference)).toEqual([]);
});
