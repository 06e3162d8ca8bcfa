import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import type { Mode } from '../../domain/mode.ts';
import { toDecimalText } from '../../domain/money.ts';
import type { HttpClient } from '../../runtime/http-client.ts';
import {
  GatewayFailure,
  type AttemptAnswer,
  type AttemptHandle,
  type Gateway,
  type GatewayCapabilities,
  type SessionOrder,
  type SessionOutcome,
} from '../port.ts';
import { answerOf, Completed, Initialized, Verification } from './answers.ts';
import { parseCallback, sealedAddress } from './callback.ts';
import { readCredentials, type NagadCredentials } from './credentials.ts';
import { seal, unseal } from './envelope.ts';
import { createExchange, type Exchange, type Exchanged } from './exchange.ts';

/**
 * Nagad publishes no limits for payments to merchants; these only keep nonsense away, and what is more than a payer may send the gateway
 * refuses on its own page. Refunds are not offered: the one call that is known for them is known from one client alone.
 */
export const NAGAD_CAPABILITIES: GatewayCapabilities = {
  name: 'nagad',
  displayName: 'Nagad',
  limits: new Map([['BDT', { minMinor: 100n, maxMinor: 50_000_000n }]]),
  refunds: false,
  refundsPerPaymentMax: null,
  refundWindowDays: null,
  feeKnown: 'at-settlement',
  // They name the merchant and prove nothing; only what opens a session is signed.
  questionsProveStore: false,
  notifies: false,
  sessionLifeMinutes: null,
  takesCallbacks: true,
};

/** Where the API is, with its path, and the origin of the payer's page, which is on a port or host of its own. Source: open-source clients. */
export const NAGAD_URLS: Readonly<Record<Mode, { readonly baseUrl: string; readonly pageOrigin: string }>> = {
  TEST: {
    baseUrl: 'http://sandbox.mynagad.com:10080/remote-payment-gateway-1.0/api/dfs',
    pageOrigin: 'https://sandbox-ssl.mynagad.com:10061',
  },
  LIVE: { baseUrl: 'https://api.mynagad.com/api/dfs', pageOrigin: 'https://api.mynagad.com' },
};

export interface NagadOptions {
  /** One of {@link NAGAD_URLS}, or the simulator's origin with the same path. */
  readonly baseUrl: string;
  /** The merchant's id. */
  readonly storeId: string;
  /** See `readCredentials`. */
  readonly secret: string;
  readonly http: HttpClient;
  readonly connectTimeoutMs?: number;
  readonly totalTimeoutMs?: number;
}

/** ISO 4217, numeric: taka. */
const TAKA_CODE = '050';
const DHAKA_OFFSET_MS = 6 * 3_600_000;

/**
 * Nagad API v-0.2.0. A session is made by two calls and known by the payment reference that the first one gives. Nobody but us ever asks: there is
 * no notification, and the browser's return proves nothing, so money is what a verification says.
 * @throws GatewayFailure `unauthorized` for a secret that holds no keys
 */
export function createNagadGateway({
  baseUrl,
  storeId,
  secret,
  http,
  connectTimeoutMs = 5_000,
  totalTimeoutMs = 15_000,
}: NagadOptions): Gateway {
  const credentials = readCredentials(storeId, secret);
  const exchange = createExchange({ baseUrl, credentials, http, connectTimeoutMs, totalTimeoutMs });
  return {
    capabilities: NAGAD_CAPABILITIES,
    storeId,
    openSession: (order) => openSession({ exchange, credentials, baseUrl }, order),
    queryAttempt: (attempt) => queryAttempt(exchange, attempt),
    parseCallback: (raw) => parseCallback(raw, credentials),
    refund: async () => ({ kind: 'refused', gatewayText: 'Nagad refunds are not offered', evidence: '' }),
    queryRefund: async () => ({ kind: 'unknown', note: 'REFUNDS_NOT_OFFERED' }),
  };
}

interface Opening {
  readonly exchange: Exchange;
  readonly credentials: NagadCredentials;
  readonly baseUrl: string;
}

/**
 * Initializes and completes. Whatever is lost on the way, nobody can pay: the page's address is in the last answer alone. So a second try
 * under the same reference begins anew, and where Nagad takes no order twice, its refusal is the end of that attempt.
 */
