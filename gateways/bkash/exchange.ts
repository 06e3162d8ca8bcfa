import { z } from 'zod';
import type { HttpClient } from '../../runtime/http-client.ts';
import { sendToGateway, unexpectedStatus } from '../http.ts';
import { optionalText, parseJson, readAnswer } from '../json.ts';
import { GatewayFailure } from '../port.ts';

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
 * Sends one POST with JSON. A refusal by code is returned as an answer, since its meaning depends on the request.
 * @throws GatewayFailure as {@link sendToGateway} does, and `unauthorized`
 */
export async function exchange({ http, url, headers, body, totalTimeoutMs }: Exchange): Promise<Exchanged> {
  const { status, raw } = await sendToGateway(http, {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
    body: JSON.stringify(body),
    totalTimeoutMs,
  });
  if (status === 401) {
    throw new GatewayFailure('unauthorized', 'the gateway rejected the credentials or the token');
  }
  if (status !== 200) {
    throw unexpectedStatus(status);
  }
  const answer = readAnswer(Outcome, parseJson(raw));
  const { statusCode, errorCode, message } = answer;
  return { code: statusCode === '' ? errorCode : statusCode, message, body: answer, raw };
}
