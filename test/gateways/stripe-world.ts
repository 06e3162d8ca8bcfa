import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseAllowList } from '../../domain/outbound-url.ts';
import type { AttemptHandle, Gateway, SessionOrder } from '../../gateways/port.ts';
import { createStripeGateway } from '../../gateways/stripe/gateway.ts';
import { createHttpClient } from '../../runtime/http-client.ts';
import { impatience } from '../support/impatience.ts';

export type Body = Record<string, unknown>;
export interface Asked {
  /** Such as `POST /v1/refunds`, without the query. */
  readonly call: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
}
export type Reply = (response: ServerResponse) => void;

export const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
export const text =
  (body: string, status = 200): Reply =>
  (response) =>
    response.writeHead(status).end(body);
export const refusal = (error: Body, status = 400): Reply =>
  json({ error: { type: 'invalid_request_error', message: 'their words', ...error } }, status);

export const SESSION_ID = 'cs_test_a1SESSION';
export const REFERENCE = 'AbCdEfGhIjKlMnOpQrSt';
export const SECRET = { secretKey: 'sk_test_1', webhookSecret: 'whsec_1' };
export const START_MS = Date.parse('2026-11-22T00:00:00Z');
export const HANDLE: AttemptHandle = {
  attemptReference: REFERENCE,
  sessionKey: SESSION_ID,
  claimedValidationId: null,
  knownValidationIds: [],
  mayExecute: true,
};

export function orderOf(changes: Partial<SessionOrder> = {}): SessionOrder {
  return {
    attemptReference: REFERENCE,
    amount: { amountMinor: 1_050n, currency: 'USD' },
    productName: 'A book',
    customer: { name: 'J', email: 'j@a.b', phone: '1', address: 'a', city: 'c', postcode: '1', country: 'Bangladesh' },
    callbacks: {
      success: 'http://a/s',
      fail: 'http://a/f',
      cancel: 'http://a/c',
      ipn: 'http://a/i',
      back: 'http://a/gateway/stripe/test/return',
    },
    expiresAt: new Date(START_MS + 2 * 3_600_000),
    readAt: new Date(START_MS),
    ...changes,
  };
}

/**
 * Starts a minimal gateway for answers that no simulator gives, and the adapter that uses it. A list of answers is used in order, and its last entry
 * repeats.
 */
export async function startScriptedStripe() {
  const state = { replies: [] as Reply[], asked: [] as Asked[] };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(Buffer.from(chunk));
    }
    const url = new URL(request.url ?? '', 'http://a');
    state.asked.push({
      call: `${request.method ?? ''} ${url.pathname}`,
      query: url.searchParams,
      headers: request.headers,
      form: new URLSearchParams(Buffer.concat(chunks).toString('utf8')),
    });
    (state.replies[Math.min(state.asked.length, state.replies.length) - 1] ?? text('', 404))(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { http, expectSilence } = impatience(createHttpClient({ guard: 'none', allow: parseAllowList('') }));
  const gateway: Gateway = createStripeGateway({
    baseUrl: origin,
    mode: 'TEST',
    storeId: 'account',
    secret: JSON.stringify(SECRET),
    http,
    timeoutMs: 4_000,
  });
  return {
    state,
    origin,
    gateway,
    answer(...replies: Reply[]): void {
      state.replies = replies;
      state.asked.length = 0;
    },
    expectSilence,
    calls: () => state.asked.map(({ call }) => call),
    async close() {
      server.closeAllConnections();
      server.close();
      await http.close();
    },
  };
}

export type ScriptedStripe = Awaited<ReturnType<typeof startScriptedStripe>>;

const charge = {
  id: 'ch_1',
  object: 'charge',
  status: 'succeeded',
  amount: 1_050,
  currency: 'usd',
  captured: true,
  outcome: { risk_level: 'normal' },
  balance_transaction: { id: 'txn_1', object: 'balance_transaction', currency: 'usd', fee: 60, net: 990 },
};
const intent = { id: 'pi_1', object: 'payment_intent', status: 'succeeded', last_payment_error: null };

export interface SessionChanges {
  readonly session?: Body;
  readonly intent?: Body;
  readonly charge?: Body;
}

/** Returns a paid session with these changes. */
export function sessionBody(changes: SessionChanges = {}): Body {
  return {
    id: SESSION_ID,
    object: 'checkout.session',
    client_reference_id: REFERENCE,
    status: 'complete',
    payment_status: 'paid',
    amount_total: 1_050,
    currency: 'usd',
    url: null,
    payment_intent: { ...intent, latest_charge: { ...charge, ...changes.charge }, ...changes.intent },
    ...changes.session,
  };
}

export const session = (changes: SessionChanges = {}): Reply => json(sessionBody(changes));
export const OPEN = session({ session: { status: 'open', payment_status: 'unpaid', payment_intent: null } });
export const EXPIRED = session({ session: { status: 'expired', payment_status: 'unpaid', payment_intent: null } });
export const HANG: Reply = () => undefined;
