import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { json, refusal, startScriptedStripe, text, type Body, type ScriptedStripe } from './stripe-world.ts';

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await startScriptedStripe();
});
afterAll(() => stripe.close());

const bodyOf = (changes: Body = {}): Body => ({
  id: 'dp_1',
  object: 'dispute',
  amount: 1_050,
  currency: 'usd',
  status: 'needs_response',
  reason: 'fraudulent',
  payment_intent: 'pi_1',
  evidence_details: { due_by: 1_795_255_200 },
  ...changes,
});
const query = () => stripe.gateway.queryDispute?.('dp_1');

describe('a dispute', () => {
  test('is read by its id, with what the shop has to know', async () => {
    stripe.answer(json(bodyOf()));
    expect(await query()).toMatchObject({
      disputeId: 'dp_1',
      gatewayTxnId: 'pi_1',
      status: 'OPEN',
      gatewayStatus: 'needs_response',
      reason: 'fraudulent',
      amountMinor: 1_050n,
      currency: 'USD',
      respondBy: new Date('2026-11-21T10:00:00.000Z'),
    });
    expect(stripe.state.asked.map(({ call }) => call)).toEqual(['GET /v1/disputes/dp_1']);
  });

  test.each([
    ['warning_needs_response', 'OPEN'],
    ['warning_under_review', 'OPEN'],
    ['warning_closed', 'CLOSED'],
    ['needs_response', 'OPEN'],
    ['under_review', 'OPEN'],
    ['prevented', 'CLOSED'],
    ['won', 'WON'],
    ['lost', 'LOST'],
    ['a_word_of_tomorrow', 'OPEN'],
  ])('that is %s is %s', async (word, status) => {
    // A word that nobody knows must not end a dispute.
    stripe.answer(json(bodyOf({ status: word })));
    expect(await query()).toMatchObject({ status, gatewayStatus: word });
  });

  test('may name its charge as an object, or none, and have no date', async () => {
    stripe.answer(json(bodyOf({ payment_intent: { id: 'pi_2' }, evidence_details: { due_by: null }, reason: null })));
    expect(await query()).toMatchObject({ gatewayTxnId: 'pi_2', respondBy: null, reason: null });
    stripe.answer(json(bodyOf({ payment_intent: null })));
    expect(await query()).toMatchObject({ gatewayTxnId: null });
  });

  test('that the account does not have is none', async () => {
    stripe.answer(refusal({ code: 'resource_missing' }, 404));
    expect(await query()).toBeNull();
  });

  test.each([
    ['another dispute', json(bodyOf({ id: 'dp_2' }))],
    ['an amount below nothing', json(bodyOf({ amount: -1 }))],
    ['a currency that nobody knows', json(bodyOf({ currency: 'zzz' }))],
    ['another object', json(bodyOf({ object: 'charge' }))],
    ['a refusal', refusal({ code: 'parameter_invalid' }, 400)],
    ['no answer', text('', 500)],
  ])('is unknown after %s', async (_name, reply) => {
    // Nothing is stored of an answer that cannot be read.
    stripe.answer(reply);
    await expect(query()).rejects.toMatchObject({ name: 'GatewayFailure' });
  });
});

describe('the list of disputes', () => {
  const since = new Date('2026-11-21T10:00:00.500Z');
  const list = (after: string | null) => stripe.gateway.listDisputes?.({ since, after });
  const page = (ids: readonly string[], more: boolean) =>
    json({ object: 'list', url: '/v1/disputes', has_more: more, data: ids.map((id) => bodyOf({ id })) });

  test('is read page by page, from a second on', async () => {
    // A dispute of the very second of the dump may be missing in it.
    stripe.answer(page(['dp_3', 'dp_2'], true));
    const first = await list(null);
    expect(first).toEqual({
      disputes: [
        { disputeId: 'dp_3', gatewayTxnId: 'pi_1' },
        { disputeId: 'dp_2', gatewayTxnId: 'pi_1' },
      ],
      next: 'dp_2',
    });
    stripe.answer(page(['dp_1'], false));
    expect(await list(first?.next ?? null)).toMatchObject({ disputes: [{ disputeId: 'dp_1' }], next: null });
    expect(stripe.state.asked.map(({ call, query: asked }) => [call, Object.fromEntries(asked)])).toEqual([
      ['GET /v1/disputes', { 'created[gte]': '1795255200', limit: '50', starting_after: 'dp_2' }],
    ]);
  });

  test.each([
    ['another object', json({ object: 'charge' })],
    ['a dispute without an id', json({ object: 'list', has_more: false, data: [{ object: 'dispute' }] })],
    ['a refusal', refusal({ code: 'parameter_invalid' }, 400)],
    ['no answer', text('', 500)],
  ])('is unknown after %s', async (_name, reply) => {
    // A list that cannot be read is no empty list.
    stripe.answer(reply);
    await expect(list(null)).rejects.toMatchObject({ name: 'GatewayFailure' });
  });
});
