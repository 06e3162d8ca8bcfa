import { checkOutboundUrl, type AllowList } from '../../domain/outbound-url.ts';
import {
  ATTEMPT_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  REPLY_BYTES_MAX,
  REPLY_EXCERPT_BYTES_MAX,
} from '../../domain/webhook.ts';
import type { Delivery, DeliveryEndpoint } from '../../database/webhooks.ts';
import type { HttpClient } from '../../runtime/http-client.ts';
import { HttpFailure, type HttpFailureKind } from '../../runtime/http-client/failure.ts';
import type { SecretBox } from '../../runtime/secrets.ts';
import { retryAfterMs } from './retry-after.ts';
import { deliveryHeaders } from './signature.ts';

export interface SendDependencies {
  readonly http: HttpClient;
  readonly secrets: Pick<SecretBox, 'open'>;
  /** The same list as the HTTP client's: a URL that is no longer allowed is not even resolved. */
  readonly allow: AllowList;
}

/** What one request to a receiver brought. */
export interface SendResult {
  readonly delivered: boolean;
  readonly gone: boolean;
  /** False when the fault is ours: it says nothing about the endpoint. */
  readonly countsAgainstEndpoint: boolean;
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string | null;
  /** The receiver's own wish, 0 when it has none. */
  readonly retryAfterMs: number;
}

const ERRORS = {
  blocked: 'BLOCKED_ADDRESS',
  unresolved: 'UNRESOLVED_HOST',
  connect: 'CONNECT_FAILED',
  tls: 'TLS_FAILED',
  timeout: 'TIMEOUT',
  reset: 'CONNECTION_RESET',
  'too-large': 'HEADERS_TOO_LARGE',
  protocol: 'NOT_HTTP',
} as const satisfies Record<HttpFailureKind, string>;

/** Signs and sends the stored bytes once. Never rejects for what a receiver does. */
export async function sendEvent(
  deps: SendDependencies,
  { eventId, delivery, endpoint, now }: { eventId: string; delivery: Delivery; endpoint: DeliveryEndpoint; now: Date },
): Promise<SendResult> {
  if (!checkOutboundUrl(endpoint.url, deps.allow).ok) {
    return failed('URL_REFUSED');
  }
  const secrets = openSecrets(deps.secrets, endpoint);
  if (secrets === null) {
    return { ...failed('SECRET_UNREADABLE'), countsAgainstEndpoint: false };
  }
  const body = Buffer.from(delivery.payload, 'utf8');
  const { dialect, attempts } = delivery;
  const message = { eventId, sentAt: now, body, secrets, dialect, attempts };
  try {
    const reply = await deps.http.send({
      method: 'POST',
      url: endpoint.url,
      headers: { 'content-type': 'application/json', ...deliveryHeaders(message) },
      body,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      totalTimeoutMs: ATTEMPT_TIMEOUT_MS,
      maxBodyBytes: REPLY_BYTES_MAX,
      onTooLarge: 'truncate',
    });
    const delivered = reply.status >= 200 && reply.status < 300;
    return {
      delivered,
      gone: reply.status === 410,
      countsAgainstEndpoint: true,
      status: reply.status,
      error: delivered ? null : `HTTP_${reply.status}`,
      excerpt: excerptOf(reply.body),
      retryAfterMs: retryAfterMs(reply, now),
    };
  } catch (error) {
    if (error instanceof HttpFailure) {
      return failed(ERRORS[error.kind]);
    }
    throw error;
  }
}

function failed(error: string): SendResult {
  return {
    delivered: false,
    gone: false,
    countsAgainstEndpoint: true,
    status: null,
    error,
    excerpt: null,
    retryAfterMs: 0,
  };
}

/** While rotations overlap, several secrets sign. Null when the master key no longer opens one, or there is none. */
function openSecrets(box: Pick<SecretBox, 'open'>, { place, signingSecrets }: DeliveryEndpoint): string[] | null {
  try {
    const secrets = signingSecrets.map((sealed) => box.open(sealed, place));
    return secrets.length === 0 ? null : secrets;
  } catch {
    return null;
  }
}

/** The beginning of a reply as its owner may be shown it: one line of plain text, whatever bytes came. */
export function excerptOf(body: Buffer): string | null {
  const text = body
    .subarray(0, REPLY_EXCERPT_BYTES_MAX)
    .toString('utf8')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return text === '' ? null : text.slice(0, REPLY_EXCERPT_BYTES_MAX);
}
