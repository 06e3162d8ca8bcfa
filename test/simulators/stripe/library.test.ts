import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Stripe } from 'stripe';
import { startStripeMock, type StripeMock } from '../../support/stripe-mock.ts';
import { errorOf, order, startStripe, type StripeWorld } from './merchant.ts';
import { until } from '../../support/until.ts';

/* The official library checks the simulator's answers, and stripe-mock checks which requests it accepts. */

const BUILD_TIMEOUT_MS = 10 * 60_000;
const EXPAND = ['payment_intent.latest_charge.balance_transaction'];

let world: StripeWorld;
let stripe: Stripe;
let mock: StripeMock;
beforeAll(async () => {
  [world, mock] = await Promise.all([startStripe(), startStripeMock()]);
  stripe = world.library();
}, BUILD_TIMEOUT_MS);
afterAll(() => Promise.all([world.close(), mock.close()]));

const create = (changes: Partial<Stripe.Checkout.SessionCreateParams> = {}, key?: string) =>
  stripe.checkout.sessions.create(order(changes), key === undefined ? {} : { idempotencyKey: key });
const read = (id: string) => stripe.checkout.sessions.retrieve(id, { expand: EXPAND });
const seconds = (minutes: number): number => Math.floor(Date.now() / 1_000) + minutes * 60;

interface Expanded {
  readonly id: string;
  readonly latest_charge: { readonly id: string; readonly balance_transaction: { fee: number; net: number } };
}

async function paid(): Promise<{ session: Stripe.Checkout.Session; intent: Expanded }> {
  const { id } = await create();
  await world.act({ id }, 'pay');
  const session = await read(id);
  return { session, intent: session.payment_intent as unknown as Expanded };
}

describe('a session', () => {
  test('is made as it was asked for, and open', async () => {
    // A merchant reads this answer first.
    const session = await create({ expires_at: seconds(45), client_reference_id: 'order-a' });
    expect(session).toMatchObject({
      object: 'checkout.session',
      status: 'open',
      payment_status: 'unpaid',
      amount_total: 1_000,
      currency: 'usd',
      client_reference_id: 'order-a',
      metadata: { order: '1' },
      livemode: false,
    });
    expect(session.url).toContain(`${world.url()}/stripe/c/pay/${session.id}`);
    expect((await read(session.id)).id).toBe(session.id);
  });

  test('that is paid shows its intent, its charge and the fee where they are expanded, and ids where not', async () => {
    // One query must return the charge together with its fee.
    const { session, intent } = await paid();
    expect(session).toMatchObject({ status: 'complete', payment_status: 'paid' });
    // 2.9 % of 10.00, plus 0.30.
    expect(intent.latest_charge.balance_transaction).toMatchObject({ fee: 59, net: 941 });
    expect((await stripe.checkout.sessions.retrieve(session.id)).payment_intent).toBe(intent.id);
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({
      status: 'succeeded',
      metadata: { order: '1' },
      latest_charge: intent.latest_charge.id,
    });
    expect(await stripe.charges.retrieve(intent.latest_charge.id)).toMatchObject({
      status: 'succeeded',
      amount: 1_000,
    });
  });

  test('may be expired while it is open, once, and is not paid afterwards', async () => {
    // A merchant closes a page on which the payer should no longer pay.
    const { id } = await create();
    expect((await stripe.checkout.sessions.expire(id)).status).toBe('expired');
    expect(await errorOf(stripe.checkout.sessions.expire(id))).toMatchObject({ statusCode: 400 });
    await world.act({ id }, 'pay');
    expect(await read(id)).toMatchObject({ status: 'expired', payment_status: 'unpaid' });
    const { session } = await paid();
    expect(await errorOf(stripe.checkout.sessions.expire(session.id))).toMatchObject({ statusCode: 400 });
  });

  test.each([
    ['29 minutes', 29, false],
    ['31 minutes', 31, true],
    ['a day less a minute', 24 * 60 - 1, true],
    ['a day and a minute', 24 * 60 + 1, false],
  ])('may live %s: %s, %s', async (_name, minutes, taken) => {
    // The documentation gives the bounds of expires_at.
    const made = create({ expires_at: seconds(minutes) });
    expect(taken ? (await made).status : (await errorOf(made))['param']).toBe(taken ? 'open' : 'expires_at');
  });

  test.each<[string, object]>([
    ['too little', { line_items: [priced(49)] }],
    ['nine digits', { line_items: [priced(100_000_000)] }],
    ['no line', { line_items: [] }],
    ['another mode', { mode: 'subscription' }],
    ['an unknown parameter', { client_reference: 'x' }],
    ['no address to return to', { success_url: 'shop' }],
  ])('for %s is refused', async (_name, changes) => {
    // Otherwise a merchant would find the mistake only in production.
    expect(await errorOf(create(changes))).toMatchObject({ rawType: 'invalid_request_error', statusCode: 400 });
  });

  test('of another account is as absent as none', async () => {
    // A key must see only its own account.
    const { id } = await create();
    const other = world.library('sk_test_other').checkout.sessions.retrieve(id);
    expect(await errorOf(other)).toMatchObject({ code: 'resource_missing', statusCode: 404 });
    const stranger = world.library('sk_test_nobody').checkout.sessions.retrieve(id);
    expect(await errorOf(stranger)).toMatchObject({ type: 'StripeAuthenticationError', statusCode: 401 });
  });
});

