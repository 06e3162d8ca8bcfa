import type { Mode } from '../../domain/mode.ts';
import type { HttpClient } from '../../runtime/http-client.ts';
import type { Gateway, GatewayCapabilities } from '../port.ts';
import { queryAttempt, closeSession } from './attempt.ts';
import { parseCallback } from './callback.ts';
import { readCredentials } from './credentials.ts';
import { createStripeLibrary, type StripeLibrary } from './library.ts';
import { queryRefund, refund } from './refunds.ts';
import { openSession } from './session.ts';

const bounds = (minMinor: bigint) => ({ minMinor, maxMinor: 99_999_999n });

/**
 * Source: Stripe's least charges by currency, and its eight digits at most. For BDT and KWD it publishes none but the equivalent of half a
 * dollar in what the account settles in; the bounds here are above that. What is listed is what was tried; any other currency of Stripe's
 * is one more row.
 */
export const STRIPE_CAPABILITIES: GatewayCapabilities = {
  name: 'stripe',
  displayName: 'Card (Stripe)',
  limits: new Map([
    ['USD', bounds(50n)],
    ['EUR', bounds(50n)],
    ['GBP', bounds(30n)],
    ['BDT', bounds(10_000n)],
    ['AED', bounds(200n)],
    ['AUD', bounds(50n)],
    ['CAD', bounds(50n)],
    ['INR', bounds(50n)],
    ['JPY', bounds(50n)],
    ['KWD', bounds(250n)],
    ['MYR', bounds(200n)],
    ['SGD', bounds(50n)],
  ]),
  refunds: true,
  refundsPerPaymentMax: null,
  refundWindowDays: null,
  feeKnown: 'with-the-charge',
  questionsProveStore: true,
  notifies: true,
  // Ours are closed at their payment's end; this is what Stripe allows at most.
  sessionLifeMinutes: 24 * 60,
  takesCallbacks: true,
};

export interface StripeOptions {
  /** `https://api.stripe.com`, or the simulator's origin. */
  readonly baseUrl: string;
  readonly mode: Mode;
  /** The account at Stripe, as operators call it. */
  readonly storeId: string;
  /** JSON with `secretKey` and `webhookSecret`. */
  readonly secret: string;
  readonly http: HttpClient;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/**
 * Stripe Checkout by the official library: a session for each attempt, signed events, refunds, idempotency keys.
 * @throws GatewayFailure `unauthorized` when the secret is not one of a Stripe store in this mode
 */
export function createStripeGateway(options: StripeOptions): Gateway {
  const { baseUrl, storeId, http, timeoutMs = TIMEOUT_MS } = options;
  const credentials = readCredentials(options.mode, options.secret);
  let made: StripeLibrary | undefined;
  // Callbacks are read without it.
  const library = (): StripeLibrary =>
    (made ??= createStripeLibrary({ baseUrl, secretKey: credentials.secretKey, http, timeoutMs }));
  return {
    capabilities: STRIPE_CAPABILITIES,
    storeId,
    openSession: (order) => openSession({ library: library(), baseUrl, credentials }, order),
    queryAttempt: (attempt) => queryAttempt(library(), attempt),
    closeSession: (attempt) => closeSession(library(), attempt),
    parseCallback: (raw, arrival) => parseCallback(raw, arrival, credentials),
    refund: (request) => refund(library(), request),
    queryRefund: (gatewayRefundId, charge) => queryRefund(library(), gatewayRefundId, charge),
  };
}
