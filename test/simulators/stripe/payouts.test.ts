import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stripe } from 'stripe';
import { startStripeMock, type StripeMock } from '../../support/stripe-mock.ts';
import { readStripeSpec, type StripeSpec } from '../../support/stripe-spec.ts';
import { until } from '../../support/until.ts';
import { errorOf, order, startStripe, WEBHOOK_SECRET, type Json, type StripeWorld } from './merchant.ts';

/* Stripe's own library reads the simulator's payouts, and Stripe's own OpenAPI document checks them. */

const BUILD_TIMEOUT_MS = 10 * 60_000;

let world: StripeWorld;
let stripe: Stripe;
let spec: StripeSpec;
let mock: StripeMock;
beforeAll(async () => {
  [world, spec, mock] = await Promise.all([startStripe(), readStripeSpec(), startStripeMock()]);
  stripe = world.library();
}, BUILD_TIMEOUT_MS);
afterAll(() => Promise.all([world.close(), mock.close()]));

interface Made {
  readonly payouts: readonly { readonly id: string; readonly amount: string; readonly currency: string }[];
}

const payOut = async (body: object = {}): Promise<Made> =>
  (await world.control('POST', 'stripe/payouts', body)) as Made;

async function sell(script?: string): Promise<string> {
  if (script !== undefined) {
    await world.script(script);
  }
  const { id } = await stripe.checkout.sessions.create(order());
  await world.act({ id }, 'pay');
  const { payment_intent: intent } = await stripe.checkout.sessions.retrieve(id);
  return String(intent);
}

/** Every transaction of a payout, by the library's own paging. */
async function transactionsOf(payout: string): Promise<Stripe.BalanceTransaction[]> {
  const found: Stripe.BalanceTransaction[] = [];
  for await (const one of stripe.balanceTransactions.list({ payout, limit: 2, expand: ['data.source'] })) {
    found.push(one);
  }
  return found;
}

const eventsOf = (type: string): Json[] =>
  world.posted.map(({ body }) => JSON.parse(body) as Json).filter((event) => event['type'] === type);
const objectOf = (event: Json | undefined): Json => (event?.['data'] as { object: Json } | undefined)?.object ?? {};

