import { Stripe } from 'stripe';
import { z } from 'zod';
import { plainId, readReturn, unreadable } from '../callback.ts';
import { parseJson } from '../json.ts';
import type { CallbackArrival, ParsedCallback } from '../port.ts';
import type { StripeCredentials } from './credentials.ts';

/** Source: the default of the library and of Stripe's documentation. */
const TOLERANCE_SECONDS = 300;
/** The library accepts any timestamp in the future. Without this limit a stored signature with a future timestamp would stay valid until then. */
const AHEAD_SECONDS_MAX = 60;

/** Returns the attempt that a callback names, unverified. */
export function attemptNamedIn(raw: string): string | null {
  return raw.startsWith('{') ? referenceIn(eventIn(raw)) : (readReturn(raw)?.attemptReference ?? null);
}

/** Reads the browser's return, `reference.seal?outcome=…`, or a posted event. */
export function parseCallback(
  raw: string,
  arrival: CallbackArrival | undefined,
  credentials: StripeCredentials,
): ParsedCallback {
  return raw.startsWith('{') ? parseEvent(raw, arrival, credentials) : parseReturn(raw, credentials);
}

const CLAIMS_OF_RETURN: ReadonlyMap<string, ParsedCallback['claims']> = new Map([
  ['success', 'paid'],
  ['cancel', 'cancelled'],
]);

function parseReturn(raw: string, credentials: StripeCredentials): ParsedCallback {
  const found = readReturn(raw);
  if (found === null) {
    return unreadable('UNREADABLE');
  }
  const fields = new URLSearchParams(found.query);
  return {
    attemptReference: found.attemptReference,
    signatureValid: found.isSealedWith(credentials.webhookSecret),
    claims: CLAIMS_OF_RETURN.get(fields.get('outcome') ?? '') ?? 'unknown',
    claimedValidationId: plainSessionId(fields.get('session_id')),
    note: null,
  };
}

/** The fields of session, charge and refund events that identify the attempt and the claim. */
const Event = z.looseObject({
  id: z.string().min(1).max(255),
  object: z.literal('event'),
  type: z.string(),
  data: z.looseObject({
    object: z.looseObject({
      id: z.string().nullish(),
      object: z.string().nullish(),
      client_reference_id: z.string().nullish(),
      payment_status: z.string().nullish(),
      status: z.string().nullish(),
      metadata: z.record(z.string(), z.unknown()).nullish(),
      payment_intent: z.unknown().optional(),
    }),
  }),
});
type Event = z.infer<typeof Event>;

/**
 * Reads an event and checks that the endpoint's secret signed these bytes a short while ago. A stored event is parsed again without `arrival`, for
 * its claims only; the result of the signature check is stored with it.
 */
function parseEvent(
  raw: string,
  arrival: CallbackArrival | undefined,
  { webhookSecret }: StripeCredentials,
): ParsedCallback {
  const event = eventIn(raw);
  if (event === null) {
    return unreadable('UNREADABLE');
  }
  const ofSession = event.data.object.object === 'checkout.session';
  return {
    attemptReference: referenceIn(event),
    signatureValid: isSigned(raw, arrival, webhookSecret),
    claims: claimsOf(event),
    claimedValidationId: ofSession ? plainSessionId(event.data.object.id ?? null) : null,
    note: null,
    eventId: event.id,
    ...refundNamedIn(event),
    ...aboutIn(event),
  };
}

function isSigned(raw: string, arrival: CallbackArrival | undefined, webhookSecret: string): boolean {
  const header = arrival?.headers['stripe-signature'];
  if (arrival === undefined || typeof header !== 'string') {
    return false;
  }
  try {
    const at = arrival.at.getTime();
    Stripe.webhooks.constructEvent(raw, header, webhookSecret, TOLERANCE_SECONDS, undefined, at);
    return signedAtSeconds(header) <= at / 1_000 + AHEAD_SECONDS_MAX;
  } catch {
    return false;
  }
}

/** Returns the last `t` of the header, which is the one that the library checks. */
function signedAtSeconds(header: string): number {
  const times = header.split(',').flatMap((part) => /^t=(\d+)/.exec(part)?.[1] ?? []);
  return Number(times.at(-1) ?? NaN);
}

/** The refund's status tells its outcome, whichever of these events carries it. A `canceled` refund returns no money either. */
const REFUND_EVENTS: ReadonlySet<string> = new Set(['refund.failed', 'refund.updated', 'charge.refund.updated']);

function isFailedRefund({ type, data: { object } }: Event): boolean {
  const { status } = object;
  return REFUND_EVENTS.has(type) && object.object === 'refund' && (status === 'failed' || status === 'canceled');
}

function refundNamedIn(event: Event): Pick<ParsedCallback, 'claimedRefundId'> {
  const id = event.data.object.id ?? '';
  return isFailedRefund(event) && /^[0-9A-Za-z_]{1,120}$/.test(id) ? { claimedRefundId: id } : {};
}

function aboutIn({ type, data: { object } }: Event): Pick<ParsedCallback, 'about'> {
  const id = plainId(object.id);
  if (id !== null && type.startsWith('payout.') && object.object === 'payout') {
    return { about: { kind: 'payout', payoutReference: id } };
  }
  const status = plainId(object.status);
  return id !== null && status !== null && type.startsWith('charge.dispute.') && object.object === 'dispute'
    ? { about: { kind: 'dispute', disputeId: id, status, gatewayTxnId: plainId(object.payment_intent) } }
    : {};
}

function claimsOf(event: Event): ParsedCallback['claims'] {
  const { type, data } = event;
  if (isFailedRefund(event)) {
    return 'refund-failed';
  }
  switch (type) {
    case 'checkout.session.completed':
      // Unpaid: the payment method's money arrives later.
      return data.object.payment_status === 'paid' ? 'paid' : 'unknown';
    case 'checkout.session.async_payment_succeeded':
      return 'paid';
    case 'checkout.session.async_payment_failed':
      return 'failed';
    case 'checkout.session.expired':
      return 'expired';
    default:
      return 'unknown';
  }
}

/** A session names its attempt itself; a charge or refund has it in metadata that we set. */
function referenceIn(event: Event | null): string | null {
  const { client_reference_id: reference, metadata } = event?.data.object ?? {};
  return plainId(reference ?? metadata?.['attempt_reference']);
}

function eventIn(raw: string): Event | null {
  return Event.safeParse(parseJson(raw)).data ?? null;
}

function plainSessionId(text: string | null): string | null {
  return text !== null && /^cs_[0-9A-Za-z_]{1,120}$/.test(text) ? text : null;
}
