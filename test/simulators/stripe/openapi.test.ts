import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Stripe } from 'stripe';
import { until } from '../../support/until.ts';
import { readStripeSpec, type StripeSpec } from '../../support/stripe-spec.ts';
import { order, startStripe, type Json, type StripeWorld } from './merchant.ts';

/* Checks every object that the simulator returns against Stripe's own OpenAPI document. */

const READ_TIMEOUT_MS = 5 * 60_000;

let world: StripeWorld;
let stripe: Stripe;
let spec: StripeSpec;
beforeAll(async () => {
  [world, spec] = await Promise.all([startStripe(), readStripeSpec()]);
  stripe = world.library();
}, READ_TIMEOUT_MS);
afterAll(() => world.close());
beforeEach(() => {
  world.posted.length = 0;
});

const EVERYTHING = ['payment_intent.latest_charge.balance_transaction'];
const create = (): Promise<Stripe.Checkout.Session> => stripe.checkout.sessions.create(order());
const events = (): Json[] => world.posted.map(({ body }) => JSON.parse(body) as Json);
const ofType = (type: string): Json[] => events().filter((event) => event['type'] === type);
const dataOf = (type: string): unknown => ofType(type).at(-1)?.['data'];

test('the judge finds what is missing, of another type, or no word of Stripe’s', () => {
  // A check that accepts everything would prove nothing.
  expect(spec.findings('refund', { amount: '1', created: 1, currency: 'bdt', object: 'charge' })).toEqual([
    'refund.id is missing',
    'refund.amount is "1", and not integer',
    'refund.object is "charge", and not one of its words',
  ]);
  expect(spec.findings('checkout.session', { id: 'cs_1' })).toContain('checkout.session.shipping_options is missing');
});

test('a session is whole in each of its states', async () => {
  // Typed clients reject an object without a required member.
  const open = await create();
  expect(spec.findings('checkout.session', open)).toEqual([]);
  await world.act(open, 'pay');
  expect(spec.findings('checkout.session', await stripe.checkout.sessions.retrieve(open.id))).toEqual([]);
  const expired = await stripe.checkout.sessions.expire((await create()).id);
  expect(spec.findings('checkout.session', expired)).toEqual([]);
});

test.each([
  ['card', {}],
  ['bank account', { method: 'bank' }],
])('what a %s has paid is whole, expanded to the end', async (_name, body) => {
  // A charge, its intent and its balance transaction, each nested in the one before.
  const session = await create();
  await world.act(session, 'pay', body);
  const read = async () => stripe.checkout.sessions.retrieve(session.id, { expand: EVERYTHING });
  await until(async () => (await read()).payment_status === 'paid');
  const paid = await read();
  expect(spec.findings('checkout.session', paid)).toEqual([]);
  const intent = typeof paid.payment_intent === 'object' ? paid.payment_intent : null;
  const charge = typeof intent?.latest_charge === 'object' ? intent.latest_charge : null;
  expect(spec.findings('payment_intent', intent)).toEqual([]);
  expect(spec.findings('charge', charge)).toEqual([]);
  expect(spec.findings('balance_transaction', charge?.balance_transaction)).toEqual([]);
});

test('refunds, their list and errors are whole', async () => {
  // A merchant reads these after the payment.
  const session = await create();
  await world.act(session, 'pay');
  const { payment_intent: intent } = await stripe.checkout.sessions.retrieve(session.id);
  const refund = await stripe.refunds.create({ payment_intent: String(intent), amount: 100 });
  const { data } = await stripe.refunds.list({ payment_intent: String(intent) });
  for (const one of [refund, await stripe.refunds.retrieve(refund.id), ...data]) {
    expect(spec.findings('refund', one)).toEqual([]);
  }
  const answer = await fetch(`${world.url()}/v1/refunds`, { headers: { authorization: 'Bearer wrong' } });
  expect(spec.findings('error', await answer.json())).toEqual([]);
});

test('events are whole, and those of a change tell what was there before', async () => {
  // A receiver that reads only previous_attributes must see the change.
  await world.script('refund-pending');
  const session = await create();
  await world.act(session, 'pay');
  const { payment_intent: intent } = await stripe.checkout.sessions.retrieve(session.id);
  await stripe.refunds.create({ payment_intent: String(intent), amount: 100 });
  await until(() => ofType('refund.updated').length > 0);
  await stripe.refunds.create({ payment_intent: String(intent) });
  // Events of earlier tests may still be on their way.
  const refundsTold = (): { object: Json }[] =>
    ofType('charge.refunded')
      .map(({ data }) => data as { object: Json })
      .filter(({ object }) => object['payment_intent'] === intent);
  await until(() => refundsTold().length > 1);
  for (const event of events()) {
    expect(spec.findings('event', event)).toEqual([]);
    const { object } = event['data'] as { object: Json };
    expect(spec.findings(String(object['object']), object)).toEqual([]);
  }
  const refunds = refundsTold();
  // The order is not defined.
  expect(refunds).toContainEqual({
    object: expect.objectContaining({ amount_refunded: 100, refunded: false }),
    previous_attributes: { amount_refunded: 0 },
  });
  expect(refunds).toContainEqual({
    object: expect.objectContaining({ amount_refunded: 1_000, refunded: true }),
    previous_attributes: { amount_refunded: 100, refunded: false },
  });
  expect(dataOf('refund.updated')).toMatchObject({
    object: { status: 'succeeded' },
    previous_attributes: { status: 'pending' },
  });
  for (const type of ['checkout.session.completed', 'charge.succeeded', 'refund.created']) {
    expect(dataOf(type)).not.toHaveProperty('previous_attributes');
  }
});
