import type { z } from 'zod';
import type { HttpClient } from '../../runtime/http-client.ts';
import { sendToGateway, unexpectedStatus } from '../http.ts';
import { parseJson, readAnswer } from '../json.ts';

export interface SslcommerzOptions {
  /** `https://sandbox.sslcommerz.com` or `https://securepay.sslcommerz.com`, or the simulator's origin. */
  readonly baseUrl: string;
  readonly storeId: string;
  readonly storePassword: string;
  readonly http: HttpClient;
  readonly totalTimeoutMs?: number;
}

interface CallRequest {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly form?: URLSearchParams;
}

export type Call = <Schema extends z.ZodType>(
  schema: Schema,
  request: CallRequest,
) => Promise<{ answer: z.infer<Schema>; raw: string }>;

/** Creates the function for one HTTP exchange. */
export function createCall({
  baseUrl,
  storeId,
  storePassword,
  http,
  totalTimeoutMs = 15_000,
}: SslcommerzOptions): Call {
  return async (schema, { method = 'GET', path, query, form }) => {
    const url = new URL(path, baseUrl);
    if (query !== undefined) {
      url.search = new URLSearchParams({
        ...query,
        store_id: storeId,
        store_passwd: storePassword,
        v: '1',
        format: 'json',
      }).toString();
    }
    const { status, raw } = await sendToGateway(http, {
      method,
      url: url.href,
      headers: form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' },
      ...(form === undefined ? {} : { body: form.toString() }),
      totalTimeoutMs,
    });
    if (status !== 200) {
      throw unexpectedStatus(status);
    }
    return { answer: readAnswer(schema, parseJson(raw)), raw };
  };
}
