import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GatewayFailure, type AttemptHandle } from '../../gateways/port.ts';
import {
  EXPIRED,
  HANDLE,
  HANG,
  json,
  OPEN,
  REFERENCE,
  refusal,
  session,
  SESSION_ID,
  startScriptedStripe,
  text,
  type ScriptedStripe,
  type SessionChanges,
} from './stripe-world.ts';

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await startScriptedStripe();
});
afterAll(() => stripe.close());

const ask = (changes: Partial<AttemptHandle> = {}) => stripe.gateway.queryAttempt({ ...HANDLE, ...changes });
const close = (changes: Partial<AttemptHandle> = {}) => stripe.gateway.closeSession?.({ ...HANDLE, ...changes });
const unpaid = (intent: SessionChanges['intent'] = {}): SessionChanges => ({
  session: { payment_status: 'unpaid' },
  intent: { status: 'processing', ...intent },
});

describe('a session that is', () => {
  test.each<[string, SessionChanges, object]>([
    ['open', { session: { status: 'open', payment_status: 'unpaid' } }, { kind: 'not-started' }],
    ['open and paid', { session: { status: 'open' } }, { kind: 'not-started' }],
    ['expired', { session: { status: 'expired', payment_status: 'unpaid' } }, { kind: 'expired' }],
    ['complete and unpaid', unpaid(), { kind: 'in-progress' }],
    [
      'complete, unpaid, its intent a mere id',
      { session: { payment_status: 'unpaid', payment_intent: 'pi_1' } },
      { kind: 'in-progress' },
    ],
    [
      'complete and unpaid, waiting for a method',
      unpaid({ status: 'requires_payment_method' }),
      { kind: 'in-progress' },
    ],
    [
      'complete and unpaid after an error',
      unpaid({ status: 'requires_payment_method', last_payment_error: { code: 'x' } }),
      { kind: 'failed' },
    ],
    ['complete and unpaid, its intent canceled', unpaid({ status: 'canceled' }), { kind: 'failed' }],
    [
      'complete without a payment',
      { session: { payment_status: 'no_payment_required' } },
      { kind: 'unknown', note: 'UNKNOWN_PAYMENT_STATUS' },
    ],
    ['something new', { session: { status: 'held' } }, { kind: 'unknown', note: 'UNKNOWN_STATUS' }],
    ['nothing', { session: { status: null } }, { kind: 'unknown', note: 'UNKNOWN_STATUS' }],
  ])('%s is read for that and no more', async (_name, changes, answer) => {
    // Only complete and paid together mean that money moved.
    stripe.answer(session(changes));
    expect(await ask()).toEqual(answer);
  });

  test('paid is a charge with its fee, asked for with all that proves it', async () => {
    // One answer contains the session, the intent, the charge and the balance transaction. It is stored unchanged.
    stripe.answer(session());
    const answer = await ask();
    expect(answer).toMatchObject({
      kind: 'charged',
      charge: {
        validationId: SESSION_ID,
        gatewayTxnId: 'pi_1',
        attemptReference: REFERENCE,
        orderAmountMinor: 1_050n,
        orderCurrency: 'USD',
        grossMinor: 1_050n,
        currency: 'USD',
        feeMinor: 60n,
        netText: '9.90',
        riskFlagged: false,
      },
    });
    expect(answer.kind === 'charged' && JSON.parse(answer.charge.evidence)).toMatchObject({ id: SESSION_ID });
    const [{ call, query } = { call: '', query: new URLSearchParams() }] = stripe.state.asked;
    expect(call).toBe(`GET /v1/checkout/sessions/${SESSION_ID}`);
    expect([...query.values()]).toEqual(['payment_intent.latest_charge.balance_transaction']);
  });

  test.each<[string, SessionChanges]>([
    ['in another currency', { charge: { balance_transaction: { currency: 'eur', fee: 60, net: 990 } } }],
    ['not yet', { charge: { balance_transaction: null } }],
    ['by its id alone', { charge: { balance_transaction: 'txn_1' } }],
    ['for more than was charged', { charge: { balance_transaction: { currency: 'usd', fee: 1_051, net: -1 } } }],
  ])('paid, and booked %s, has a fee that the settlement tells', async (_name, changes) => {
    // The fee may be in another currency or unknown. It is never guessed, and a fee that cannot be posted must not block the payment.
    stripe.answer(session(changes));
    expect(await ask()).toMatchObject({ kind: 'charged', charge: { feeMinor: 0n, netText: '' } });
  });

  test('paid, and booked for no more than its fee, has that fee', async () => {
    // Stripe may keep the whole amount, but never more.
    stripe.answer(session({ charge: { balance_transaction: { currency: 'usd', fee: 1_050, net: 0 } } }));
    expect(await ask()).toMatchObject({ kind: 'charged', charge: { feeMinor: 1_050n, netText: '0.00' } });
  });

  test.each(['elevated', 'highest'])('paid with the risk %s is flagged', async (level) => {
    // A person has to look at the payment before it is finalized.
    stripe.answer(session({ charge: { outcome: { risk_level: level } } }));
    expect(await ask()).toMatchObject({ charge: { riskFlagged: true } });
  });

  test.each<[string, SessionChanges]>([
    ['no intent', { session: { payment_intent: null } }],
    ['an intent by its id', { session: { payment_intent: 'pi_1' } }],
    ['no charge', { intent: { latest_charge: null } }],
    ['a charge by its id', { intent: { latest_charge: 'ch_1' } }],
    ['a charge that failed', { charge: { status: 'failed' } }],
    ['a charge that is pending', { charge: { status: 'pending' } }],
    ['a charge that is only authorised', { charge: { captured: false } }],
    ['an intent that is not done', { intent: { status: 'requires_capture' } }],
  ])('called paid and shows %s proves nothing', async (_name, changes) => {
    // A status without its charge is queried again.
    stripe.answer(session(changes));
    await expect(ask()).rejects.toMatchObject({ kind: 'ambiguous' });
  });

  test('another one than was asked for is no answer', async () => {
    // A wrong answer from a cache or proxy must not pay a payment.
    stripe.answer(session({ session: { id: 'cs_test_other' } }));
    await expect(ask()).rejects.toMatchObject({ kind: 'ambiguous' });
  });
});

