import { randomBytes } from 'node:crypto';
import type { Mode } from '../../domain/mode.ts';
import { toDecimalText } from '../../domain/money.ts';
import type { HttpClient } from '../../runtime/http-client.ts';
import { sealedReturnUrl } from '../callback.ts';
import { readAnswer } from '../json.ts';
import { isGatewayPage } from '../page.ts';
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
import { parseCallback, sealKeyOf } from './callback.ts';
import { readCredentials, type NagadCredentials } from './credentials.ts';
import { seal, unseal } from './envelope.ts';
import { createExchange, type Exchange, type Exchanged } from './exchange.ts';

/**
 * Nagad publishes no limits for merchant payments. These only reject nonsense; the gateway's page refuses amounts above the payer's own limit.
 * Refunds are not offered: the only known refund call is known from a single client.
 */
export const NAGAD_CAPABILITIES: GatewayCapabilities = {
  name: 'nagad',
  displayName: 'Nagad',
  limits: new Map([['BDT', { minMinor: 100n, maxMinor: 50_000_000n }]]),
  refunds: false,
  refundsPerPaymentMax: null,
  refundWindowDays: null,
  feeKnown: 'at-settlement',
  // A query names the merchant but proves nothing; only the calls that open a session are signed.
  questionsProveStore: false,
  notifies: false,
  executes: false,
  sessionLifeMinutes: null,
  takesCallbacks: true,
  payouts: 'file',
  disputes: 'none',
};

/** The API's URL with its path, and the origin of the payer's page, which has its own port or host. Source: open-source clients. */
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
  readonly totalTimeoutMs?: number;
}

/** ISO 4217 numeric code of BDT. */
const TAKA_CODE = '050';
const DHAKA_OFFSET_MS = 6 * 3_600_000;

/**
 * Creates the adapter for Nagad's API v-0.2.0. Two calls open a session, which is identified by the payment reference from the first one. Nagad sends
 * no notifications and the browser's return proves nothing, so only a verification shows whether money moved.
 * @throws GatewayFailure `unauthorized` for a secret without valid keys
 */
export function createNagadGateway({ baseUrl, storeId, secret, http, totalTimeoutMs = 15_000 }: NagadOptions): Gateway {
  const credentials = readCredentials(storeId, secret);
  const exchange = createExchange({ baseUrl, credentials, http, totalTimeoutMs });
  return {
    capabilities: NAGAD_CAPABILITIES,
    storeId,
    openSession: (order) => openSession({ exchange, credentials, baseUrl }, order),
    queryAttempt: (attempt) => queryAttempt(exchange, attempt),
    parseCallback: (raw) => parseCallback(raw, credentials),
    refund: async () => ({ kind: 'refused', gatewayText: 'Nagad refunds are not supported', evidence: '' }),
    queryRefund: async () => ({ kind: 'unknown', note: 'REFUNDS_NOT_OFFERED' }),
  };
}

interface Opening {
  readonly exchange: Exchange;
  readonly credentials: NagadCredentials;
  readonly baseUrl: string;
}

/**
 * Initializes and completes a session. If an answer is lost, nobody can pay: only the last answer contains the page's URL. A retry with the same
 * reference therefore starts over. If Nagad does not accept the same order twice, its refusal ends the attempt.
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
      merchantCallbackURL: sealedReturnUrl(order.callbacks.back, orderId, sealKeyOf(credentials)),
      additionalMerchantInfo: {},
    },
  });
  if (second.refused) {
    return refusedSession(second);
  }
  const { callBackUrl: gatewayUrl } = readAnswer(Completed, second.body);
  if (!isGatewayPage(gatewayUrl, baseUrl, isPageHost)) {
    throw new GatewayFailure('ambiguous', 'the gateway completed a creation without the URL of its page');
  }
  return { kind: 'opened', sessionKey: begun.paymentReferenceId, gatewayUrl };
}

function refusedSession({ gatewayText }: Extract<Exchanged, { refused: true }>): SessionOutcome {
  return { kind: 'refused', code: 'GATEWAY_REFUSED_SESSION', gatewayText };
}

/**
 * Verifies the attempt's session, then the reference that a callback claims if that is a different one. The claim counts only if Nagad says that it
 * belongs to this attempt. An attempt whose session is unknown cannot have been paid, since its page was never known either.
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

/** Returns null if Nagad refuses the reference. */
async function verify(exchange: Exchange, paymentReference: string): Promise<AttemptAnswer | null> {
  const answer = await exchange({ path: ['verify', 'payment', paymentReference] });
  if (answer.refused) {
    return null;
  }
  const said = readAnswer(Verification, answer.body);
  if (said.paymentRefId !== paymentReference) {
    throw new GatewayFailure('ambiguous', 'the gateway verified a different payment than the one queried');
  }
  return answerOf(said, answer.raw);
}

/** Nagad serves its pages on other ports too. */
function isPageHost({ hostname }: URL): boolean {
  return hostname.endsWith('.mynagad.com');
}

/** Formats a time as `yyyyMMddHHmmss` in Asia/Dhaka, which has had no daylight saving time since 2009. */
function dhakaDigits(atMs: number): string {
  return new Date(atMs + DHAKA_OFFSET_MS).toISOString().replaceAll(/\D/g, '').slice(0, 14);
}
