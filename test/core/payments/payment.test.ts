import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createPaymentActivities } from '../../../activities/payments.ts';
import { recordAnswer } from '../../../core/payments/store/answers.ts';
import { recordNoSession, recordSession } from '../../../core/payments/store/sessions.ts';
import { GatewayFailure, type GatewayRegistry } from '../../../gateways/port.ts';
import type { Verdict } from '../../../workflows/messages/payment.ts';
import { createPaymentWorld, type PaymentWorld, type Row, STORES } from './payment-world.ts';
import { until } from '../../support/until.ts';
import type { StoredPayment } from '../../support/stored.ts';

let world: PaymentWorld;
beforeAll(async () => {
  world = await createPaymentWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  for (const key of Object.keys(world.temporal)) {
    Reflect.deleteProperty(world.temporal, key);
  }
});

const scripted = (number: number): { amountMinor: bigint } => ({ amountMinor: 131_300n + BigInt(number) });
const verify = (input: StoredPayment, final = false): Promise<Verdict> =>
  world.activities.verifyPayment({ ...input, final });
const settle = (input: StoredPayment, status: 'SUCCEEDED' | 'EXPIRED' | 'CANCELLED' = 'SUCCEEDED') =>
  world.activities.finalizePayment({ ...input, status });
const sessionsAt = (attempt: Row) => world.control('GET', `sessions/${String(attempt['reference'])}`);
const chargesOf = (attempt: Row) => world.control('GET', `charges?tran_id=${String(attempt['reference'])}`);
const postingsOf = (input: StoredPayment): Promise<Row[]> =>
  world.rows(
    `select d.name as debit, c.name as credit, p.amount_minor from ledger_postings p join ledger_transactions t on t.id = p.transaction_id
     join ledger_accounts d on d.id = p.debit_account_id join ledger_accounts c on c.id = p.credit_account_id
     where t.cause_id = ? order by p.id`,
    [input.reference],
  );
const eventsOf = (input: StoredPayment): Promise<Row[]> =>
  world.rows('select * from webhook_events where payment_id = ?::bigint order by sequence', [input.paymentId]);
const callbackCount = async (input: StoredPayment): Promise<number> => (await world.callbacksOf(input)).length;

/** Creates a payment that is paid at the gateway and whose IPN is stored. */
async function paid(fields = {}): Promise<{ input: StoredPayment; attempt: Row }> {
  const opened = await world.opened(fields);
  await world.finish(opened.attempt);
  await until(async () => (await callbackCount(opened.input)) === 1);
  return opened;
}

