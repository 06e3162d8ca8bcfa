import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { recordAnswer } from '../../../core/payments/store/answers.ts';
import { GatewayFailure } from '../../../gateways/port.ts';
import type { Verdict } from '../../../workflows/messages/payment.ts';
import type { StoredPayment } from '../../support/stored.ts';
import { answer, charged, confirmed, reset } from './scripted-answers.ts';
import { createScriptedWorld, type ScriptedWorld } from './scripted-payments.ts';

let world: ScriptedWorld;
beforeAll(async () => {
  world = await createScriptedWorld();
});
afterAll(() => world.close());
beforeEach(() => reset(world));

const AT = '2026-01-01T00:00:00Z';

async function verify(input: StoredPayment, final = false): Promise<Verdict> {
  if (final) {
    await world.rows('update payments set expires_at = now() where id = ?::bigint returning 1', [input.paymentId]);
  }
  return world.activities.verifyPayment({ ...input, final });
}

const pending = async (fields = {}) => {
  const input = await world.payment({ status: 'PENDING', ...fields });
  return { input, attempt: await world.attempt(input) };
};

describe('a query', () => {
  test('that a timer makes early does not expire the payment', async () => {
    // Only the database's clock expires a payment. If the workflow's clock is ahead, the payer must not lose time.
    const { input } = await pending();
    await world.rows(
      `update payments set expires_at = now() + interval '10 minutes' where id = ?::bigint returning 1`,
      [input.paymentId],
    );
    const verdict = await world.activities.verifyPayment({ ...input, final: true });
    expect(verdict).toEqual({ kind: 'undecided', hopeful: false, expiresInMs: expect.any(Number) });
    const leftMs = verdict.kind === 'undecided' ? (verdict.expiresInMs ?? 0) : 0;
    expect([leftMs > 300_000, leftMs <= 600_000]).toEqual([true, true]);
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'OPEN' }]);
    await world.rows(`update payments set clock_offset = interval '10 minutes' where id = ?::bigint returning 1`, [
      input.paymentId,
    ]);
    expect(await world.activities.verifyPayment({ ...input, final: true })).toEqual({ kind: 'expired' });
  });

  test('is not made to a gateway that is not configured', async () => {
    // Nothing can be decided without an answer.
    world.gateway.configured = false;
    const { input } = await pending();
    await expect(verify(input)).rejects.toMatchObject({
      type: 'GATEWAY_UNAUTHORIZED',
      message: 'the store of this payment is not configured',
    });
  });

  test('names the attempt, its session and the charge that a signed callback claims', async () => {
    // A signed callback is a hint where to look. Unsigned callbacks and callbacks of failures must not be used.
    const { input, attempt } = await pending();
    await world.callback(input, attempt, { claims: 'failed', claimedValidationId: 'V-failed' });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-forged', signatureValid: false });
    await verify(input);
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-signed' });
    await verify(input);
    const handle = {
      attemptReference: attempt.reference,
      sessionKey: 'session',
      knownValidationIds: [],
      mayExecute: true,
    };
    expect(world.gateway.asked).toEqual([
      { ...handle, claimedValidationId: null, claimedEnd: { kind: 'failed', validationId: 'V-failed' } },
      { ...handle, claimedValidationId: 'V-signed' },
    ]);
  });

  test('confirms a charge that agrees with its order, with all its facts', async () => {
    // Years later, the ledger is verified against this evidence.
    const { input, attempt } = await pending();
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: `V-${attempt.reference}` });
    await world.callback(input, attempt, { claims: 'paid', signatureValid: false });
    const charge = world.charge(attempt);
    answer(world, charged(charge));
    expect(await verify(input)).toEqual({ kind: 'charged' });
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
    expect(await world.outcomes(input)).toEqual(['ACCEPTED', 'FORGED']);
    world.gateway.queryAttempt = () => Promise.reject(new Error('it was queried again'));
    expect(await verify(input)).toEqual({ kind: 'charged' });
  });

  test('leaves open only the callbacks of further charges', async () => {
    // Otherwise nobody would query the other charges.
    const { input, attempt } = await pending();
    const own = `V-${attempt.reference}`;
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: own });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-another' });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: null });
    await world.callback(input, attempt, { claims: 'failed', claimedValidationId: 'V-tried' });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-forged', signatureValid: false });
    answer(world, charged(world.charge(attempt)));
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(await world.outcomes(input)).toEqual(['ACCEPTED', null, 'ACCEPTED', 'ACCEPTED', 'FORGED']);
  });

  test.each([
    ['AMOUNT_MISMATCH', { grossMinor: 9_999n }, '9999'],
    ['AMOUNT_MISMATCH', { grossMinor: 0n }, null],
    ['AMOUNT_MISMATCH', { grossMinor: null }, null],
    ['CURRENCY_MISMATCH', { currency: 'USD' }, '10000'],
    ['REFERENCE_MISMATCH', { attemptReference: 'AnotherReference0000' }, '10000'],
    ['STORE_MISMATCH', { storeId: 'other' }, '10000'],
    ['RISK_FLAGGED', { riskFlagged: true }, '10000'],
  ] as const)('leads to review for a charge that disagrees with its order (%s)', async (reason, changes, gross) => {
    // The charge must not count as paid. The operator sees the gateway's answer. The validation id is not stored, because it can belong to another payment.
    const { input, attempt } = await pending();
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-another' });
    const charge = world.charge(attempt, changes);
    answer(world, charged(charge));
    expect(await verify(input)).toEqual({ kind: 'review', reason });
    expect(await world.attemptRows(input)).toMatchObject([
      {
        status: 'UNKNOWN',
        validation_id: null,
        confirmed_at: null,
        gateway_txn_id: charge.gatewayTxnId,
        gross_minor: gross,
        fee_minor: '250',
        net_text: '97.50',
        evidence: charge.evidence,
      },
    ]);
    expect(await world.outcomes(input)).toEqual(['MISMATCH']);
    await world.activities.markForReview({ ...input, reason });
    await expect(world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' })).rejects.toThrow();
    expect(await world.postings(input.reference)).toEqual([]);
  });

  test('leads to review for a charge that another payment has', async () => {
    // One charge must not pay two payments.
    const first = await pending();
    answer(world, charged(world.charge(first.attempt)));
    await verify(first.input);
    const { input, attempt } = await pending();
    await world.callback(input, attempt, { claims: 'paid' });
    const reused = world.charge(attempt, { validationId: `V-${first.attempt.reference}` });
    answer(world, charged(reused));
    expect(await verify(input)).toEqual({ kind: 'review', reason: 'EVIDENCE_REUSED' });
    expect(await world.attemptRows(input)).toMatchObject([
      { status: 'UNKNOWN', validation_id: null, gross_minor: '10000', evidence: reused.evidence },
    ]);
    expect(await world.outcomes(input)).toEqual(['MISMATCH']);
  });

  test('whose answer cannot be written leads to no review', async () => {
    // Only a charge that was used before leads to a review. Other errors are retried.
    const { input, attempt } = await pending();
    answer(world, charged(world.charge(attempt, { validationId: 'no \u0000 in Postgres' })));
    await expect(verify(input)).rejects.toMatchObject({ type: 'INTERNAL_ERROR' });
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'OPEN', evidence: null }]);
  });

  test.each([
    [{ kind: 'failed' }, 'failed', 'FAILED'],
    [{ kind: 'cancelled' }, 'cancelled', 'CANCELLED'],
    [{ kind: 'expired' }, 'expired', 'CLOSED'],
  ] as const)('that is answered with %p ends the attempt, and the end is stored', async (end, kind, status) => {
    // Only the gateway's answer ends the attempt, whatever a callback claimed. It is then not queried again.
    const { input, attempt } = await pending();
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-hoped' });
    answer(world, end);
    expect(await verify(input)).toEqual({ kind });
    expect(await world.attemptRows(input)).toMatchObject([{ status, evidence: null, confirmed_at: null }]);
    expect(await world.outcomes(input)).toEqual(['ACCEPTED']);
    expect(await verify(input)).toEqual({ kind });
    expect(world.gateway.asked).toHaveLength(1);
  });

  test.each([
    ['not-started', false, false],
    ['not-started', true, true],
    ['in-progress', false, true],
    ['unknown', false, true],
  ] as const)(
    'that is answered with %s decides nothing (a callback claims success: %p, hopeful: %p)',
    async (kind, claimed, hopeful) => {
      // An unknown status must not count as success or failure. If something claims that money moved, a query soon is worthwhile.
      const { input, attempt } = await pending();
      await world.callback(input, attempt, { claims: claimed ? 'paid' : 'failed' });
      answer(world, kind === 'unknown' ? { kind, note: 'a new status' } : { kind });
      expect(await verify(input)).toEqual({ kind: 'undecided', hopeful });
      expect(await world.attemptRows(input)).toMatchObject([{ status: 'OPEN' }]);
      expect(await world.outcomes(input)).toEqual(['IGNORED']);
    },
  );

  test('about a session that was not started is hopeful if any callback claims success', async () => {
    // An earlier decline, or no callback at all, is no reason to give up or to hope.
    const { input, attempt } = await pending();
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
    await world.callback(input, attempt, { claims: 'paid' });
    await world.callback(input, attempt, { claims: 'failed' });
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: true });
  });

  test.each(['in-progress', 'unknown'] as const)(
    'that is answered with %s decides nothing at the expiry either',
    async (kind) => {
      // The expiry alone must not end a payment that may have been charged.
      const { input } = await pending();
      answer(world, kind === 'unknown' ? { kind, note: 'a new status' } : { kind });
      expect(await verify(input, true)).toEqual({ kind: 'undecided', hopeful: true });
      expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
    },
  );

  test.each([
    [{}, true, 'expired'],
    [{ cancel_requested_at: AT }, false, 'cancelled'],
    [{ cancel_requested_at: AT }, true, 'cancelled'],
    [{ cancel_requested_at: AT, status: 'EXPIRED', ended_at: AT }, true, 'expired'],
  ])('about a session that was not started (payment: %p, final: %p) ends it as %s', async (columns, final, kind) => {
    // The gateway has no transaction of the payer's that could still succeed. If the worker died before it reported the result, a repetition gives it again.
    const { input } = await pending(columns);
    expect(await verify(input, final)).toEqual({ kind });
    expect(await world.attemptRows(input)).toMatchObject([{ status: 'CLOSED' }]);
    expect(await verify(input, final)).toEqual({ kind });
  });

  test('without an answer decides nothing, is logged whole, and confirms the charge when it is repeated', async () => {
    // A missing answer is neither success nor failure, and a later query finds the money.
    const { input, attempt } = await pending();
    await world.callback(input, attempt, { claims: 'paid' });
    const before = await world.attemptRows(input);
    world.gateway.queryAttempt = () => Promise.reject(new GatewayFailure('unavailable', 'the gateway is away'));
    await world.rows('update payments set callback_signalled_at = now() where id = ?::bigint returning 1', [
      input.paymentId,
    ]);
    await expect(verify(input)).rejects.toMatchObject({ type: 'GATEWAY_UNAVAILABLE', message: 'the gateway is away' });
    // Otherwise no callback would be signalled for a minute.
    expect(await world.paymentRow(input)).toMatchObject({ callback_signalled_at: null });
    expect(world.log).toContainEqual(expect.objectContaining({ level: 'warn', activity: 'verifyPayment' }));
    expect(await world.attemptRows(input)).toEqual(before);
    expect(await world.outcomes(input)).toEqual([null]);
    answer(world, charged(world.charge(attempt)));
    expect(await verify(input)).toEqual({ kind: 'charged' });
  });

  test('closes only the callbacks that arrived before it', async () => {
    // A callback that arrives while the gateway is answering is not signalled: the verdict says that another query has to handle it.
    const { input, attempt } = await pending();
    await world.callback(input, attempt, { claims: 'paid' });
    await world.rows('update payments set callback_signalled_at = now() where id = ?::bigint returning 1', [
      input.paymentId,
    ]);
    world.gateway.queryAttempt = async () => {
      await world.callback(input, attempt, { claims: 'paid' });
      return { kind: 'not-started' };
    };
    expect(await verify(input)).toMatchObject({ kind: 'undecided', more: true });
    expect(await world.outcomes(input)).toEqual(['IGNORED', null]);
    expect(await world.paymentRow(input)).toMatchObject({ callback_signalled_at: null });
    answer(world, { kind: 'not-started' });
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: true });
  });

  test.each(['FAILED', 'CANCELLED', 'CLOSED', 'UNKNOWN'] as const)(
    'of a slow worker does not replace a confirmation (%s)',
    async (status) => {
      // The ledger depends on the confirmation.
      const { input, attempt } = await confirmed(world);
      await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
      const before = await world.attemptRows(input);
      const scope = { applicationId: BigInt(input.applicationId), mode: input.mode };
      await world.deps.database.withScope(
        scope,
        (statements) =>
          recordAnswer(statements, {
            attempt: attempt.reference,
            answer: { status },
            outcome: 'ACCEPTED',
            newestCallbackId: 0n,
            unanswered: [],
          }),
        { oneTrip: true },
      );
      expect(await world.attemptRows(input)).toEqual(before);
    },
  );
});

