import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stripe } from 'stripe';
import { startStripeSimulator } from '../../../simulators/stripe/server.ts';
import type { Settings } from '../../../simulators/stripe/settings.ts';
import type { StripeRequest } from '../../support/stripe-mock.ts';

export const WEBHOOK_SECRET = 'whsec_lenden_test';
export type Json = Record<string, unknown>;

/** A request to the merchant's endpoint. */
export interface Posted {
  readonly body: string;
  readonly signature: string;
}

/** Short waits for tests. Everything else is the default. */
const QUICK: Partial<Settings> = {
  hangMs: 250,
  slowMs: 400,
  delayedAfterMs: 150,
  pendingRefundMs: 150,
  lateEventMs: 300,
  eventRetryMs: [50, 50],
};

/** Starts a simulator with its own folder, a merchant that uses the official library, and its endpoint. */
export async function startStripe() {
  const dataDir = await mkdtemp(join(tmpdir(), 'stripe-'));
  const posted: Posted[] = [];
  const state = { endpointStatus: 200 };
  const endpoint = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(Buffer.from(chunk));
    }
    const signature = String(request.headers['stripe-signature'] ?? '');
    posted.push({ body: Buffer.concat(chunks).toString('utf8'), signature });
    response.writeHead(state.endpointStatus).end();
  });
  await new Promise<void>((resolve) => {
    endpoint.listen(0, '127.0.0.1', resolve);
  });
  const endpointUrl = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/hook`;
  const accounts = `acct_test:sk_test_lenden:${WEBHOOK_SECRET}:${endpointUrl},acct_other:sk_test_other:whsec_other`;
  const start = (settings?: Partial<Settings>) =>
    startStripeSimulator({ dataDir, accounts, ...(settings === undefined ? {} : { settings }) });
  let simulator = await start(QUICK);
  const asked: StripeRequest[] = [];
  const replayed: boolean[] = [];
  const library = (key: string): Stripe => {
    const { hostname, port } = new URL(simulator.url);
    const recording: typeof fetch = async (url, init) => {
      const { pathname, search } = new URL(String(url));
      asked.push({ method: init?.method ?? 'GET', path: `${pathname}${search}`, body: String(init?.body ?? '') });
      const answer = await fetch(url, init);
      replayed.push(answer.headers.get('idempotent-replayed') === 'true');
      return answer;
    };
    const httpClient = Stripe.createFetchHttpClient(recording);
    return new Stripe(key, {
      host: hostname,
      port,
      protocol: 'http',
      maxNetworkRetries: 0,
      telemetry: false,
      httpClient,
    });
  };
  const control = async (method: string, path: string, body: object = {}): Promise<unknown> => {
    const sent =
      method === 'GET' ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await fetch(`${simulator.url}/__sim/${path}`, { method, ...sent });
    if (!answer.ok) {
      throw new Error(`the simulator answered ${answer.status}: ${await answer.text()}`);
    }
    return answer.json();
  };
  return {
    /** The library's requests so far. */
    asked,
    /** For each answer to them, whether it was a replay of an idempotency key. */
    replayed,
    posted,
    state,
    library: (key = 'sk_test_lenden') => library(key),
    control,
    script: (name: string) => control('POST', 'stripe/scripts', { script: name }),
    act: (session: { id: string }, action: string, body: object = {}) =>
      control('POST', `stripe/sessions/${session.id}/${action}`, body),
    charges: async () => (await control('GET', 'charges')) as Json[],
    url: () => simulator.url,
    /** Stops the simulator and starts it again with the same data. */
    async restart() {
      await simulator.close();
      simulator = await start();
    },
    async close() {
      await simulator.close();
      endpoint.closeAllConnections();
      endpoint.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

export type StripeWorld = Awaited<ReturnType<typeof startStripe>>;

let orders = 0;

/** Returns a session request for 10.00 USD. Its reference is unique, because scripts are selected by it. */
export function order(changes: Partial<Stripe.Checkout.SessionCreateParams> = {}): Stripe.Checkout.SessionCreateParams {
  return {
    mode: 'payment',
    line_items: [
      { quantity: 1, price_data: { currency: 'usd', unit_amount: 1_000, product_data: { name: 'A book' } } },
    ],
    client_reference_id: `order-${(orders += 1)}`,
    metadata: { order: '1' },
    payment_intent_data: { metadata: { order: '1' } },
    success_url: 'http://shop.example/done?id={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://shop.example/back',
    ...changes,
  };
}

/** Returns the error of a call that fails. */
export async function errorOf(call: Promise<unknown>): Promise<Json> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Stripe.errors.StripeError)) {
    throw new Error('the call was answered, or failed otherwise', { cause: error });
  }
  const { type, code, statusCode, param, rawType } = error;
  return { type, code, statusCode, param, rawType };
}
