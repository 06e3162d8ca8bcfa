import { toDecimalText } from '../../domain/money.ts';
import type { HttpClient } from '../../runtime/http-client.ts';
import {
  GatewayFailure,
  type Gateway,
  type GatewayCapabilities,
  type SessionOrder,
  type SessionOutcome,
} from '../port.ts';
import { CreationAnswer } from './answers.ts';
import { queryAttempt } from './attempt.ts';
import { createCall, type Call } from './call.ts';
import { parseCallback, sealedAddress } from './callback.ts';
import { REFUSES_CREATION, SUCCESS } from './codes.ts';
import { readCredentials, type BkashCredentials } from './credentials.ts';
import type { Executions } from './executions.ts';
import type { Limits } from './limits.ts';
import { queryRefund, refund } from './refunds.ts';
import { createBkashTokens, type BkashTokens, type TokensOptions } from './tokens.ts';

/**
 * Source: bKash's documents of the tokenized checkout name BDT, a least amount of 1.00 and one refund within 15 days (the call that is
 * used here). They publish no greatest amount: the wallet's own limits decide, and this bound only keeps a typing error from travelling.
 */
export const BKASH_CAPABILITIES: GatewayCapabilities = {
  name: 'bkash',
  displayName: 'bKash',
  limits: new Map([['BDT', { minMinor: 100n, maxMinor: 50_000_000n }]]),
  refunds: true,
  refundsPerPaymentMax: 1,
  refundWindowDays: 15,
  feeKnown: 'at-settlement',
  questionsProveStore: true,
  // Its notices have to be subscribed to. Nothing is charged without our execution, but one whose answer was lost may end late.
  notifies: false,
  sessionLifeMinutes: null,
  takesCallbacks: true,
};

/** What all gateways of a process share, and by their rows all processes: the tokens, and what is known of our executions. */
export interface BkashShared {
  readonly tokens: BkashTokens;
  readonly executions: Executions;
}

export function createBkashShared({
  executions,
  ...options
}: TokensOptions & { readonly executions: Executions }): BkashShared {
  return { tokens: createBkashTokens(options), executions };
}

export interface BkashOptions {
  /** `https://tokenized.sandbox.bka.sh` or `https://tokenized.pay.bka.sh`, or the simulator's origin. */
  readonly baseUrl: string;
  /** The username that bKash gave the merchant. */
  readonly storeId: string;
  /** JSON with `password`, `appKey` and `appSecret`. */
  readonly secret: string;
  readonly http: HttpClient;
  readonly shared: BkashShared;
  readonly limits?: Partial<Limits>;
  /** Measures how long a call may still take; replaced in tests. */
  readonly elapsedMs?: () => number;
}

/** bKash asks clients to wait 30 seconds for an execution; the activity that asks has 45 seconds for all of it. */
const LIMITS: Limits = {
  queryTimeoutMs: 10_000,
  executeTimeoutMs: 25_000,
  totalMs: 40_000,
  pausesMs: [300, 700, 1_500, 3_000],
};

/**
 * bKash tokenized checkout, v1.2.0-beta: create, the payer agrees on bKash's page, we execute, the query confirms.
 * @throws GatewayFailure `unauthorized` when the secret is not one of a bKash store
 */
export function createBkashGateway(options: BkashOptions): Gateway {
  const { baseUrl, storeId, http, shared, elapsedMs = () => performance.now() } = options;
  const credentials = readCredentials(storeId, options.secret);
  const limits = { ...LIMITS, ...options.limits };
  const call = createCall({ http, tokens: shared.tokens, account: { baseUrl, credentials } });
  const { executions } = shared;
  return {
    capabilities: BKASH_CAPABILITIES,
    storeId,
    openSession: (order) => openSession({ call, baseUrl, credentials, timeoutMs: limits.queryTimeoutMs }, order),
    queryAttempt: (attempt) => queryAttempt({ call, executions, limits, elapsedMs }, attempt),
    parseCallback: (raw) => parseCallback(raw, credentials),
    refund: (request) => refund({ call, limits, elapsedMs }, request),
    queryRefund: (gatewayRefundId, charge) => queryRefund(call, limits.queryTimeoutMs, { gatewayRefundId, charge }),
  };
}

interface Opening {
  readonly call: Call;
  readonly baseUrl: string;
  readonly credentials: BkashCredentials;
  readonly timeoutMs: number;
}

/** bKash's code for an agreement-free payment by URL. */
const MODE = '0011';

/** A creation whose answer is lost may be repeated: a payment that nobody executes takes no money. */
async function openSession(
  { call, baseUrl, credentials, timeoutMs }: Opening,
  order: SessionOrder,
): Promise<SessionOutcome> {
  const { code, body } = await call({
    path: '/create',
    body: {
      mode: MODE,
      intent: 'sale',
      payerReference: walletOf(order) ?? order.attemptReference,
      callbackURL: sealedAddress(order.callbacks.back, order.attemptReference, credentials),
      amount: toDecimalText(order.amount),
      currency: order.amount.currency,
      merchantInvoiceNumber: order.attemptReference,
    },
    totalTimeoutMs: timeoutMs,
  });
  if (REFUSES_CREATION.has(code)) {
    return { kind: 'refused', code: 'GATEWAY_REFUSED_SESSION', gatewayText: `code ${code}` };
  }
  const { paymentID, bkashURL } = CreationAnswer.parse(body);
  if (code !== SUCCESS || !/^[0-9A-Za-z]{1,64}$/.test(paymentID) || !isGatewayPage(bkashURL, baseUrl)) {
    throw new GatewayFailure('ambiguous', 'the gateway answered a creation without a payment');
  }
  return { kind: 'opened', sessionKey: paymentID, gatewayUrl: bkashURL };
}

/** A wallet's number as the payer's reference is filled in on bKash's page. Source: bKash's documents of the creation. */
function walletOf({ payerPhone }: SessionOrder): string | null {
  const digits = payerPhone?.replaceAll(/[^0-9]/g, '').replace(/^88(?=01)/, '') ?? '';
  return /^01[3-9]\d{8}$/.test(digits) ? digits : null;
}

const PAGE_HOSTS = ['.bka.sh', '.bkash.com'];

/** The page must be the gateway's own: same host as its API, or one of its domains. */
function isGatewayPage(pageUrl: string, baseUrl: string): boolean {
  if (!URL.canParse(pageUrl)) {
    return false;
  }
  const page = new URL(pageUrl);
  const base = new URL(baseUrl);
  return (
    page.protocol === base.protocol &&
    page.username === '' &&
    (page.host === base.host || PAGE_HOSTS.some((domain) => page.host.endsWith(domain)))
  );
}
