import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SessionOrder } from '../../gateways/port.ts';
import { readCredentials } from '../../gateways/stripe/credentials.ts';
import { pageOriginOf } from '../../gateways/stripe/session.ts';
import { fromStripeAmount, toStripeAmount } from '../../gateways/stripe/units.ts';
import {
  HANG,
  json,
  orderOf,
  REFERENCE,
  refusal,
  SESSION_ID,
  START_MS,
  startScriptedStripe,
  text,
  type Reply,
  type ScriptedStripe,
} from './stripe-world.ts';
import { withProcessClock } from '../support/process-clock.ts';

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await startScriptedStripe();
});
afterAll(() => stripe.close());

const open = (changes: Partial<SessionOrder> = {}) => stripe.gateway.openSession(orderOf(changes));
const created = (page: string | null = `${stripe.origin}/c/pay/1`): Reply =>
  json({ id: SESSION_ID, object: 'checkout.session', payment_status: 'unpaid', status: 'open', url: page });
const asked = () => stripe.state.asked.at(-1);
const keys = () => stripe.state.asked.map(({ headers }) => headers['idempotency-key']);
const KEY = `checkout:${REFERENCE}`;
const OTHER_PARAMETERS = refusal({ type: 'idempotency_error' });
const REPEATED_500: Reply = (response) =>
  json({ error: { type: 'api_error' } }, 500, { 'idempotent-replayed': 'true' })(response);

describe('a session', () => {
  test('is asked for with our reference, the amount, the time it may live and the ways back', async () => {
    // This is everything that Stripe gets. It contains no payer data.
    stripe.answer(created());
    expect(await open()).toEqual({ kind: 'opened', sessionKey: SESSION_ID, gatewayUrl: `${stripe.origin}/c/pay/1` });
    const { success_url: success = '', cancel_url: cancel = '', ...form } = Object.fromEntries(asked()?.form ?? []);
    expect(form).toEqual({
      mode: 'payment',
      'line_items[0][quantity]': '1',
      'line_items[0][price_data][currency]': 'usd',
      'line_items[0][price_data][unit_amount]': '1050',
      'line_items[0][price_data][product_data][name]': 'A book',
      client_reference_id: REFERENCE,
      'metadata[attempt_reference]': REFERENCE,
      'payment_intent_data[metadata][attempt_reference]': REFERENCE,
      'payment_intent_data[capture_method]': 'automatic',
      expires_at: String(START_MS / 1_000 + 7_200),
    });
    const back = `http://a/gateway/stripe/test/return/${REFERENCE}.`;
    expect([success.startsWith(back), cancel.startsWith(back)]).toEqual([true, true]);
    expect(success.endsWith('?outcome=success&session_id={CHECKOUT_SESSION_ID}')).toBe(true);
    expect(cancel.endsWith('?outcome=cancel')).toBe(true);
    expect(keys()).toEqual([KEY]);
  });

  test('tells the gateway nothing about this machine', async () => {
    // The library would send the platform and the duration of calls.
    stripe.answer(created());
    await open();
    const names = Object.keys(asked()?.headers ?? {}).filter((name) => /stripe/.test(name));
    expect(names).toEqual(['stripe-version']);
    expect(asked()?.headers['user-agent']).not.toMatch(/stripe|node|linux/i);
    expect(asked()?.headers['authorization']).toBe('Bearer sk_test_1');
  });

  test.each([
    ['a minute', 60_000, 31 * 60],
    ['31 minutes', 31 * 60_000, 31 * 60],
    ['3 hours', 3 * 3_600_000, 3 * 3_600],
    ['a week', 7 * 24 * 3_600_000, 24 * 3_600 - 300],
  ])('of a payment that ends in %s lives within what Stripe takes', async (_name, lifeMs, seconds) => {
    // Stripe would refuse a session outside its limits, and the payer could not pay.
    stripe.answer(created());
    await open({ expiresAt: new Date(START_MS + lifeMs) });
    expect(asked()?.form.get('expires_at')).toBe(String(START_MS / 1_000 + seconds));
  });

  test.each([-1, 1])('lives as long in a process whose clock is %d hours off', async (hours) => {
    // Stripe would refuse an expiry in the past or more than a day away, and the payer could not pay.
    stripe.answer(created());
    const [shortest, longest] = [60_000, 7 * 24 * 3_600_000];
    const asks: (string | null | undefined)[] = [];
    for (const lifeMs of [shortest, longest]) {
      await withProcessClock(hours * 3_600_000, () => open({ expiresAt: new Date(START_MS + lifeMs) }));
      asks.push(asked()?.form.get('expires_at'));
    }
    const secondsFrom = (seconds: number): string => String(START_MS / 1_000 + seconds);
    expect(asks).toEqual([secondsFrom(31 * 60), secondsFrom(24 * 3_600 - 300)]);
  });

  test.each([
    ['other parameters under the key', OTHER_PARAMETERS],
    ['a failure that the key repeats', REPEATED_500],
  ])('after %s is opened under a second key, the same over every retry', async (_name, first) => {
    // A parameter changed between two tries. No payer has the first page, so no money can move there.
    stripe.answer(first, created());
    expect(await open()).toMatchObject({ kind: 'opened' });
    const [, second] = keys();
    expect(keys()).toEqual([KEY, expect.stringMatching(new RegExp(`^${KEY}:[\\w-]{16}$`))]);
    stripe.answer(first, created());
    await open();
    expect(keys()).toEqual([KEY, second]);
    stripe.answer(first, created());
    await open({ productName: 'Two books' });
    expect(keys()[1]).not.toBe(second);
  });

  test('is tried again later where both keys are of no use', async () => {
    // This is not a permanent refusal.
    stripe.answer(OTHER_PARAMETERS);
    await expect(open()).rejects.toMatchObject({ kind: 'ambiguous' });
    expect(keys()).toHaveLength(2);
  });

  test('is refused in our words where the gateway says no', async () => {
    // The gateway's message can contain anything.
    stripe.answer(refusal({ code: 'amount_too_small', message: '<b>sk_test_1</b>' }));
    expect(await open()).toEqual({
      kind: 'refused',
      code: 'GATEWAY_REFUSED_SESSION',
      gatewayText: 'code amount_too_small',
    });
    stripe.answer(refusal({ code: 'Some <text>' }));
    expect(await open()).toMatchObject({ gatewayText: 'code unknown' });
  });

  test('of an amount that Stripe cannot count asks nobody', async () => {
    // Stripe takes at most eight digits, and in KWD only multiples of ten fils.
    stripe.answer(created());
    for (const amount of [
      { amountMinor: 100_000_000n, currency: 'USD' },
      { amountMinor: 1_001n, currency: 'KWD' },
    ]) {
      expect(await open({ amount })).toMatchObject({ kind: 'refused' });
    }
    expect(stripe.calls()).toEqual([]);
  });

  test.each([
    ['nowhere', null],
    ['a stranger', 'http://evil.example/c/pay/1'],
    ['another scheme', 'javascript:alert(1)'],
    ['another port', 'http://127.0.0.1:1/c/pay/1'],
    ['somebody’s name', 'http://a:b@127.0.0.1/c/pay/1'],
    ['no address', 'c/pay/1'],
  ])('that leads to %s is none', async (_name, page) => {
    // A payer must never be sent anywhere but to the gateway.
    stripe.answer(created(page));
    await expect(open()).rejects.toMatchObject({ kind: 'ambiguous' });
  });

  test.each([
    ['HTTP 500', text('', 500), 'ambiguous'],
    ['409', refusal({ type: 'idempotency_error' }, 409), 'ambiguous'],
    ['silence', HANG, 'ambiguous'],
    ['401', refusal({}, 401), 'unauthorized'],
    ['429', refusal({}, 429), 'rate-limited'],
  ])('is neither opened nor refused by %s, and the library repeats nothing by itself', async (_name, reply, kind) => {
    // The workflow decides when to retry.
    stripe.answer(reply);
    await expect(stripe.expectSilence(open)).rejects.toMatchObject({ kind });
    expect(keys()).toEqual([KEY]);
  });
});

