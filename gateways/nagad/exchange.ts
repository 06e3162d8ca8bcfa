import { z } from 'zod';
import type { HttpClient } from '../../runtime/http-client.ts';
import { sendToGateway, unexpectedStatus } from '../http.ts';
import { parseJson } from '../json.ts';
import { GatewayFailure } from '../port.ts';
import type { NagadCredentials } from './credentials.ts';

const API_VERSION = 'v-0.2.0';

const Refusal = z.looseObject({ reason: z.string().min(1), message: z.string().nullish() });

/** An answer from Nagad, or a clear refusal with Nagad's text. */
export type Exchanged =
  | { readonly refused: false; readonly body: unknown; readonly raw: string }
  | { readonly refused: true; readonly gatewayText: string };

export interface ExchangeOptions {
  readonly baseUrl: string;
  readonly credentials: NagadCredentials;
  readonly http: HttpClient;
  readonly totalTimeoutMs: number;
}

export type Exchange = (request: {
  readonly path: readonly string[];
  readonly body?: Readonly<Record<string, unknown>>;
}) => Promise<Exchanged>;

/**
 * Creates the function that calls Nagad. A refusal is a status of 400 to 499 with the JSON of Nagad's errors; without that JSON the status comes from
 * a proxy in front of Nagad.
 */
export function createExchange(options: ExchangeOptions): Exchange {
  const { credentials, http, totalTimeoutMs } = options;
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  return async ({ path, body }) => {
    const { status, raw } = await sendToGateway(http, {
      method: body === undefined ? 'GET' : 'POST',
      url: [baseUrl, ...path.map(pathSegment)].join('/'),
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'x-km-api-version': API_VERSION,
        'x-km-ip-v4': credentials.address,
        'x-km-client-type': 'PC_WEB',
        'x-km-mc-id': credentials.merchantId,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      totalTimeoutMs,
    });
    return status === 200 ? accepted(raw) : refusal(status, raw);
  };
}

function accepted(raw: string): Exchanged {
  const body = parseJson(raw);
  if (typeof body !== 'object' || body === null) {
    throw new GatewayFailure('ambiguous', "the gateway's answer does not follow its protocol");
  }
  return { refused: false, body, raw };
}

function refusal(status: number, raw: string): Exchanged {
  if (status === 401 || status === 403) {
    throw new GatewayFailure('unauthorized', `the gateway rejected the merchant or its address: HTTP ${status}`);
  }
  const parsed = Refusal.safeParse(parseJson(raw));
  if (status < 400 || status > 499 || !parsed.success) {
    throw unexpectedStatus(status);
  }
  return { refused: true, gatewayText: `${parsed.data.reason}: ${parsed.data.message ?? ''}` };
}

/** References are base64, and every published client sends their `=` unescaped. */
function pathSegment(text: string): string {
  return encodeURIComponent(text).replaceAll('%3D', '=');
}