describe('opening the checkout', () => {
  test('writes the attempt before the gateway is called and keeps what it answers', async () => {
    // Otherwise a session could exist at the gateway that Lenden does not know of.
    const { input, attempt } = await world.opened();
    expect(attempt).toMatchObject({ status: 'OPEN', number: 1, gateway: 'sslcommerz', store_id: 'lenden_test' });
    expect(attempt['reference']).toMatch(/^[0-9A-Za-z]{20}$/);
    expect(attempt['session_key']).toMatch(/^[0-9A-F]{32}$/);
    expect(await world.paymentRow(input)).toMatchObject({
      status: 'PENDING',
      gateway_redirect_url: attempt['gateway_url'],
    });
  });

  test('is answered from the row when it is repeated', async () => {
    // Otherwise a retried activity would open a second session in which the payer could also pay.
    const { input, attempt } = await world.opened();
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open', attention: false });
    expect(await sessionsAt(attempt)).toHaveLength(1);
    expect(await world.attemptRow(input)).toEqual(attempt);
  });

  test.each([
    ['an answer that is lost', 43],
    ['an answer in HTML', 44],
    ['an empty answer', 45],
    ['half an answer', 46],
    ['ten megabytes', 47],
    ['no answer in time', 41],
  ])('after %s is tried again under the same reference', async (_name, script) => {
    // It is unknown whether the session was created, so only the same reference may be used again.
    const input = await world.payment(scripted(script));
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'unavailable' });
    const unknown = await world.attemptRow(input);
    expect(unknown).toMatchObject({ status: 'UNKNOWN', session_key: null });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'CREATED' });
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open' });
    expect(await world.attemptRow(input)).toMatchObject({ status: 'OPEN', reference: unknown['reference'], number: 1 });
  });

  test('that is refused keeps the gateway’s words out of everything that leaves the log', async () => {
    // A gateway's text can contain anything, including names and secrets.
    const input = await world.payment(scripted(40));
    expect(await world.activities.openCheckout(input)).toEqual({ kind: 'refused', code: 'GATEWAY_REFUSED_SESSION' });
    expect(await world.attemptRow(input)).toMatchObject({ status: 'REFUSED', failure_code: 'GATEWAY_REFUSED_SESSION' });
  });

  test('that is refused since it was paid before the dump that the rows come from is finalized as paid', async () => {
    // The gateway takes no second session for a paid order. Ending the payment as failed would leave the payer's money unapplied.
    const { input, attempt } = await world.opened();
    await world.finish(attempt);
    await until(async () => (await callbackCount(input)) === 1);
    await world.rows('delete from gateway_callbacks where payment_id = ?::bigint returning 1', [input.paymentId]);
    await world.rows(
      `with older as (update payment_attempts set status = 'CREATED', session_key = null, gateway_url = null, opened_at = null
         where payment_id = ?::bigint)
       update payments set status = 'CREATED', gateway_redirect_url = null where id = ?::bigint returning 1`,
      [input.paymentId, input.paymentId],
    );
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'choosing', attention: true });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(await settle(input)).toBe('SUCCEEDED');
    expect(await chargesOf(attempt)).toHaveLength(1);
  });

  test('says so when a callback, a cancel or a confirmed charge already waits', async () => {
    // A resumed workflow has to query at once, because the signal was sent before it started.
    const { input, attempt } = await world.opened();
    await world.post('ipn', { tran_id: String(attempt['reference']), status: 'VALID' });
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open', attention: true });
    const second = await world.opened();
    await world.rows('update payments set cancel_requested_at = now() where id = ?::bigint returning 1', [
      second.input.paymentId,
    ]);
    expect(await world.activities.openCheckout(second.input)).toMatchObject({ kind: 'open', attention: true });
    const third = await paid();
    await verify(third.input);
    expect(await world.activities.openCheckout(third.input)).toMatchObject({ kind: 'open', attention: true });
  });

  test.each(['UNKNOWN', 'FAILED', 'CANCELLED', 'CLOSED'])(
    'never makes a second session where the gateway had made one and the attempt is %s',
    async (status) => {
      // If a workflow is terminated before the session is recorded, the next one has to query instead of opening a second session.
      const { input, attempt } = await world.opened();
      await world.rows('update payment_attempts set status = ? where id = ?::bigint returning 1', [
        status,
        attempt['id'],
      ]);
      expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open', attention: true });
      expect(await sessionsAt(attempt)).toHaveLength(1);
    },
  );

  test('answers the end of a payment that has ended, and the review of one under review', async () => {
    // The row tells a restarted workflow how the payment stands.
    const { input } = await world.opened();
    await settle(input, 'EXPIRED');
    expect(await world.activities.openCheckout(input)).toEqual({ kind: 'ended', status: 'EXPIRED' });
    const doubtful = await world.opened();
    await world.activities.markForReview({ ...doubtful.input, reason: 'RISK_FLAGGED' });
    expect(await world.activities.openCheckout(doubtful.input)).toEqual({ kind: 'review', reason: 'RISK_FLAGGED' });
  });
});