describe('a payout', () => {
  test('consists of its transactions and of itself, which add up to nothing', async () => {
    // So Stripe lists it: the payout's own transaction takes away what the others add.
    const intents = [await sell(), await sell(), await sell()];
    await stripe.refunds.create({ payment_intent: intents[0] ?? '', amount: 300 });
    const { payouts } = await payOut({ spreadDays: 2 });
    const listed = await stripe.payouts.list({ limit: 1 }).autoPagingToArray({ limit: 100 });
    expect(listed.map(({ id }) => id).toSorted()).toEqual(payouts.map(({ id }) => id).toSorted());
    const seen: string[] = [];
    for (const payout of listed) {
      const transactions = await transactionsOf(payout.id);
      expect(transactions.reduce((sum, { net }) => sum + net, 0)).toBe(0);
      expect(transactions.filter(({ type }) => type === 'payout').map(({ net }) => net)).toEqual([-payout.amount]);
      const sources = transactions.map(({ source }) => source as unknown as Json);
      seen.push(
        ...sources.flatMap((source) => (source['object'] === 'charge' ? String(source['payment_intent']) : [])),
      );
      expect(spec.findings('payout', payout)).toEqual([]);
      for (const transaction of transactions) {
        expect(spec.findings('balance_transaction', transaction)).toEqual([]);
      }
    }
    expect(seen.toSorted()).toEqual(intents.toSorted());
    expect(await stripe.payouts.retrieve(listed[0]?.id ?? '')).toEqual(listed[0]);
  });

  test('is told of when its lines can be listed and when it has arrived, each time signed', async () => {
    const [payout] = (await (await sell(), payOut())).payouts;
    await until(() => eventsOf('payout.paid').some((event) => objectOf(event)['id'] === payout?.id));
    for (const type of ['payout.created', 'payout.reconciliation_completed', 'payout.paid']) {
      const event = await until(() => eventsOf(type).find((one) => objectOf(one)['id'] === payout?.id));
      expect(spec.findings('event', event)).toEqual([]);
      expect(objectOf(event)).toMatchObject({ object: 'payout', status: 'paid', reconciliation_status: 'completed' });
    }
    const posted = world.posted.find(({ body }) => body.includes(payout?.id ?? ''));
    expect(Stripe.webhooks.constructEvent(posted?.body ?? '', posted?.signature ?? '', WEBHOOK_SECRET).type).toMatch(
      /^payout\./,
    );
  });

  test('may be on its way, and arrive or fail; the money of a failed one is paid out again', async () => {
    await sell();
    const [payout] = (await payOut({ paid: false })).payouts;
    const id = payout?.id ?? '';
    expect(await stripe.payouts.retrieve(id)).toMatchObject({ status: 'in_transit', trace_id: { status: 'pending' } });
    await world.control('POST', `stripe/payouts/${id}/fail`);
    const failed = await stripe.payouts.retrieve(id);
    expect(failed).toMatchObject({ status: 'failed', failure_code: 'account_closed' });
    expect(spec.findings('payout', failed)).toEqual([]);
    await until(() => eventsOf('payout.failed').length === 1);
    const [again] = (await payOut()).payouts;
    expect((await transactionsOf(again?.id ?? '')).map(({ reporting_category: word }) => word)).toEqual([
      'payout',
      'payout_reversal',
    ]);
    expect(again?.amount).toBe(payout?.amount);
  });

  test('that is manual cannot be itemized', async () => {
    await sell();
    const [payout] = (await payOut({ automatic: false })).payouts;
    const id = payout?.id ?? '';
    expect(await stripe.payouts.retrieve(id)).toMatchObject({
      automatic: false,
      reconciliation_status: 'not_applicable',
    });
    expect(await errorOf(stripe.balanceTransactions.list({ payout: id }))).toMatchObject({ statusCode: 400 });
    const stranger = world.library('sk_test_other').payouts.retrieve(id);
    expect(await errorOf(stranger)).toMatchObject({ code: 'resource_missing' });
  });

  test('in another currency tells the rate, and the charge what the payer paid', async () => {
    const { id } = await (await world.script('settles-in-usd'), stripe.checkout.sessions.create(inTaka()));
    await world.act({ id }, 'pay');
    const { payouts } = await payOut();
    const [payout] = payouts.filter(({ currency }) => currency === 'USD');
    const [, charge] = await transactionsOf(payout?.id ?? '');
    // 100,000.00 taka at 0.0082, less 2.9 % and 0.30.
    expect(charge).toMatchObject({ amount: 82_000, fee: 2_408, net: 79_592, currency: 'usd', exchange_rate: 0.0082 });
    expect(charge?.source).toMatchObject({ object: 'charge', currency: 'bdt', amount: 10_000_000 });
    const intent = ['payment_intent.latest_charge.balance_transaction'];
    expect(await stripe.checkout.sessions.retrieve(id, { expand: intent })).toMatchObject({
      payment_intent: { latest_charge: { balance_transaction: { id: charge?.id, amount: 82_000, fee: 2_408 } } },
    });
  });

  test('tells the tax on a fee where there is one', async () => {
    await world.control('PUT', 'stripe/config', { payouts: { merchants: { acct_test: { vatBps: 1_500 } } } });
    await sell();
    const [payout] = (await payOut()).payouts;
    const [, charge] = await transactionsOf(payout?.id ?? '');
    expect(charge?.fee).toBe(59);
    expect(charge?.fee_details).toMatchObject([
      { amount: 51, type: 'stripe_fee' },
      { amount: 8, type: 'tax' },
    ]);
    await world.control('PUT', 'stripe/config', { payouts: {} });
  });

  test.each([
    ['until=2026-02-30', { until: '2026-02-30' }],
    ['an unknown fault', { faults: { lost: 1 } }],
    ['half a fault', { faults: { missing: 0.5 } }],
    ['an unknown account', { account: 'acct_none' }],
    ['no days', { spreadDays: 0 }],
  ])('is not made for %s', async (_name, body) => {
    await expect(payOut(body)).rejects.toThrow('400');
  });
});