describe('a session whose key was lost', () => {
  test('is found by the one that a signed event names', async () => {
    // The page was created, its answer was lost, and the payer paid on it.
    stripe.answer(session());
    expect(await ask({ sessionKey: null, claimedValidationId: SESSION_ID })).toMatchObject({ kind: 'charged' });
  });

  test('is none of another attempt’s', async () => {
    // An event can name any session.
    stripe.answer(session({ session: { client_reference_id: 'ZZZZZZZZZZZZZZZZZZZZ' } }));
    expect(await ask({ sessionKey: null, claimedValidationId: SESSION_ID })).toEqual({ kind: 'not-started' });
  });

  test.each([null, '../../v1/refunds', 'cs_1?x=1', 'pi_1'])(
    'and is named %p is asked for by no such name',
    async (claimed) => {
      // A value from a callback must never become part of a path.
      stripe.answer(refusal({ code: 'resource_missing' }, 404));
      expect(await ask({ sessionKey: null, claimedValidationId: claimed })).toEqual({ kind: 'not-started' });
      expect(stripe.calls()).toEqual([`GET /v1/checkout/sessions/cs_${REFERENCE}`]);
    },
  );

  test('and that is known already is not asked about', async () => {
    // Each session has one charge.
    stripe.answer(session());
    expect(await ask({ knownValidationIds: [SESSION_ID] })).toEqual({ kind: 'not-started' });
    expect(stripe.calls()).toEqual([]);
  });

  test('at the gateway, though we have it, is unknown', async () => {
    // The key may belong to another account by now, so it is unknown whether the payer paid.
    stripe.answer(refusal({ code: 'resource_missing' }, 404));
    expect(await ask()).toEqual({ kind: 'unknown', note: 'SESSION_NOT_FOUND' });
  });
});

describe('an answer that is none', () => {
  test.each([
    ['HTML', text('<html>'), 'ambiguous'],
    ['nothing', text(''), 'ambiguous'],
    ['a list', json([]), 'ambiguous'],
    ['another object', json({ id: SESSION_ID }), 'ambiguous'],
    ['an error with 200', json({ error: { type: 'api_error' } }), 'ambiguous'],
    ['a session with 400', json({ id: SESSION_ID }, 400), 'ambiguous'],
    ['502', text('', 502), 'ambiguous'],
    ['a redirect', text('', 302), 'ambiguous'],
    ['409', refusal({ type: 'idempotency_error' }, 409), 'ambiguous'],
    ['a refusal', refusal({ code: 'parameter_unknown' }), 'ambiguous'],
    ['silence', HANG, 'ambiguous'],
    ['401', refusal({}, 401), 'unauthorized'],
    ['403', refusal({}, 403), 'unauthorized'],
    ['429', refusal({ code: 'rate_limit' }, 429), 'rate-limited'],
  ])('as %s decides nothing', async (_name, reply, kind) => {
    // Only a `GatewayFailure` tells the caller that nothing was decided, so the library's own errors must be converted.
    stripe.answer(reply);
    const failure = await stripe.expectSilence(ask).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(GatewayFailure);
    expect(failure).toMatchObject({ kind });
    expect(stripe.calls()).toHaveLength(1);
  });
});

describe('closing', () => {
  const EXPIRE = `POST /v1/checkout/sessions/${SESSION_ID}/expire`;
  const RETRIEVE = `GET /v1/checkout/sessions/${SESSION_ID}`;
  const refused = refusal({}, 400);

  test('expires an open session', async () => {
    // The payer cannot pay in an expired session.
    stripe.answer(EXPIRED);
    expect(await close()).toBe('closed');
    expect(stripe.calls()).toEqual([EXPIRE]);
  });

  test.each([
    ['expired', EXPIRED, 'closed'],
    ['paid', session(), 'charged'],
    ['waiting for its money', session(unpaid()), 'unknown'],
    ['ended without money', session(unpaid({ status: 'canceled' })), 'closed'],
    ['open all the same', OPEN, 'unknown'],
    ['not to be found', refusal({ code: 'resource_missing' }, 404), 'unknown'],
    ['another one', session({ session: { id: 'cs_test_other', status: 'expired' } }), 'unknown'],
  ])('what cannot be closed any more looks how it stands: %s', async (_name, reply, outcome) => {
    // Only a session that is certainly over counts as closed.
    stripe.answer(refused, reply);
    expect(await close()).toBe(outcome);
    expect(stripe.calls()).toEqual([EXPIRE, RETRIEVE]);
  });

  test('does not take an open session for a closed one', async () => {
    // A response of 200 does not prove that the session is closed.
    stripe.answer(OPEN, OPEN);
    expect(await close()).toBe('unknown');
  });

  test('a session that was never known asks nobody', async () => {
    // No payer has its address.
    stripe.answer();
    expect(await close({ sessionKey: null })).toBe('closed');
    expect(stripe.calls()).toEqual([]);
  });

  test('throws when the gateway cannot be asked', async () => {
    // The request may or may not have been carried out.
    stripe.answer(HANG);
    await expect(stripe.expectSilence(async () => close())).rejects.toMatchObject({ kind: 'ambiguous' });
  });
});