describe('the question to the gateway', () => {
  test('confirms a charge and keeps the gateway’s answer word for word', async () => {
    // Years later, `npm run verify` compares the ledger with this evidence.
    const { input, attempt } = await paid();
    expect(await verify(input)).toEqual({ kind: 'charged' });
    const row = await world.attemptRow(input);
    expect(row).toMatchObject({ status: 'CONFIRMED', gross_minor: '10000', fee_minor: '250', net_text: '97.50' });
    expect(JSON.parse(String(row['evidence']))).toMatchObject({ tran_id: attempt['reference'], amount: '100.00' });
    expect(await world.callbacksOf(input)).toMatchObject([{ outcome: 'ACCEPTED', signature_valid: true }]);
    expect(await verify(input)).toEqual({ kind: 'charged' });
  });

  test.each([
    ['a decline', 'FAILED', 'failed', 'FAILED'],
    ['a cancel', 'CANCELLED', 'cancelled', 'CANCELLED'],
    ['a payer who chose nothing', 'UNATTEMPTED', 'expired', 'CLOSED'],
    ['a session that ran out', 'EXPIRED', 'expired', 'CLOSED'],
  ])('takes %s from the gateway', async (_name, status, kind, attemptStatus) => {
    // Only the gateway's answer ends the attempt. The callback is just a reason to query.
    const { input, attempt } = await world.opened();
    await world.finish(attempt, status);
    await until(async () => (await callbackCount(input)) === 1);
    expect(await verify(input)).toEqual({ kind });
    expect(await world.attemptRow(input)).toMatchObject({ status: attemptStatus });
  });

  test.each([
    ['an amount that is one taka less', 20, 'AMOUNT_MISMATCH'],
    ['another currency', 22, 'CURRENCY_MISMATCH'],
    ['another reference', 23, 'REFERENCE_MISMATCH'],
    ['a risk flag', 27, 'RISK_FLAGGED'],
  ])('leads to review for %s, with the evidence kept', async (_name, script, reason) => {
    // A charge that disagrees with its order must not count as paid, and the operator has to see the gateway's answer.
    const { input } = await paid(scripted(script));
    expect(await verify(input)).toEqual({ kind: 'review', reason });
    const attempt = await world.attemptRow(input);
    expect(attempt).toMatchObject({ status: 'UNKNOWN', validation_id: null });
    expect(String(attempt['evidence'])).toContain('val_id');
    expect((await world.callbacksOf(input)).map(({ outcome }) => outcome)).toEqual(['MISMATCH']);
    await world.activities.markForReview({ ...input, reason: 'RISK_FLAGGED' });
    await expect(settle(input)).rejects.toThrow();
    expect(await postingsOf(input)).toEqual([]);
  });

  test('believes the gateway, not an IPN that shows another amount', async () => {
    // A wrong amount in a correctly signed IPN must not change anything.
    const { input } = await paid(scripted(21));
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(await world.attemptRow(input)).toMatchObject({ gross_minor: '131321' });
  });

  test('leads to review when one charge is shown for two payments', async () => {
    // One validation id finalizes one payment only, whatever the gateway repeats.
    const first = await paid();
    await verify(first.input);
    const { validation_id: validationId } = await world.attemptRow(first.input);
    const second = await paid();
    await world.rows(
      `update payment_attempts set validation_id = ? where id = ?::bigint and ?::text is not null returning 1`,
      [null, first.attempt['id'], validationId],
    );
    expect(await verify(second.input)).toEqual({ kind: 'charged' });
    const { validation_id: secondId } = await world.attemptRow(second.input);
    await world.rows(
      `update payment_attempts set status = 'OPEN', validation_id = null where id = ?::bigint returning 1`,
      [second.attempt['id']],
    );
    await world.rows(`update payment_attempts set validation_id = ? where id = ?::bigint returning 1`, [
      secondId,
      first.attempt['id'],
    ]);
    expect(await verify(second.input)).toEqual({ kind: 'review', reason: 'EVIDENCE_REUSED' });
    const row = await world.attemptRow(second.input);
    expect(row).toMatchObject({ status: 'UNKNOWN', validation_id: null });
    expect(String(row['evidence'])).toContain(String(secondId));
  });

  test.each([
    ['HTTP 500', 30],
    ['HTML', 32],
    ['nothing', 33],
    ['half a JSON', 34],
    ['ten megabytes', 35],
    ['a lost connection', 37],
    ['an inactive API', 38],
    ['no answer in time', 18],
  ])('decides nothing by %s, and confirms the charge when it is answered', async (_name, script) => {
    // A missing answer is neither success nor failure, and a later query finds the money.
    const { input, attempt } = await world.opened(scripted(script));
    await world.finish(attempt);
    const before = await world.attemptRow(input);
    await expect(verify(input)).rejects.toMatchObject({ type: expect.stringMatching(/^GATEWAY_/) });
    expect(await world.attemptRow(input)).toMatchObject({ status: before['status'], evidence: null });
    for (let tries = 0; tries < 6; tries += 1) {
      const verdict = await verify(input).catch(() => null);
      if (verdict !== null) {
        expect(verdict).toEqual({ kind: 'charged' });
        return;
      }
    }
    throw new Error('the charge was not found');
  });

  test.each([
    ['a status that it does not know', 28],
    ['PENDING', 29],
  ])('stays undecided and hopeful by %s, also at expiry', async (_name, script) => {
    // An unknown status must not count as success or failure.
    const { input } = await paid(scripted(script));
    expect(await verify(input, true)).toEqual({ kind: 'undecided', hopeful: true });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
  });

  test('of an untouched session waits, expires at the end, and cancels when the payer asked for it', async () => {
    // The same answer has three meanings, depending on the payer's request and the expiry.
    const { input } = await world.opened();
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
    expect(await verify(input, true)).toEqual({ kind: 'expired' });
    const other = await world.opened();
    await world.rows('update payments set cancel_requested_at = now() where id = ?::bigint returning 1', [
      other.input.paymentId,
    ]);
    expect(await verify(other.input)).toEqual({ kind: 'cancelled' });
    expect(await world.attemptRow(other.input)).toMatchObject({ status: 'CLOSED' });
    // If the worker died before it reported the result, the query is repeated and must give the same result.
    expect(await verify(other.input)).toEqual({ kind: 'cancelled' });
  });

  test('is not moved by a forged IPN that claims success', async () => {
    // Hostile case 41: a notice without a charge is not a payment.
    const { input, attempt } = await world.opened();
    const forged = { tran_id: String(attempt['reference']), val_id: 'FORGED123', status: 'VALID', amount: '100.00' };
    expect((await world.post('ipn', forged)).status).toBe(200);
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
    expect(await world.callbacksOf(input)).toMatchObject([{ outcome: 'FORGED', signature_valid: false }]);
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
  });

  test('is not moved by the replay of another order’s genuine IPN', async () => {
    // Hostile case 41: the charge of one order must not pay another.
    const genuine = await paid();
    const old = await world.notice(genuine.attempt);
    const { input, attempt } = await world.opened();
    await world.post('ipn', { ...old, tran_id: String(attempt['reference']) });
    const { verify_sign, verify_sign_sha2, verify_key, ...fields } = old;
    expect(verify_sign_sha2 ?? verify_sign).not.toBe(verify_key);
    await world.post('ipn', world.signed({ ...fields, tran_id: String(attempt['reference']) }));
    expect(await verify(input)).toMatchObject({ kind: 'undecided' });
    expect(await world.attemptRow(input)).toMatchObject({ status: 'OPEN', validation_id: null });
  });

  test('closes only the callbacks that were there when it was put', async () => {
    // A callback that arrives while the gateway is answering is handled by the next query.
    const { input, attempt } = await world.opened();
    const reference = String(attempt['reference']);
    await world.control('POST', `sessions/${reference}/script`, {
      script: { faults: { query: [{ kind: 'slow', early: true }] } },
    });
    await world.post('ipn', { tran_id: reference, n: '1' });
    const asking = verify(input);
    await until(async () => (await world.paymentRow(input))['callback_signalled_at'] === null);
    await world.post('ipn', { tran_id: reference, n: '2' });
    await asking;
    const [first, second] = await world.callbacksOf(input);
    expect(first?.['consumed_at']).not.toBeNull();
    expect(second?.['consumed_at']).toBeNull();
  });
});