describe('a query about several attempts', () => {
  test.each([
    [[{ kind: 'failed' }, { kind: 'in-progress' }], { kind: 'undecided', hopeful: true }],
    [[{ kind: 'in-progress' }, { kind: 'failed' }], { kind: 'undecided', hopeful: true }],
    [[{ kind: 'cancelled' }, { kind: 'failed' }], { kind: 'failed' }],
  ] as const)('stays undecided if one of them is, and otherwise takes the last answer: %p', async (said, verdict) => {
    // While one session can still be paid, the others must not end the payment.
    const input = await world.payment({ status: 'PENDING' });
    await world.attempt(input, { number: 1 });
    await world.attempt(input, { number: 2 });
    answer(world, ...said);
    expect(await verify(input)).toEqual(verdict);
    expect(world.gateway.asked).toHaveLength(2);
  });

  test('stops at the first charge, and moves no money after a doubtful one', async () => {
    // The first confirmed charge finalizes the payment. A doubtful charge goes to a person, unless another charge is valid.
    const input = await world.payment({ status: 'PENDING' });
    const first = await world.attempt(input, { number: 1 });
    await world.attempt(input, { number: 2 });
    answer(world, charged(world.charge(first, { riskFlagged: true })), { kind: 'failed' });
    expect(await verify(input)).toEqual({ kind: 'review', reason: 'RISK_FLAGGED' });
    expect(world.gateway.asked.map(({ mayExecute }) => mayExecute)).toEqual([true, false]);
    answer(world, charged(world.charge(first)));
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(world.gateway.asked).toHaveLength(3);
  });

  test('names to each attempt only its own callbacks', async () => {
    // A hint about one session says nothing about another.
    const input = await world.payment({ status: 'PENDING' });
    const first = await world.attempt(input, { number: 1 });
    const second = await world.attempt(input, { number: 2 });
    await world.callback(input, second, { claims: 'paid', claimedValidationId: 'V-second' });
    await verify(input);
    expect(
      world.gateway.asked.map(({ attemptReference, claimedValidationId }) => [attemptReference, claimedValidationId]),
    ).toEqual([
      [first.reference, null],
      [second.reference, 'V-second'],
    ]);
  });

  test('that have all ended gives the end of the last one, without a request', async () => {
    // A workflow that starts again must find the same end.
    for (const [status, kind] of [
      ['FAILED', 'failed'],
      ['CANCELLED', 'cancelled'],
      ['CLOSED', 'expired'],
      ['REFUSED', 'expired'],
    ]) {
      const input = await world.payment({ status: 'PENDING' });
      await world.attempt(input, { number: 1, status: 'FAILED' });
      await world.attempt(input, { number: 2, status: status ?? '' });
      expect([status, await verify(input)]).toEqual([status, { kind }]);
    }
    expect(await verify(await world.payment({ status: 'PENDING' }))).toEqual({ kind: 'expired' });
    expect(world.gateway.asked).toEqual([]);
  });

  test('of which one is confirmed makes no request', async () => {
    // The row is authoritative.
    const input = await world.payment({ status: 'PENDING' });
    await world.attempt(input, { number: 1, status: 'CONFIRMED', validationId: 'V-confirmed' });
    await world.attempt(input, { number: 2 });
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(world.gateway.asked).toEqual([]);
  });
});
