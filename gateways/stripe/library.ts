import { Stripe } from 'stripe';
import type { HttpClient } from '../../runtime/http-client.ts';
import { sendToGateway, unexpectedStatus } from '../http.ts';
import { parseJson } from '../json.ts';
import { GatewayFailure } from '../port.ts';

/** The only headers of the library that we send. The others describe this machine. */
const SENT_HEADERS = new Set(['authorization', 'accept', 'content-type', 'stripe-version', 'idempotency-key']);

export interface LibraryOptions {
  /** Origin of the API. */
  readonly baseUrl: string;
  readonly secretKey: string;
  readonly http: HttpClient;
  /** For one request including its answer. */
  readonly timeoutMs: number;
}

/** The library's result, with Stripe's raw answer. */
export type Answered<T> =
  | { readonly ok: true; readonly value: T; readonly raw: string }
  /** Stripe answered with an error object: a clear refusal. */
  | { readonly ok: false; readonly error: Refusal; readonly raw: string };

export interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly code: string;
}

/** Stripe stores a server error under its idempotency key and repeats it, so a retry needs another key. */
export class SpentKey extends GatewayFailure {
  constructor() {
    super('ambiguous', 'the gateway repeats its own failure for this idempotency key');
    this.name = 'SpentKey';
  }
}

export interface StripeLibrary {
  /** @throws GatewayFailure, never one of the library's errors */
  call<T extends object>(work: (stripe: Stripe) => Promise<T>): Promise<Answered<T>>;
}

/**
 * Creates the official library on top of our HTTP client, so that the client's limits and guards apply. The library does not retry: the workflow
 * decides when to try again.
 */
export function createStripeLibrary({ baseUrl, secretKey, http, timeoutMs }: LibraryOptions): StripeLibrary {
  const base = new URL(baseUrl);
  const secure = base.protocol === 'https:';
  const raws = new WeakMap<object, string>();
  const stripe = new Stripe(secretKey, {
    host: base.hostname,
    port: base.port === '' ? (secure ? 443 : 80) : base.port,
    protocol: secure ? 'https' : 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: timeoutMs,
    httpClient: {
      getClientName: () => 'lenden',
      makeRequest: (_host, _port, path, method, headers, body) =>
        exchange({ http, raws, timeoutMs, url: `${base.origin}${path}`, method, headers, body }),
    },
  });
  return {
    async call(work) {
      try {
        const value = await work(stripe);
        return { ok: true, value, raw: raws.get(value) ?? '' };
      } catch (error) {
        return { ok: false, ...refusalIn(error, raws) };
      }
    },
  };
}

interface Exchange {
  readonly http: HttpClient;
  readonly raws: WeakMap<object, string>;
  readonly timeoutMs: number;
  readonly url: string;
  readonly method: string;
  readonly headers: object;
  readonly body: string;
}

/** Sends one request. The library would take a 5xx without an error object for a success, so anything outside the protocol is rejected here. */
async function exchange({ http, raws, timeoutMs, url, method, headers, body }: Exchange) {
  const { raw, ...reply } = await sendToGateway(http, {
    method: method === 'POST' ? 'POST' : 'GET',
    url,
    headers: sentHeaders(headers),
    ...(method === 'POST' ? { body } : {}),
    totalTimeoutMs: timeoutMs,
  });
  const failure = failureOf(reply.status, reply.headers);
  if (failure !== null) {
    throw failure;
  }
  const answer = objectIn(raw);
  const error = answer?.['error'];
  const refused = typeof error === 'object' && error !== null;
  if (answer === null || refused !== reply.status >= 400) {
    throw new GatewayFailure('ambiguous', "the gateway's answer does not follow its protocol");
  }
  raws.set(refused ? error : answer, raw);
  return {
    getStatusCode: () => reply.status,
    getHeaders: () => ({ ...reply.headers }),
    getRawResponse: () => ({}),
    toStream: () => null,
    toJSON: () => Promise.resolve(answer),
  };
}

function sentHeaders(headers: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]): [string, string] => [name.toLowerCase(), String(value)])
      .filter(([name]) => SENT_HEADERS.has(name)),
  );
}

/** Classifies a failure by its status alone. Returns null if the body decides. */
function failureOf(status: number, headers: Readonly<Record<string, string>>): GatewayFailure | null {
  if (status === 401 || status === 403) {
    return new GatewayFailure('unauthorized', "the gateway rejected the store's key");
  }
  if (status >= 500 && headers['idempotent-replayed'] === 'true') {
    return new SpentKey();
  }
  // This includes 409: a request with the same key is still in progress.
  return status === 200 || status === 400 || status === 402 || status === 404 ? null : unexpectedStatus(status);
}

/** Unwraps the library's errors: it wraps what its HTTP client throws, and turns error objects into exceptions. */
function refusalIn(error: unknown, raws: WeakMap<object, string>): { readonly error: Refusal; readonly raw: string } {
  if (!(error instanceof Stripe.errors.StripeError)) {
    throw error;
  }
  if (error.detail instanceof GatewayFailure) {
    throw error.detail;
  }
  const raw = typeof error.raw === 'object' && error.raw !== null ? raws.get(error.raw) : undefined;
  if (raw === undefined || error.statusCode === undefined) {
    throw new GatewayFailure('ambiguous', "the gateway's answer could not be read", { cause: error });
  }
  return { error: { status: error.statusCode, type: error.rawType ?? '', code: plainCode(error.code) }, raw };
}

/** Our messages contain only what looks like a code, never the gateway's text. */
function plainCode(code: string | undefined): string {
  return code !== undefined && /^[a-z_]{1,64}$/.test(code) ? code : 'unknown';
}

function objectIn(raw: string): Record<string, unknown> | null {
  const value = parseJson(raw);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
