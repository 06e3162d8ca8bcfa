import type { HttpClient, HttpRequest } from '../runtime/http-client.ts';
import { HttpFailure } from '../runtime/http-client/failure.ts';
import { GatewayFailure } from './port.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_BYTES_MAX = 1024 * 1024;

export type RequestToGateway = Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body' | 'totalTimeoutMs'>;

export interface GatewayReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The answer, verbatim: it is stored as evidence. */
  readonly raw: string;
}

/**
 * Sends one request to a gateway. What a status means depends on the gateway, apart from 429.
 * @throws GatewayFailure `unavailable` if the request did not reach the gateway, `ambiguous` if it may have, `rate-limited`
 */
export async function sendToGateway(http: HttpClient, request: RequestToGateway): Promise<GatewayReply> {
  const reply = await http
    .send({
      ...request,
      connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, request.totalTimeoutMs),
      maxBodyBytes: ANSWER_BYTES_MAX,
      onTooLarge: 'fail',
    })
    .catch((error: unknown) => {
      throw translated(error);
    });
  if (reply.status === 429) {
    throw new GatewayFailure('rate-limited', 'the gateway is rate limiting requests');
  }
  return { status: reply.status, headers: reply.headers, raw: reply.body.toString('utf8') };
}

/** A status outside the gateway's protocol says nothing about the request: a proxy in front of the gateway may have answered. */
export function unexpectedStatus(status: number): GatewayFailure {
  return new GatewayFailure('ambiguous', `the gateway answered HTTP ${status}`);
}

function translated(error: unknown): unknown {
  if (!(error instanceof HttpFailure)) {
    return error;
  }
  const message = `the gateway could not be reached: ${error.kind}`;
  return new GatewayFailure(error.sent ? 'ambiguous' : 'unavailable', message, { cause: error });
}
