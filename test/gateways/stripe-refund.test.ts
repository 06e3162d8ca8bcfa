import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RefundRequest } from '../../gateways/port.ts';
import {
  HANG,
  json,
  refusal,
  SESSION_ID,
  startScriptedStripe,
  text,
  type Body,
  type Reply,
  type ScriptedStripe,
} from './stripe-world.ts';

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await startScriptedStripe();
});
afterAll(() => stripe.close());

const REQUEST: RefundRequest = {
  refundReference: 'rfnd_1',
  gatewayTxnId: 'pi_1',
  validationId: SESSION_ID,
  amount: { amountMinor: 400n, currency: 'USD' },
  remarks: 'Refund',
  queriedBefore: false,
  queriedAgoMs: null,
  otherRefunds: 0,
};
const bodyOf = (changes: Body = {}): Body => ({
  id: 're_1',
  object: 'refund',
  status: 'succeeded',
  amount: 400,
  currency: 'usd',
  payment_intent: 'pi_1',
  metadata: { refund_reference: 'rfnd_1' },
  ...changes,
});
const made = (changes: Body = {}): Reply => json(bodyOf(changes));
const listed = (refunds: readonly Body[], more = false): Reply =>
  json({ object: 'list', url: '/v1/refunds', data: refunds, has_more: more });
const refund = (changes: Partial<RefundRequest> = {}) => stripe.gateway.refund({ ...REQUEST, ...changes });
const CREATE = 'POST /v1/refunds';
const LIST = 'GET /v1/refunds';

describe('a refund', () => {
  test('is asked for by the intent, under our reference as the key', async () => {
    // Every retry uses the same key, so that a lost answer does not cause a second refund.
    stripe.answer(made());
    expect(await refund()).toMatchObject({ kind: 'accepted', gatewayRefundId: 're_1' });
    const [asked] = stripe.state.asked;
    expect(asked?.call).toBe(CREATE);
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({
      payment_intent: 'pi_1',
      amount: '400',
      reason: 'requested_by_customer',
      'metadata[refund_reference]': 'rfnd_1',
    });
    expect(asked?.headers['idempotency-key']).toBe('rfnd_1');
  });

  test.each([
    ['pending', 'accepted'],
    ['requires_action', 'accepted'],
    ['succeeded', 'accepted'],
    ['failed', 'refused'],
    ['canceled', 'refused'],
  ])('that is %s at once is %s', async (status, kind) => {
    // A refund that failed or was cancelled has ended. The result of any other is queried later.
    stripe.answer(made({ status }));
    expect((await refund()).kind).toBe(kind);
  });

  test.each<[string, Body]>([
    ['another amount', { amount: 401 }],
    ['another currency', { currency: 'eur' }],
    ['another payment', { payment_intent: 'pi_2' }],
  ])('that is answered by one of %s is in doubt', async (_name, changes) => {
    // The answer to a key that was used for something else must not complete this refund.
    stripe.answer(made(changes));
    await expect(refund()).rejects.toMatchObject({ kind: 'ambiguous' });
  });

  test.each([
    [
      'too much',
      refusal({ code: 'charge_already_refunded' }),
      { kind: 'refused', gatewayText: 'code charge_already_refunded' },
    ],
    [
      'a disputed charge',
      refusal({ code: 'charge_disputed' }),
      { kind: 'refused', gatewayText: 'code charge_disputed' },
    ],
  ])('of %s is refused in our words', async (_name, reply, outcome) => {
    // The refusal is a code of Lenden's, not the gateway's text.
    stripe.answer(reply);
    expect(await refund()).toMatchObject(outcome);
  });

  test.each([
    ['the key for something else', refusal({ type: 'idempotency_error' }), 'ambiguous'],
    ['the key still at work', refusal({ type: 'idempotency_error' }, 409), 'ambiguous'],
    ['HTTP 500', text('', 500), 'ambiguous'],
    ['a failure that the key repeats', json({ error: {} }, 500, { 'idempotent-replayed': 'true' }), 'ambiguous'],
    ['silence', HANG, 'ambiguous'],
    ['no such payment', refusal({ code: 'resource_missing' }, 404), 'unauthorized'],
    ['401', refusal({}, 401), 'unauthorized'],
    ['429', refusal({}, 429), 'rate-limited'],
  ])('is not decided by %s', async (_name, reply, kind) => {
    // The refund may already be on its way.
    stripe.answer(reply);
    await expect(stripe.expectSilence(refund)).rejects.toMatchObject({ kind });
    expect(stripe.calls()).toEqual([CREATE]);
  });

  test('that was asked for before is looked for by our reference, page by page, and found', async () => {
    // Stripe forgets keys after a day, but the refund keeps Lenden's reference.
    const others = Array.from({ length: 100 }, (_, n) => bodyOf({ id: `re_x${n}`, metadata: {} }));
    stripe.answer(listed(others, true), listed([bodyOf({ id: 're_7' })]));
    expect(await refund({ queriedBefore: true })).toMatchObject({ kind: 'accepted', gatewayRefundId: 're_7' });
    expect(stripe.calls()).toEqual([LIST, LIST]);
    const [first, second] = stripe.state.asked;
    expect(Object.fromEntries(first?.query ?? [])).toEqual({ payment_intent: 'pi_1', limit: '100' });
    expect(second?.query.get('starting_after')).toBe('re_x99');
  });

  test('that was asked for before, and is not there, is asked for under the same key', async () => {
    // The request never arrived, or it failed. The key still prevents a second refund.
    stripe.answer(listed([bodyOf({ metadata: { refund_reference: 'rfnd_2' } })]), made());
    expect(await refund({ queriedBefore: true })).toMatchObject({ kind: 'accepted' });
    expect(stripe.calls()).toEqual([LIST, CREATE]);
    expect(stripe.state.asked[1]?.headers['idempotency-key']).toBe('rfnd_1');
  });

  test('is not made a second time while nobody can say whether it was made', async () => {
    // A list that fails or never ends is not an answer.
    stripe.answer(refusal({ code: 'resource_missing' }, 404));
    await expect(refund({ queriedBefore: true })).rejects.toMatchObject({ kind: 'ambiguous' });
    stripe.answer(listed([bodyOf({ metadata: {} })], true));
    await expect(refund({ queriedBefore: true })).rejects.toMatchObject({ kind: 'ambiguous' });
    expect(stripe.calls()).toEqual(Array.from({ length: 10 }, () => LIST));
  });

  test('of an amount that Stripe cannot count is refused and asks nobody', async () => {
    // In KWD, Stripe takes only amounts that are a multiple of ten fils.
    stripe.answer(made());
    expect(await refund({ amount: { amountMinor: 1_001n, currency: 'KWD' } })).toMatchObject({ kind: 'refused' });
    expect(stripe.calls()).toEqual([]);
  });
});

