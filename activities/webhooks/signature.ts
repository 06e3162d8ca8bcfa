import { hmacSha256 } from '../../runtime/secrets.ts';

const SECRET_PREFIX = 'whsec_';

export interface SignedMessage {
  readonly eventId: string;
  readonly sentAt: Date;
  readonly body: Buffer;
  /** `whsec_` and base64; several while a rotation overlaps, the newest first. */
  readonly secrets: readonly string[];
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

function keyOf(secret: string): Buffer {
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  if (!secret.startsWith(SECRET_PREFIX) || key.length < 24) {
    throw new Error('a webhook signing secret is not whsec_ and base64 of at least 24 bytes');
  }
  return key;
}
