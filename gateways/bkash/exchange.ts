import { z } from 'zod';
import type { HttpClient } from '../../runtime/http-client.ts';
import { HttpFailure } from '../../runtime/http-client/failure.ts';
import { GatewayFailure } from '../port.ts';

const ANSWER_BYTES_MAX = 256 * 1024;
const CONNECT_TIMEOUT_MS = 5_000;

/** Accepts numbers and text. An absent or null member becomes ''. */
export const optionalText = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? '' : String(value)));

const Outcome = z.looseObject({ statusCode: optionalText, errorCode: optionalText, message: optionalText });

/** An answer with its code: `0000` is success. The code is '' if the answer has only a `message`, as those of a proxy in front of bKash do. */
export interface Exchanged {
  readonly code: string;
  readonly message: string;
  readonly body: unknown;
  readonly raw: string;
}

export interface Exchange {
  readonly http: HttpClient;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, string>>;
  readonly totalTimeoutMs: number;
}

/**
 * Sends one POST with JSON and translates failures: `ambiguous` if the request may have reached the gateway, `unavailable` if it did not. A refusal
 * by code is returned as an answer, since its meaning depends on the request.
 * @throws GatewayFailure
 */
export async function exchange({ http, url, headers, body, totalTimeoutMs }: Exchange): Promise<Exchanged> {
  const reply = await http
    .send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: JSON.stringify(body),
      connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, totalTimeoutMs),
      totalTimeoutMs,
      maxBodyBytes: ANSWER_BYTES_MAX,
      onTooLarge: 'fail',
    })
    .catch((error: unknown) => {
      throw translated(error);
    });
  if (reply.status === 401) {
    throw new GatewayFailure('unauthorized', 'the gateway rejected the credentials or the token');
  }
  if (reply.status === 429) {
    throw new GatewayFailure('rate-limited', 'the gateway is rate limiting requests');
  }
  if (reply.status !== 200) {
    throw new GatewayFailure('ambiguous', `the gateway answered HTTP ${reply.status}`);
  }
  const raw = reply.body.toString('utf8');
  const parsed = Outcome.safeParse(parseJson(raw));
  if (!parsed.success) {
    throw new GatewayFailure('ambiguous', "the gateway's answer does not follow its protocol");
  }
  const { statusCode, errorCode, message } = parsed.data;
  return { code: statusCode === '' ? errorCode : statusCode, message, body: parsed.data, raw };
}

function translated(error: unknown): unknown {
  if (!(error instanceof HttpFailure)) {
    return error;
  }
  const message = `the gateway could not be reached: ${error.kind}`;
  return new GatewayFailure(error.sent ? 'ambiguous' : 'unavailable', message, { cause: error });
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
