import type { Mode } from '../../domain/mode.ts';
import type { HttpClient } from '../../runtime/http-client.ts';
import type { Gateway, GatewayCapabilities } from '../port.ts';
import { queryAttempt, closeSession } from './attempt.ts';
import { parseCallback } from './callback.ts';
import { readCredentials } from './credentials.ts';
import { listDisputes, queryDispute } from './disputes.ts';
import { createStripeLibrary, type StripeLibrary } from './library.ts';
import { readPayouts } from './payouts.ts';
import { queryRefund, refund } from './refunds.ts';
import { openSession } from './session.ts';

const bounds = (minMinor: bigint) => ({ minMinor, maxMinor: 99_999_999n });

/**
 * Source: Stripe's minimum charge per currency and its maximum of eight digits. For BDT and KWD Stripe requires only the equivalent of half a dollar
 * in the settlement currency; the bounds here are above that. Only tested currencies are listed; to add another one, add a row.
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
  executes: false,
  // Stripe's maximum. Lenden closes its sessions when the payment ends.
  sessionLifeMinutes: 24 * 60,
  takesCallbacks: true,
  payouts: 'api',
  disputes: 'api',
};

export interface StripeOptions {
  /** `https://api.stripe.com`, or the simulator's origin. */
  readonly baseUrl: string;
  readonly mode: Mode;
  /** The operators' name for the Stripe account. */
  readonly storeId: string;
  /** JSON with `secretKey` and `webhookSecret`. */
  readonly secret: string;
  readonly http: HttpClient;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/**
 * Creates the adapter for Stripe Checkout, using the official library: one session per attempt, signed events, refunds, idempotency keys.
 * @throws GatewayFailure `unauthorized` if the secret is not that of a Stripe store in this mode
 */
export function createStripeGateway(options: StripeOptions): Gateway {
  const { baseUrl, storeId, http, timeoutMs = TIMEOUT_MS } = options;
  const credentials = readCredentials(options.mode, options.secret);
  let made: StripeLibrary | undefined;
  // Created on first use: reading a callback does not need it.
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
    queryDispute: (disputeId) => queryDispute(library(), disputeId),
    listDisputes: (window) => listDisputes(library(), window),
    readPayouts: (window) => readPayouts(library(), window),
  };
}
