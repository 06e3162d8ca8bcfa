import { toDecimalText } from '../../domain/money.ts';
import type { HttpClient } from '../../runtime/http-client.ts';
import { sealedReturnUrl } from '../callback.ts';
import { isGatewayPage } from '../page.ts';
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
import { parseCallback } from './callback.ts';
import { REFUSES_CREATION, SUCCESS } from './codes.ts';
import { readCredentials, type BkashCredentials } from './credentials.ts';
import type { Executions } from './executions.ts';
import type { Limits } from './limits.ts';
import { queryRefund, refund } from './refunds.ts';
import { createBkashTokens, type BkashTokens, type TokensOptions } from './tokens.ts';

/**
 * Source: bKash's documentation of the tokenized checkout: BDT only, at least 1.00, and one refund within 15 days (with the call used here). It
 * documents no maximum: the wallet's own limits decide, and this bound only catches typing errors.
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
  // Notifications need a subscription. Nothing is charged without our execution, but one whose answer was lost may complete late.
  notifies: false,
  executes: true,
  sessionLifeMinutes: null,
  takesCallbacks: true,
  payouts: 'file',
  disputes: 'none',
};

/** State that all gateways of a process share: tokens and recorded executions. Their rows make them common to all processes. */
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
  /** The username that bKash issued to the merchant. */
  readonly storeId: string;
  /** JSON with `password`, `appKey` and `appSecret`. */
  readonly secret: string;
  readonly http: HttpClient;
  readonly shared: BkashShared;
  readonly limits?: Partial<Limits>;
  /** A monotonic clock, in milliseconds; replaced in tests. */
  readonly elapsedMs?: () => number;
}

/** bKash asks clients to wait 30 seconds for an execution. The activity has 45 seconds for all calls together. */
const LIMITS: Limits = {
  queryTimeoutMs: 10_000,
  executeTimeoutMs: 25_000,
  totalMs: 40_000,
  pausesMs: [300, 700, 1_500, 3_000],
};

/**
 * Creates the adapter for bKash tokenized checkout, v1.2.0-beta: create the payment, the payer agrees on bKash's page, execute, confirm by query.
 * @throws GatewayFailure `unauthorized` if the secret is not that of a bKash store
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

/** bKash's mode for a checkout by URL without an agreement. */
const MODE = '0011';

/** A create request whose answer was lost may be repeated: a payment that is never executed takes no money. */
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
      callbackURL: sealedReturnUrl(order.callbacks.back, order.attemptReference, credentials.appSecret),
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
  if (code !== SUCCESS || !/^[0-9A-Za-z]{1,64}$/.test(paymentID) || !isGatewayPage(bkashURL, baseUrl, isPageHost)) {
    throw new GatewayFailure('ambiguous', "the gateway's answer to a creation contains no payment");
  }
  return { kind: 'opened', sessionKey: paymentID, gatewayUrl: bkashURL };
}

/** bKash pre-fills its page with the payer's reference if that is a wallet number. Source: bKash's documentation of the create call. */
function walletOf({ payerPhone }: SessionOrder): string | null {
  const digits = payerPhone?.replaceAll(/[^0-9]/g, '').replace(/^88(?=01)/, '') ?? '';
  return /^01[3-9]\d{8}$/.test(digits) ? digits : null;
}

const PAGE_HOSTS = ['.bka.sh', '.bkash.com'];

function isPageHost({ host }: URL): boolean {
  return PAGE_HOSTS.some((domain) => host.endsWith(domain));
}
