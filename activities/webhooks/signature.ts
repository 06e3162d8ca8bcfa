import type { Contract } from '../../domain/contract.ts';
import { hmacSha256 } from '../../runtime/secrets.ts';

const SECRET_PREFIX = 'whsec_';

export interface SignedMessage {
  readonly eventId: string;
  readonly sentAt: Date;
  readonly body: Buffer;
  /** `whsec_` and base64; several while a rotation overlaps, where the contract has room for them. */
  readonly secrets: readonly string[];
}

export interface DeliveredMessage extends SignedMessage {
  readonly secrets: readonly [string, ...string[]];
  readonly contract: Contract;
  /** How many attempts there were before this one. */
  readonly attempts: number;
}

/** Whether a request of this contract has room for a signature by each secret. */
export function signsAtOnce(contract: Contract): boolean {
  return contract === 'native';
}

/** The headers of one request, as the event's contract has them. */
export function deliveryHeaders(message: DeliveredMessage): Record<string, string> {
  switch (message.contract) {
    case 'ownpay':
      return ownpayHeaders(message);
    case 'shadhinpay':
      return shadhinpayHeaders(message);
    case 'native':
      return signedHeaders(message);
  }
}

/**
 * The headers of one attempt, as the Standard Webhooks specification has them: HMAC-SHA256 over `id.timestamp.body`, one `v1,` signature
 * for each secret. `x-webhook-id` repeats the id.
 * @throws Error when a secret is malformed; the message does not hold it
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

/** HMAC-SHA256 over the raw body in hex, with the secret's text as the key. The header has room for one signature. */
function ownpayHeaders({ eventId, body, secrets: [secret] }: DeliveredMessage): Record<string, string> {
  return {
    'x-ownpay-signature': `sha256=${hmacSha256(secret, body).toString('hex')}`,
    'x-webhook-id': eventId,
  };
}

/** The contract numbers attempts up to this; one that an operator asks for after them is another last one. */
const SHADHINPAY_ATTEMPTS_MAX = 6;

/**
 * HMAC-SHA256 in hex over `t=`, the Unix seconds, a dot and the raw body, with the secret's text as the key. There is room for one. The trace is
 * the event's id: by it the delivery's workflow is found.
 */
function shadhinpayHeaders(message: DeliveredMessage): Record<string, string> {
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
    throw new Error('a webhook signing secret is not whsec_ and base64 of at least 24 bytes');
  }
  return key;
}