describe('settling', () => {
  test('by fifty at once is one transition, one posting, one event', async () => {
    // Otherwise two workers could post a charge twice or send an event twice.
    const { input } = await paid();
    await verify(input);
    const ends = await Promise.all(Array.from({ length: 50 }, () => settle(input)));
    expect(new Set(ends)).toEqual(new Set(['SUCCEEDED']));
    expect(await postingsOf(input)).toEqual([
      { debit: 'gateway:sslcommerz:clearing', credit: 'app:payable', amount_minor: '10000' },
      { debit: 'gateway:fees', credit: 'gateway:sslcommerz:clearing', amount_minor: '250' },
    ]);
    const [event, ...more] = await eventsOf(input);
    expect(more).toEqual([]);
    expect(event).toMatchObject({ type: 'payment.succeeded', sequence: 1, delivery_status: 'PENDING' });
    expect(new Set(world.sent.deliveries)).toContain(event?.['event_id']);
    expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED', event_sequence: 1, fee_minor: '250' });
  });

  test('by opposing ends at once lets exactly one of them win', async () => {
    // If the payment expires and is confirmed at the same moment, only one end may win, and money is posted only if it was confirmed.
    const { input } = await paid();
    await verify(input);
    const ends = await Promise.all(
      Array.from({ length: 20 }, (_value, index) => settle(input, index % 2 === 0 ? 'EXPIRED' : 'SUCCEEDED')),
    );
    const [end] = ends;
    expect(new Set(ends).size).toBe(1);
    expect(await postingsOf(input)).toHaveLength(end === 'SUCCEEDED' ? 2 : 0);
    expect(await eventsOf(input)).toHaveLength(1);
  });

  test('as paid is refused without a confirmed attempt', async () => {
    // Without a confirmed charge, a payment must never succeed.
    const { input } = await world.opened();
    await expect(settle(input)).rejects.toMatchObject({ type: 'INTERNAL_ERROR' });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
    expect(await postingsOf(input)).toEqual([]);
    expect(await eventsOf(input)).toEqual([]);
  });

  test('stands when the delivery cannot be started, and a repetition starts it', async () => {
    // Otherwise the application would lose the event when the process dies after the commit.
    const { input } = await paid();
    await verify(input);
    world.temporal.startDelivery = () => Promise.reject(new Error('Temporal is away'));
    expect(await settle(input)).toBe('SUCCEEDED');
    const [event] = await eventsOf(input);
    world.sent.deliveries.length = 0;
    delete world.temporal.startDelivery;
    expect(await settle(input)).toBe('SUCCEEDED');
    expect(world.sent.deliveries).toEqual([event?.['event_id']]);
  });

  test('tells Temporal a code and our own words only', async () => {
    // Histories are kept for months, so they must not contain gateway text, row values or stack traces with data.
    const { input } = await world.opened();
    const error: unknown = await settle(input).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: 'an internal error; see the log', cause: undefined });
  });
});