function priced(unitAmount: number): Stripe.Checkout.SessionCreateParams.LineItem {
  return { quantity: 1, price_data: { currency: 'usd', unit_amount: unitAmount, product_data: { name: 'A book' } } };
}

describe('a key', () => {
  test('answers its first result again, and makes nothing twice', async () => {
    // A merchant repeats requests after a lost answer.
    const asked = { expires_at: seconds(60), client_reference_id: 'order-k' };
    const first = await create(asked, 'key-1');
    const second = await create(asked, 'key-1');
    expect(second.id).toBe(first.id);
    expect(world.replayed.slice(-2)).toEqual([false, true]);
    const changed = create({ ...asked, client_reference_id: 'order-l' }, 'key-1');
    expect(await errorOf(changed)).toMatchObject({ rawType: 'idempotency_error', statusCode: 400 });
  });

  test('repeats the gateway’s own failure', async () => {
    // At Stripe, a 500 is stored as the key's result too.
    await world.script('create-500');
    const asked = { client_reference_id: 'order-m' };
    expect(await errorOf(create(asked, 'key-2'))).toMatchObject({ statusCode: 500 });
    expect(await errorOf(create(asked, 'key-2'))).toMatchObject({ statusCode: 500 });
    expect(world.replayed.slice(-2)).toEqual([false, true]);
    expect((await create(asked, 'key-3')).status).toBe('open');
  });

  test('whose request is still at work is a conflict', async () => {
    // Two workers of a merchant can send the same request at once.
    await world.script('create-slow');
    const both = [1, 2].map(() => create({ client_reference_id: 'slow-1' }, 'key-4'));
    const settled = await Promise.allSettled(both);
    expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = settled.find(({ status }) => status === 'rejected');
    expect(refused).toMatchObject({ reason: { statusCode: 409 } });
  });

  test('that never passed the checks keeps nothing', async () => {
    // A merchant must be able to correct its request under the same key.
    const at = seconds(60);
    await errorOf(create({ expires_at: seconds(1) }, 'key-5'));
    expect((await create({ expires_at: at }, 'key-5')).status).toBe('open');
  });
});

describe('a refund', () => {
  test('is whole, or in parts up to the whole, and never more', async () => {
    // Otherwise a merchant could refund more than the charge.
    const { intent } = await paid();
    const part = await stripe.refunds.create({ payment_intent: intent.id, amount: 400, metadata: { n: '1' } });
    expect(part).toMatchObject({ status: 'succeeded', amount: 400, currency: 'usd', payment_intent: intent.id });
    const over = stripe.refunds.create({ payment_intent: intent.id, amount: 601 });
    expect(await errorOf(over)).toMatchObject({ statusCode: 400 });
    expect(await stripe.refunds.create({ charge: intent.latest_charge.id })).toMatchObject({ amount: 600 });
    const again = stripe.refunds.create({ payment_intent: intent.id });
    expect(await errorOf(again)).toMatchObject({ code: 'charge_already_refunded' });
    const listed = await stripe.refunds.list({ payment_intent: intent.id, limit: 1 });
    expect(listed).toMatchObject({ has_more: true, data: [{ amount: 600 }] });
    const next = await stripe.refunds.list({ payment_intent: intent.id, starting_after: listed.data[0]?.id ?? '' });
    expect(next.data.map(({ id }) => id)).toEqual([part.id]);
  });

  test.each([
    ['refund-pending', 'succeeded'],
    ['refund-failed', 'failed'],
  ])('may be pending first: %s ends as %s', async (script, end) => {
    // A refund can wait for the payer's bank.
    await world.script(script);
    const { intent } = await paid();
    const { id, status } = await stripe.refunds.create({ payment_intent: intent.id });
    expect(status).toBe('pending');
    const ended = await until(async () => {
      const refund = await stripe.refunds.retrieve(id);
      return refund.status === 'pending' ? undefined : refund.status;
    });
    expect(ended).toBe(end);
  });
});

test('what was told survives a restart, and money moved once', async () => {
  // Proofs that kill processes rely on the journal and the charge log.
  const { session, intent } = await paid();
  const refund = await stripe.refunds.create({ payment_intent: intent.id, amount: 100 }, { idempotencyKey: 'key-6' });
  await world.restart();
  stripe = world.library();
  expect(await read(session.id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
  const again = await stripe.refunds.create({ payment_intent: intent.id, amount: 100 }, { idempotencyKey: 'key-6' });
  expect(again.id).toBe(refund.id);
  const kinds = (await world.charges()).filter((line) => JSON.stringify(line).includes(session.id));
  expect(kinds.filter(({ kind }) => kind === 'charge')).toHaveLength(1);
});

test('every request that was taken is one that Stripe’s own reading of its API takes', async () => {
  // Otherwise the simulator could accept requests that the gateway refuses. This test runs last, because it checks the requests of the tests above.
  const verdicts: string[] = [];
  for (const request of world.asked) {
    const problem = await mock.judge(request);
    if (problem !== null) {
      verdicts.push(`${request.method} ${request.path} ${request.body}: ${problem}`);
    }
  }
  expect(world.asked.length).toBeGreaterThan(40);
  // Both refuse the one invented parameter above.
  expect(verdicts.filter((verdict) => !verdict.includes('client_reference='))).toEqual([]);
});
