import { createHash } from 'node:crypto';
import type { Stripe } from 'stripe';
import { sealedReturnUrl } from '../callback.ts';
import { readAnswer } from '../json.ts';
import { isGatewayPage } from '../page.ts';
import { GatewayFailure, type SessionOrder, type SessionOutcome } from '../port.ts';
import { SessionAnswer } from './answers.ts';
import type { StripeCredentials } from './credentials.ts';
import { SpentKey, type Answered, type StripeLibrary } from './library.ts';
import { toStripeAmount } from './units.ts';

export interface Opening {
  readonly library: StripeLibrary;
  readonly baseUrl: string;
  readonly credentials: StripeCredentials;
}

/** Source: a session lives from 30 minutes to 24 hours. The margins cover the request's travel time and clock differences. */
const LIFE_MIN_MS = 31 * 60_000;
const LIFE_MAX_MS = 24 * 3_600_000 - 5 * 60_000;

/**
 * Opens the page. A create request whose answer was lost is repeated with the same key and gets the same session. That key can become useless: the
 * order changed, the session's lifetime starts at another moment, or Stripe keeps a server error under it. A second key, derived from the request,
 * then opens another session. Nobody has the URL of the first one, so nobody can pay twice.
 */
export async function openSession(opening: Opening, order: SessionOrder): Promise<SessionOutcome> {
  const params = paramsOf(opening, order);
  if (params === null) {
    return { kind: 'refused', code: 'GATEWAY_REFUSED_SESSION', gatewayText: 'not an amount that Stripe can represent' };
  }
  const key = `checkout:${order.attemptReference}`;
  const first = await create(opening, params, key).catch((error: unknown) => {
    if (error instanceof SpentKey) {
      return null;
    }
    throw error;
  });
  const spent = first === null || (!first.ok && first.error.type === 'idempotency_error');
  const answered = spent ? await create(opening, params, `${key}:${fingerprint(params)}`) : first;
  if (!answered.ok) {
    if (answered.error.type === 'idempotency_error') {
      throw new GatewayFailure(
        'ambiguous',
        'the gateway has used both idempotency keys of this session for other requests',
      );
    }
    return { kind: 'refused', code: 'GATEWAY_REFUSED_SESSION', gatewayText: `code ${answered.error.code}` };
  }
  const { id, url } = readAnswer(SessionAnswer, answered.value);
  if (
    typeof url !== 'string' ||
    !isGatewayPage(url, opening.baseUrl, ({ host }) => host === pageHostOf(opening.baseUrl))
  ) {
    throw new GatewayFailure('ambiguous', "the gateway's answer to a creation has no page URL");
  }
  return { kind: 'opened', sessionKey: id, gatewayUrl: url };
}

function create(
  { library }: Opening,
  params: Stripe.Checkout.SessionCreateParams,
  key: string,
): Promise<Answered<object>> {
  return library.call((stripe) => stripe.checkout.sessions.create(params, { idempotencyKey: key }));
}

/**
 * Builds the create request. It names no customer: Stripe asks the payer for an email address itself, and the order's may be a placeholder. The
 * charge is captured at once, so that its fee is known with it.
 */
function paramsOf(
  { credentials }: Opening,
  { attemptReference, amount, productName, callbacks, expiresAt, readAt }: SessionOrder,
): Stripe.Checkout.SessionCreateParams | null {
  const unitAmount = toStripeAmount(amount);
  if (unitAmount === null) {
    return null;
  }
  const back = sealedReturnUrl(callbacks.back, attemptReference, credentials.webhookSecret);
  const metadata = { attempt_reference: attemptReference };
  return {
    mode: 'payment',
    line_items: [
      {
        quantity: 1,
        price_data: {
          currency: amount.currency.toLowerCase(),
          unit_amount: unitAmount,
          product_data: { name: productName },
        },
      },
    ],
    client_reference_id: attemptReference,
    metadata,
    payment_intent_data: { metadata, capture_method: 'automatic' },
    expires_at: expiryOf(expiresAt, readAt.getTime()),
    success_url: `${back}?outcome=success&session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${back}?outcome=cancel`,
  };
}

/**
 * Returns the session's expiry in Unix seconds: the payment's expiry, within the range that Stripe accepts by the database's clock. If the payment
 * ends earlier, we close the session ourselves.
 */
function expiryOf(expiresAt: Date, nowMs: number): number {
  const wantedMs = Math.min(Math.max(expiresAt.getTime(), nowMs + LIFE_MIN_MS), nowMs + LIFE_MAX_MS);
  return Math.floor(wantedMs / 1_000);
}

function fingerprint(params: Stripe.Checkout.SessionCreateParams): string {
  return createHash('sha256').update(JSON.stringify(params)).digest('base64url').slice(0, 16);
}

function pageHostOf(baseUrl: string): string {
  return new URL(pageOriginOf(baseUrl)).host;
}

/** Returns the origin of the page. Stripe serves its pages from a host of their own. */
export function pageOriginOf(baseUrl: string): string {
  return new URL(baseUrl).hostname === 'api.stripe.com' ? 'https://checkout.stripe.com' : baseUrl;
}