describe('review', () => {
  test('keeps its first reason and time, and ends no ended payment', async () => {
    // A repeated call must not overwrite the reason for which a person was alerted.
    const { input } = await world.opened();
    await world.activities.markForReview({ ...input, reason: 'AMOUNT_MISMATCH' });
    const first = await world.paymentRow(input);
    await world.activities.markForReview({ ...input, reason: 'RISK_FLAGGED' });
    expect(await world.paymentRow(input)).toEqual(first);
    expect(first).toMatchObject({ status: 'PENDING', review_reason: 'AMOUNT_MISMATCH' });
    expect(
      world.log.filter(({ alert, payment }) => alert === 'payment-review' && payment === input.reference),
    ).toHaveLength(1);
    const ended = await world.opened();
    await settle(ended.input, 'EXPIRED');
    await world.activities.markForReview({ ...ended.input, reason: 'RISK_FLAGGED' });
    expect(await world.paymentRow(ended.input)).toMatchObject({ status: 'EXPIRED', review_reason: null });
  });
});

describe('a worker that stood still', () => {
  const confirmed = async (): Promise<{ input: StoredPayment; attempt: Row }> => {
    const world = await paid();
    await verify(world.input);
    await settle(world.input);
    return world;
  };

  test('does not reopen an attempt that was confirmed while it slept', async () => {
    // The charge would look as if it had not finalized the payment, and a repeated notice would post it again as an unapplied payment.
    const { input } = await confirmed();
    const before = await world.attemptRow(input);
    const ids = { payment: input.reference, attempt: String(before['reference']) };
    const scope = { applicationId: BigInt(input.applicationId), mode: input.mode };
    await world.database.withScope(
      scope,
      (statements) =>
        recordSession(statements, {
          ...ids,
          sessionKey: 'another',
          gatewayUrl: 'https://gateway.example/another',
          payWithinMinutes: 0,
        }),
      { oneTrip: true },
    );
    await world.database.withScope(
      scope,
      (statements) => recordNoSession(statements, { ...ids, status: 'UNKNOWN', failureCode: null }),
      { oneTrip: true },
    );
    expect(await world.attemptRow(input)).toEqual(before);
  });

  test.each([
    ['is refused', { kind: 'refused', code: 'GATEWAY_REFUSED_SESSION', gatewayText: 'this order is known' }],
    ['gets no answer', null],
  ] as const)('and %s ends nothing that another has opened', async (_what, outcome) => {
    // The payer is on the page of the first session, and the gateway gives no second session for the same order.
    const input = await world.payment();
    const open: GatewayRegistry['open'] = (...asked) => {
      const gateway = world.deps.gateways.open(...asked);
      return (
        gateway && {
          ...gateway,
          async openSession() {
            await world.activities.openCheckout(input);
            if (outcome === null) {
              throw new GatewayFailure('ambiguous', 'no answer');
            }
            return outcome;
          },
        }
      );
    };
    const slow = createPaymentActivities({ ...world.deps, gateways: { ...world.deps.gateways, open } });
    expect(await slow.openCheckout(input)).toMatchObject({ kind: 'open' });
    expect(await world.attemptRow(input)).toMatchObject({ status: 'OPEN', failure_code: null });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
  });

  test('does not lead the payer to a page that nobody asks about', async () => {
    // Two workers have opened one attempt. Every gateway except SSLCOMMERZ then has two sessions, and money paid in the unrecorded one would be lost.
    const { input } = await world.opened();
    const before = [await world.paymentRow(input), await world.attemptRow(input)];
    const scope = { applicationId: BigInt(input.applicationId), mode: input.mode };
    await world.database.withScope(
      scope,
      (statements) =>
        recordSession(statements, {
          payment: input.reference,
          attempt: String(before[1]?.['reference']),
          sessionKey: 'another',
          gatewayUrl: 'https://gateway.example/another',
          payWithinMinutes: 0,
        }),
      { oneTrip: true },
    );
    expect([await world.paymentRow(input), await world.attemptRow(input)]).toEqual(before);
  });

  test.each(['FAILED', 'CANCELLED', 'CLOSED', 'UNKNOWN'] as const)(
    'does not put an old answer (%s) over a confirmation',
    async (status) => {
      // The ledger depends on the confirmation.
      const { input } = await confirmed();
      const before = await world.attemptRow(input);
      const scope = { applicationId: BigInt(input.applicationId), mode: input.mode };
      await world.database.withScope(
        scope,
        (statements) =>
          recordAnswer(statements, {
            attempt: String(before['reference']),
            answer: { status },
            outcome: 'ACCEPTED',
            newestCallbackId: 0n,
            unanswered: [],
          }),
        { oneTrip: true },
      );
      expect(await world.attemptRow(input)).toEqual(before);
    },
  );
});