test('Stripe’s pages are on a host of their own, the simulator’s are not', () => {
  // The content security policy must allow forms to redirect there.
  expect(pageOriginOf('https://api.stripe.com')).toBe('https://checkout.stripe.com');
  expect(pageOriginOf('http://127.0.0.1:8090')).toBe('http://127.0.0.1:8090');
});

describe('an amount', () => {
  test.each([
    ['USD', 1_050n, 1_050],
    ['JPY', 500n, 500],
    ['KWD', 1_230n, 1_230],
    ['ISK', 500n, 50_000],
    ['UGX', 500n, 50_000],
    ['MGA', 500n, 5],
  ])('of %s is counted as Stripe counts', (currency, amountMinor, counted) => {
    // Stripe's list of currencies differs from ISO 4217. Confusing them would charge a hundred times the amount.
    expect(toStripeAmount({ amountMinor, currency })).toBe(counted);
    expect(fromStripeAmount(counted, currency)).toBe(amountMinor);
  });

  test.each([
    ['nothing', 'USD', 0n],
    ['a debt', 'USD', -1n],
    ['nine digits', 'USD', 100_000_000n],
    ['nine digits of theirs', 'ISK', 1_000_000n],
    ['a fraction of what they know', 'MGA', 501n],
    ['a last digit that they do not take', 'KWD', 1_231n],
  ])('of %s (%s) cannot be said', (_name, currency, amountMinor) => {
    // Such an amount must be refused, never rounded.
    expect(toStripeAmount({ amountMinor, currency })).toBeNull();
  });

  test.each([
    [1.5, 'USD'],
    [-1, 'USD'],
    [2 ** 60, 'USD'],
    [Number.NaN, 'USD'],
    [550, 'ISK'],
    [100, 'XXQ'],
    [100, ''],
  ])('%p %s of theirs is none of ours', (amount, currency) => {
    // An amount that cannot be read exactly must not match any order.
    expect(fromStripeAmount(amount, currency)).toBeNull();
  });
});

describe('the secret of a store', () => {
  const secret = (secretKey: unknown, webhookSecret: unknown = 'whsec_1') =>
    JSON.stringify({ secretKey, webhookSecret });

  test.each([
    ['TEST', 'sk_test_1'],
    ['TEST', 'rk_test_1'],
    ['LIVE', 'sk_live_1'],
    ['LIVE', 'rk_live_1'],
  ] as const)('for %s may be %s…', (mode, key) => {
    // A restricted key is enough, and safer.
    expect(readCredentials(mode, secret(key))).toEqual({ secretKey: key, webhookSecret: 'whsec_1' });
  });

  test.each([
    ['a test key in LIVE', 'LIVE', secret('sk_test_1')],
    ['a live key in TEST', 'TEST', secret('rk_live_1')],
    ['a publishable key', 'TEST', secret('pk_test_1')],
    ['no webhook secret', 'TEST', secret('sk_test_1', '')],
    ['a mere key', 'TEST', 'sk_test_1'],
    ['a number', 'TEST', '1'],
  ] as const)('is not %s', (_name, mode, text) => {
    // With a test key in LIVE, payers could pay with Stripe's published test cards.
    expect(() => readCredentials(mode, text)).toThrow(expect.objectContaining({ kind: 'unauthorized' }));
  });
});
