import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseAllowList } from '../../domain/outbound-url.ts';
import { attemptReference, refundReference } from '../../domain/references.ts';
import type { Gateway } from '../../gateways/port.ts';
import { createStripeGateway, STRIPE_CAPABILITIES } from '../../gateways/stripe/gateway.ts';
import { createHttpClient, type HttpClient } from '../../runtime/http-client.ts';
import type { RunningHost } from '../../simulators/kit/host.ts';
import { startStripeSimulator } from '../../simulators/stripe/server.ts';
import { startStripeMock, type StripeMock, type StripeRequest } from '../support/stripe-mock.ts';
import { HANDLE, orderOf } from './stripe-world.ts';

/* Checks every request of the adapter against Stripe's own API definition. */

const BUILD_TIMEOUT_MS = 10 * 60_000;

let mock: StripeMock;
let simulator: RunningHost;
let http: HttpClient;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stripe-'));
  http = createHttpClient({ guard: 'none', allow: parseAllowList('') });
  [mock, simulator] = await Promise.all([
    startStripeMock(),
    startStripeSimulator({ dataDir, settings: { script: { refunds: 'pending' } } }),
  ]);
}, BUILD_TIMEOUT_MS);
afterAll(async () => {
  await Promise.all([mock.close(), simulator.close(), http.close()]);
  await rm(dataDir, { recursive: true });
});

/** Returns the adapter with the simulator, and the list of its requests. */
function recorded(): { gateway: Gateway; asked: StripeRequest[] } {
  const asked: StripeRequest[] = [];
  const send: HttpClient['send'] = (request) => {
    const { pathname, search } = new URL(request.url);
    asked.push({ method: request.method, path: `${pathname}${search}`, body: String(request.body ?? '') });
    return http.send(request);
  };
  const gateway = createStripeGateway({
    baseUrl: simulator.url,
    mode: 'TEST',
    storeId: 'acct_lenden_test',
    secret: JSON.stringify({ secretKey: 'sk_test_lenden', webhookSecret: 'whsec_lenden_test' }),
    http: { ...http, send },
  });
  return { gateway, asked };
}

const pay = (reference: string) =>
  fetch(`${simulator.url}/__sim/stripe/sessions/${reference}/pay`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });

async function judged(asked: readonly StripeRequest[]): Promise<(string | null)[]> {
  return Promise.all(asked.map((request) => mock.judge(request)));
}

test.each([...STRIPE_CAPABILITIES.limits.keys()])(
  'a whole payment in %s is asked for in Stripe’s words',
  async (currency) => {
    // A request that Stripe would refuse has to be found here, not by a payer.
    const { gateway, asked } = recorded();
    const attempt = attemptReference();
    const amount = { amountMinor: 20_000n, currency };
    const readAt = new Date();
    const expiresAt = new Date(readAt.getTime() + 3_600_000);
    const order = orderOf({ attemptReference: attempt, amount, expiresAt, readAt });
    const opened = await gateway.openSession(order);
    const sessionKey = opened.kind === 'opened' ? opened.sessionKey : '';
    await pay(attempt);
    const answer = await gateway.queryAttempt({ ...HANDLE, attemptReference: attempt, sessionKey });
    const charge = answer.kind === 'charged' ? answer.charge : null;
    expect(charge).toMatchObject({ grossMinor: 20_000n, currency });
    expect(await gateway.closeSession?.({ ...HANDLE, attemptReference: attempt, sessionKey })).toBe('charged');
    const request = {
      refundReference: refundReference(),
      gatewayTxnId: charge?.gatewayTxnId ?? '',
      validationId: sessionKey,
      amount: { amountMinor: 5_000n, currency },
      remarks: 'Refund',
      queriedAgoMs: null,
      otherRefunds: 0,
    };
    const made = await gateway.refund({ ...request, queriedBefore: true });
    expect(made).toMatchObject({ kind: 'accepted' });
    await gateway.queryRefund(made.kind === 'accepted' ? made.gatewayRefundId : '', request);
    expect(
      asked.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '').replace(/\/(cs|re)_\w+/, '/{id}')}`),
    ).toEqual([
      'POST /v1/checkout/sessions',
      'GET /v1/checkout/sessions/{id}',
      'POST /v1/checkout/sessions/{id}/expire',
      'GET /v1/checkout/sessions/{id}',
      'GET /v1/refunds',
      'POST /v1/refunds',
      'GET /v1/refunds/{id}',
    ]);
    expect(await judged(asked)).toEqual(asked.map(() => null));
  },
);

test.each([
  ['a path', { method: 'POST', path: '/v1/checkout/session', body: '' }],
  ['a parameter', { method: 'POST', path: '/v1/refunds', body: 'payment_intent=pi_1&amont=1' }],
  ['a type', { method: 'POST', path: '/v1/refunds', body: 'payment_intent=pi_1&amount=much' }],
  ['a word', { method: 'POST', path: '/v1/refunds', body: 'payment_intent=pi_1&reason=because' }],
])('the judge refuses %s that Stripe does not know', async (_name, request) => {
  // A check that accepts everything would prove nothing.
  expect(await mock.judge(request)).toMatch(/^40[04] /);
});