async function openSession(opening: Opening, order: SessionOrder): Promise<SessionOutcome> {
  const { exchange, credentials, baseUrl } = opening;
  const { merchantId } = credentials;
  const { attemptReference: orderId } = order;
  const dateTime = dhakaDigits(order.readAt.getTime());
  const challenge = randomBytes(20).toString('hex');
  const first = await exchange({
    path: ['check-out', 'initialize', merchantId, orderId],
    body: { dateTime, ...seal({ merchantId, datetime: dateTime, orderId, challenge }, credentials) },
  });
  if (first.refused) {
    return refusedSession(first);
  }
  const begun = unseal(Initialized, first.body, credentials);
  const amount = toDecimalText(order.amount);
  const purchase = { merchantId, orderId, currencyCode: TAKA_CODE, amount, challenge: begun.challenge };
  const second = await exchange({
    path: ['check-out', 'complete', begun.paymentReferenceId],
    body: {
      ...seal(purchase, credentials),
      merchantCallbackURL: sealedAddress(order.callbacks.back, orderId, credentials),
      additionalMerchantInfo: {},
    },
  });
  if (second.refused) {
    return refusedSession(second);
  }
  const { callBackUrl: gatewayUrl } = understood(Completed, second.body);
  if (!isGatewayPage(gatewayUrl, baseUrl)) {
    throw new GatewayFailure('ambiguous', 'the gateway answered a completion without a page of its own');
  }
  return { kind: 'opened', sessionKey: begun.paymentReferenceId, gatewayUrl };
}

function refusedSession({ gatewayText }: Extract<Exchanged, { refused: true }>): SessionOutcome {
  return { kind: 'refused', code: 'GATEWAY_REFUSED_SESSION', gatewayText };
}

/**
 * Verifies the attempt's session, then the reference that a callback claims, if that is another: a hint that counts only when Nagad says that
 * it is of this attempt. An attempt whose session is not known cannot have been paid, since its page was never known either.
 */
async function queryAttempt(exchange: Exchange, attempt: AttemptHandle): Promise<AttemptAnswer> {
  const { sessionKey, claimedValidationId: claimed, attemptReference } = attempt;
  const known = new Set(attempt.knownValidationIds);
  const own: AttemptAnswer =
    sessionKey === null || known.has(sessionKey)
      ? { kind: 'not-started' }
      : ((await verify(exchange, sessionKey)) ?? { kind: 'unknown', note: 'SESSION_NOT_FOUND' });
  if (own.kind === 'charged' || claimed === null || claimed === sessionKey || known.has(claimed)) {
    return own;
  }
  const other = await verify(exchange, claimed);
  return other?.kind === 'charged' && other.charge.attemptReference === attemptReference ? other : own;
}

/** Null where Nagad refuses the reference. */
async function verify(exchange: Exchange, paymentReference: string): Promise<AttemptAnswer | null> {
  const answer = await exchange({ path: ['verify', 'payment', paymentReference] });
  if (answer.refused) {
    return null;
  }
  const said = understood(Verification, answer.body);
  if (said.paymentRefId !== paymentReference) {
    throw new GatewayFailure('ambiguous', 'the gateway verified another payment than the one it was asked for');
  }
  return answerOf(said, answer.raw);
}

function understood<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    throw new GatewayFailure('ambiguous', 'the gateway answered something that is not its protocol');
  }
  return parsed.data;
}

/** The page is Nagad's own, on whatever port, and never less protected than the API. */
function isGatewayPage(pageUrl: string, baseUrl: string): boolean {
  if (!URL.canParse(pageUrl)) {
    return false;
  }
  const page = new URL(pageUrl);
  const base = new URL(baseUrl);
  return (
    (page.protocol === 'https:' || page.protocol === base.protocol) &&
    page.username === '' &&
    page.password === '' &&
    (page.host === base.host || page.hostname.endsWith('.mynagad.com'))
  );
}

/** `yyyyMMddHHmmss` in Asia/Dhaka, which has had no summer time since 2009. */
function dhakaDigits(atMs: number): string {
  return new Date(atMs + DHAKA_OFFSET_MS).toISOString().replaceAll(/\D/g, '').slice(0, 14);
}