describe('unapplied money', () => {
  const late = (input: StoredPayment, attempt: Row) =>
    world.activities.recordUnappliedPayment({ ...input, attemptReference: String(attempt['reference']) });
  const held = (input: StoredPayment): Promise<Row[]> =>
    world.rows('select * from unapplied_payments where payment_id = ?::bigint', [input.paymentId]);
  const suspense = async (attempt: Row): Promise<Row[]> =>
    world.rows(
      `select c.name as credit, p.amount_minor from ledger_postings p join ledger_transactions t on t.id = p.transaction_id
       join ledger_accounts c on c.id = p.credit_account_id where t.cause_id like ? || ':%' order by p.id`,
      [attempt['reference']],
    );

  /** Makes the gateway open another session under the same reference. Returns its key. */
  async function secondSession(attempt: Row): Promise<string> {
    const callback = (kind: string): string => `${world.apiUrl}/gateway/sslcommerz/test/${kind}`;
    const outcome = await world.deps.gateways
      .open('sslcommerz', 'TEST', { storeId: STORES.TEST.id, sealedSecret: null })
      ?.openSession({
        attemptReference: String(attempt['reference']),
        amount: { amountMinor: 10_000n, currency: 'BDT' },
        productName: 'A book',
        customer: {
          name: 'Customer',
          email: 'customer@example.com',
          phone: '01711111111',
          address: 'Dhaka',
          city: 'Dhaka',
          postcode: '1000',
          country: 'Bangladesh',
        },
        callbacks: {
          success: callback('success'),
          fail: callback('fail'),
          cancel: callback('cancel'),
          ipn: callback('ipn'),
          back: callback('return'),
        },
        expiresAt: new Date('2026-11-22T01:00:00Z'),
        readAt: new Date('2026-11-22T00:30:00Z'),
      });
    return outcome?.kind === 'opened' ? outcome.sessionKey : '';
  }

  test.each(['EXPIRED', 'CANCELLED'] as const)(
    'for a payment that had ended %s is posted once under twenty parallel runs',
    async (status) => {
      // Hostile case 44: the payment stays ended, and the money is not lost.
      const { input, attempt } = await world.opened();
      await settle(input, status);
      await world.rows(`update payments set ended_at = now() - interval '3 hours' where id = ?::bigint returning 1`, [
        input.paymentId,
      ]);
      await world.finish(attempt);
      await until(() => world.sent.late.some(({ attemptReference }) => attemptReference === attempt['reference']));
      const results = await Promise.all(Array.from({ length: 20 }, () => late(input, attempt)));
      expect(new Set(results.map((result) => JSON.stringify(result)))).toEqual(
        new Set([JSON.stringify({ kind: 'held', amountMinor: '10000', currency: 'BDT' })]),
      );
      expect(await held(input)).toMatchObject([{ status: 'HELD', gross_minor: '10000', fee_minor: '250' }]);
      expect(await suspense(attempt)).toEqual([
        { credit: 'suspense', amount_minor: '10000' },
        { credit: 'gateway:sslcommerz:clearing', amount_minor: '250' },
      ]);
      expect(await world.paymentRow(input)).toMatchObject({ status });
      expect((await world.callbacksOf(input)).map(({ outcome }) => outcome)).toEqual(['LATE']);
      expect((await eventsOf(input)).map(({ type }) => type)).toEqual([
        `payment.${status.toLowerCase()}`,
        'unapplied_payment.received',
      ]);
    },
  );

  test('that the gateway does not confirm books nothing', async () => {
    // A callback for an ended payment starts a query. It does not prove that money moved.
    const { input, attempt } = await world.opened();
    await settle(input, 'EXPIRED');
    expect(await late(input, attempt)).toEqual({ kind: 'nothing' });
    expect(await held(input)).toEqual([]);
  });

  test('does not count the charge that settled the payment', async () => {
    // A repeated IPN after the success is about the same money.
    const { input, attempt } = await paid();
    await verify(input);
    await settle(input);
    expect(await late(input, attempt)).toEqual({ kind: 'nothing' });
    expect(await suspense(attempt)).toEqual([]);
  });

  test('finds a second charge of an attempt that was settled', async () => {
    // A payer who paid in two tabs must get the second amount back.
    const { input, attempt } = await world.opened();
    const other = await secondSession(attempt);
    await world.finish({ reference: attempt['session_key'] });
    await until(async () => (await callbackCount(input)) === 1);
    await verify(input);
    await settle(input);
    await world.rows('update payments set last_signalled_at = null where id = ?::bigint returning 1', [
      input.paymentId,
    ]);
    await world.finish({ reference: other });
    await until(() => world.sent.late.some(({ attemptReference }) => attemptReference === attempt['reference']));
    expect(await chargesOf(attempt)).toHaveLength(2);
    expect(await late(input, attempt)).toEqual({ kind: 'held', amountMinor: '10000', currency: 'BDT' });
    expect(await late(input, attempt)).toEqual({ kind: 'held', amountMinor: '10000', currency: 'BDT' });
    expect(await held(input)).toHaveLength(1);
    expect(await postingsOf(input)).toHaveLength(2);
  });

  test('is found as well when both notices had come before the payment was settled', async () => {
    // One query finds one charge. The callback of the other must not be closed with it, or that money would be forgotten.
    const { input, attempt } = await world.opened();
    const other = await secondSession(attempt);
    await world.finish({ reference: attempt['session_key'] });
    await world.finish({ reference: other });
    await until(async () => (await callbackCount(input)) === 2);
    await verify(input);
    await settle(input);
    const open = (await world.callbacksOf(input)).filter(({ consumed_at: at }) => at === null);
    expect(open).toHaveLength(1);
    expect(await late(input, attempt)).toEqual({ kind: 'held', amountMinor: '10000', currency: 'BDT' });
    expect(await held(input)).toHaveLength(1);
    expect((await world.callbacksOf(input)).every(({ consumed_at: at }) => at !== null)).toBe(true);
  });

  test('that nobody can be sure of is left to people: callbacks closed, alarm given', async () => {
    // A parked attempt is visible to operators and is not queried again without a new callback.
    const { input, attempt } = await world.opened(scripted(30));
    await settle(input, 'EXPIRED');
    await world.finish(attempt);
    await until(async () => (await callbackCount(input)) === 1);
    await world.activities.parkUnappliedPayment({ ...input, attemptReference: String(attempt['reference']) });
    expect(await world.callbacksOf(input)).toMatchObject([{ outcome: 'MISMATCH', consumed_at: expect.anything() }]);
    expect(world.log).toContainEqual(
      expect.objectContaining({ alert: 'unapplied-payment-unclear', attempt: attempt['reference'] }),
    );
  });

  test('is asked for again when the gateway gives no answer', async () => {
    // An unreachable gateway must not count as "no money".
    const { input, attempt } = await world.opened(scripted(30));
    await settle(input, 'EXPIRED');
    await world.finish(attempt);
    await until(async () => (await callbackCount(input)) === 1);
    await expect(late(input, attempt)).rejects.toMatchObject({ type: 'GATEWAY_AMBIGUOUS' });
    expect((await world.callbacksOf(input))[0]?.['consumed_at']).toBeNull();
  });
});
