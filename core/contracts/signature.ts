import { hmacSha256 } from '../../runtime/secrets.ts';

const SECRET_PREFIX = 'whsec_';

export interface SignedMessage {
  readonly eventId: string;
  readonly sentAt: Date;
  readonly body: Buffer;
  /** `whsec_` and base64; several while a rotation overlaps, if the contract has room for them. */
  readonly secrets: readonly string[];
}

export interface DeliveredMessage extends SignedMessage {
  readonly secrets: readonly [string, ...string[]];
  /** The number of attempts before this one. */
  readonly attempts: number;
}

/**
 * Returns the headers of one attempt according to the Standard Webhooks specification: HMAC-SHA256 over `id.timestamp.body`, one `v1,` signature per
 * secret. `x-webhook-id` repeats the id.
 * @throws Error if a secret is malformed; the message does not contain it
 */
export function signedHeaders({ eventId, sentAt, body, secrets }: SignedMessage): Record<string, string> {
  const timestamp = Math.floor(sentAt.getTime() / 1_000).toString();
  const content = Buffer.concat([Buffer.from(`${eventId}.${timestamp}.`), body]);
  const signatures = secrets.map((secret) => `v1,${hmacSha256(keyOf(secret), content).toString('base64')}`);
  return {
    'webhook-id': eventId,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
    'x-webhook-id': eventId,
  };
}

/** HMAC-SHA256 over the raw body, in hex, with the secret's text as the key. The header has room for one signature. */
export function ownpayHeaders({ eventId, body, secrets: [secret] }: DeliveredMessage): Record<string, string> {
  return {
    'x-ownpay-signature': `sha256=${hmacSha256(secret, body).toString('hex')}`,
    'x-webhook-id': eventId,
  };
}

/** The contract numbers attempts up to this. A later resend carries the same last number. */
const SHADHINPAY_ATTEMPTS_MAX = 6;

/**
 * HMAC-SHA256 in hex over `t=`, the Unix seconds, a dot and the raw body, with the secret's text as the key. There is room for one signature. The
 * trace id is the event's id, by which the delivery's workflow can be found.
 */
export function shadhinpayHeaders(message: DeliveredMessage): Record<string, string> {
  const {
    eventId,
    sentAt,
    body,
    attempts,
    secrets: [secret],
  } = message;
  const timestamp = `t=${Math.floor(sentAt.getTime() / 1_000)}`;
  const content = Buffer.concat([Buffer.from(`${timestamp}.`), body]);
  return {
    'x-shadhinpay-signature': `${timestamp},v1=${hmacSha256(secret, content).toString('hex')}`,
    'x-shadhinpay-event-id': eventId,
    'x-shadhinpay-delivery-attempt': String(Math.min(attempts + 1, SHADHINPAY_ATTEMPTS_MAX)),
    'x-shadhinpay-trace-id': eventId.replaceAll('-', ''),
  };
}

function keyOf(secret: string): Buffer {
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  if (!secret.startsWith(SECRET_PREFIX) || key.length < 24) {
    throw new Error('a webhook signing secret is not `whsec_` followed by the base64 of at least 24 bytes');
  }
  return key;
}