describe('the question how a refund stands', () => {
  const ask = () => stripe.gateway.queryRefund('re_1', REQUEST);

  test.each([
    ['succeeded', { kind: 'refunded' }],
    ['pending', { kind: 'processing', gatewayRefundId: 're_1' }],
    ['requires_action', { kind: 'processing', gatewayRefundId: 're_1' }],
    ['failed', { kind: 'refused', gatewayText: 'status failed' }],
    ['canceled', { kind: 'refused', gatewayText: 'status canceled' }],
    ['held', { kind: 'unknown', note: 'UNKNOWN_STATUS' }],
    [null, { kind: 'unknown', note: 'UNKNOWN_STATUS' }],
  ])('is answered by the status %p', async (status, outcome) => {
    // An unknown status must not end a refund.
    stripe.answer(made({ status }));
    expect(await ask()).toMatchObject(outcome);
    expect(stripe.calls()).toEqual(['GET /v1/refunds/re_1']);
  });

  test.each<[string, Reply, string]>([
    ['is not there', refusal({ code: 'resource_missing' }, 404), 'REFUND_NOT_FOUND'],
    ['is another one', made({ id: 're_2' }), 'ANOTHER_REFUND'],
    ['is another payment’s', made({ payment_intent: 'pi_2' }), 'ANOTHER_REFUND'],
  ])('is not answered by one that %s', async (_name, reply, note) => {
    // A refund that is not found has not failed.
    stripe.answer(reply);
    expect(await ask()).toEqual({ kind: 'unknown', note });
  });

  test('fails where the gateway cannot be understood', async () => {
    // The query is repeated.
    stripe.answer(refusal({ code: 'parameter_unknown' }));
    await expect(ask()).rejects.toMatchObject({ kind: 'ambiguous' });
  });
});