function inTaka(): Stripe.Checkout.SessionCreateParams {
  const price = { currency: 'bdt', unit_amount: 10_000_000, product_data: { name: 'A bicycle' } };
  return order({ line_items: [{ quantity: 1, price_data: price }] });
}

describe('a dispute', () => {
  test('is opened, told of, taken from a payout with a fee, and given back if it is won', async () => {
    const intent = await sell();
    await payOut();
    const { id } = (await world.control('POST', 'stripe/disputes', { charge: intent })) as { id: string };
    const created = await until(() => eventsOf('charge.dispute.created')[0]);
    expect(spec.findings('event', created)).toEqual([]);
    expect(objectOf(created)).toMatchObject({
      id,
      object: 'dispute',
      payment_intent: intent,
      status: 'needs_response',
    });
    const dispute = await stripe.disputes.retrieve(id);
    expect(spec.findings('dispute', dispute)).toEqual([]);
    expect(await stripe.disputes.list({ payment_intent: intent })).toMatchObject({ data: [{ id }] });
    const { created: at } = dispute;
    expect(await stripe.disputes.list({ created: { gte: at } })).toMatchObject({ data: [{ id }] });
    expect(await stripe.disputes.list({ created: { gte: at + 1 } })).toMatchObject({ data: [] });
    expect(await stripe.charges.retrieve(String(dispute.charge))).toMatchObject({ disputed: true });
    // 25.00 are taken, and each of these brings 9.41: with less than three the sum would wait for the next payout.
    await sell();
    await sell();
    await sell();
    const [taken] = (await payOut()).payouts;
    const withdrawn = (await transactionsOf(taken?.id ?? '')).find(
      ({ reporting_category: word }) => word === 'dispute',
    );
    expect(withdrawn).toMatchObject({ amount: -1_000, fee: 1_500, net: -2_500, type: 'adjustment' });
    expect(withdrawn?.source).toMatchObject({ id, object: 'dispute' });
    await world.control('POST', `stripe/disputes/${id}/close`, { won: true });
    const closed = await until(() => eventsOf('charge.dispute.closed')[0]);
    expect(objectOf(closed)).toMatchObject({ id, status: 'won' });
    const [back] = (await payOut()).payouts;
    expect((await transactionsOf(back?.id ?? ''))[1]).toMatchObject({
      reporting_category: 'dispute_reversal',
      net: 1_000,
    });
  });
});

test('payouts and disputes are the same after a restart', async () => {
  // They follow from the journal and the charge log, so kill -9 changes none.
  await sell();
  await payOut({ seed: 'x', faults: { foreign: 1, duplicated: 1 } });
  const everything = async () => {
    const payouts = await stripe.payouts.list({ limit: 100 });
    return [
      payouts,
      await Promise.all(payouts.data.filter(({ automatic }) => automatic).map(({ id }) => transactionsOf(id))),
      await stripe.disputes.list(),
    ];
  };
  const before = await everything();
  await world.restart();
  stripe = world.library();
  expect(await everything()).toEqual(before);
  await world.control('POST', 'reset');
  expect((await stripe.payouts.list()).data).toEqual([]);
});

test('every request that was taken is one that Stripe’s own reading of its API takes', async () => {
  // This test runs last, because it checks the requests of the tests above.
  const asked = world.asked.filter(({ path }) => /^\/v1\/(payouts|balance_transactions|disputes)/.test(path));
  expect(asked.length).toBeGreaterThan(20);
  const verdicts = await Promise.all(asked.map((request) => mock.judge(request)));
  expect(verdicts.filter((verdict) => verdict !== null)).toEqual([]);
});
