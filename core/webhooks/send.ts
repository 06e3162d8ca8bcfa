import { checkOutboundUrl, type AllowList } from '../../domain/outbound-url.ts';
import {
  ATTEMPT_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  REPLY_BYTES_MAX,
  REPLY_EXCERPT_BYTES_MAX,
} from '../../domain/webhook.ts';
import type { Delivery, DeliveryEndpoint } from './store/deliveries.ts';
import type { Contract } from '../../domain/contract.ts';
import type { HttpClient } from '../../runtime/http-client.ts';
import { HttpFailure, type HttpFailureKind } from '../../runtime/http-client/failure.ts';
import type { SecretBox } from '../../runtime/secrets.ts';
import { retryAfterMs } from './retry-after.ts';
import { contractOf } from '../contracts/contracts.ts';

export interface SendDependencies {
  readonly http: HttpClient;
  readonly secrets: Pick<SecretBox, 'open'>;
  /** The same list as the HTTP client's: a URL that is no longer allowed is not even resolved. */
  readonly allow: AllowList;
}

/** The result of one request to a receiver. */
export interface SendResult {
  readonly delivered: boolean;
  readonly gone: boolean;
  /** False if the fault is ours and says nothing about the endpoint. */
  readonly countsAgainstEndpoint: boolean;
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string | null;
  /** The delay that the receiver asks for, 0 if none. */
  readonly retryAfterMs: number;
  /** The sealed secret that the receiver accepted after rejecting the first one. */
  readonly accepted: string | null;
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

interface Sending {
  readonly eventId: string;
  readonly delivery: Delivery;
  readonly endpoint: DeliveryEndpoint;
  readonly now: Date;
}

/**
 * Signs and sends the stored bytes. If the contract has room for one signature and several secrets are valid, a receiver that rejects one is sent the
 * next, since only the receiver knows which one it has. Never rejects because of the receiver's behavior.
 */
export async function sendEvent(deps: SendDependencies, sending: Sending): Promise<SendResult> {
  const { delivery, endpoint } = sending;
  if (!checkOutboundUrl(endpoint.url, deps.allow).ok) {
    return failed('URL_REFUSED');
  }
  const secrets = openSecrets(deps.secrets, endpoint);
  if (secrets === null) {
    return { ...failed('SECRET_UNREADABLE'), countsAgainstEndpoint: false };
  }
  const [first, ...others] = signersOf(delivery.contract, secrets);
  let sent = await offer(deps, sending, first);
  for (const signer of others) {
    if (!mayRefuseSignature(sent.status)) {
      break;
    }
    sent = await offer(deps, sending, signer);
    if (sent.delivered) {
      return { ...sent, accepted: endpoint.signingSecrets[secrets.indexOf(signer[0])] ?? null };
    }
  }
  return sent;
}

type Signers = readonly [string, ...string[]];

/** Returns the secrets that sign each request of an attempt: all at once if the contract has room, otherwise one per request. */
function signersOf(contract: Contract, secrets: Signers): readonly [Signers, ...Signers[]] {
  const [first, ...others] = secrets;
  return contractOf(contract).deliveries.signsAtOnce
    ? [secrets]
    : [[first], ...others.map((secret): Signers => [secret])];
}

/**
 * Receivers answer an unknown signature with 401, 403, 400 or another 4xx of their framework. A receiver that is gone, overloaded, broken or silent
 * says nothing about the signature, and may have accepted the event.
 */
function mayRefuseSignature(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && status !== 410 && status !== 429;
}

async function offer(
  deps: SendDependencies,
  { eventId, delivery, endpoint, now }: Sending,
  secrets: Signers,
): Promise<SendResult> {
  const body = Buffer.from(delivery.payload, 'utf8');
  const { contract, attempts } = delivery;
  const message = { eventId, sentAt: now, body, secrets, attempts };
  try {
    const reply = await deps.http.send({
      method: 'POST',
      url: endpoint.url,
      headers: { 'content-type': 'application/json', ...contractOf(contract).deliveries.headers(message) },
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
      accepted: null,
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
    accepted: null,
  };
}

/** Opens the secrets; several are valid while a rotation overlaps. Returns null if there is none or the master key does not open one. */
function openSecrets(box: Pick<SecretBox, 'open'>, { place, signingSecrets }: DeliveryEndpoint): Signers | null {
  try {
    const [first, ...others] = signingSecrets.map((sealed) => box.open(sealed, place));
    return first === undefined ? null : [first, ...others];
  } catch {
    return null;
  }
}

/** Returns the beginning of a response body as one line of plain text that is safe to show, whatever bytes it contains. */
export function excerptOf(body: Buffer): string | null {
  const text = body
    .subarray(0, REPLY_EXCERPT_BYTES_MAX)
    .toString('utf8')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return text === '' ? null : text.slice(0, REPLY_EXCERPT_BYTES_MAX);
}
