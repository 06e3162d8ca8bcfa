import { Agent, type Dispatcher } from 'undici';
import { portOf } from '../domain/outbound-url.ts';
import type { AllowList } from '../domain/outbound-url.ts';
import { createGuardedConnector, type OutboundGuard } from './http-client/connector.ts';
import { errorCodeOf, HttpFailure } from './http-client/failure.ts';
import type { ResolveHost } from './http-client/resolve.ts';

export const USER_AGENT = 'Lenden/0.1';

const HEADER_BYTES_MAX = 16_384;
const KEEP_ALIVE_MS = 2_000;

export interface HttpClientOptions {
  /** `public-only` for URLs that applications choose; `none` for hosts that the operator configured. */
  readonly guard: OutboundGuard;
  /** Hosts that `public-only` lets through, for development and tests. */
  readonly allow: AllowList;
  /** Sockets to one origin at a time; further requests wait for one, within their connect time-out. */
  readonly socketsPerOrigin?: number;
  /** The longest that one socket may take to open; a request may ask for less. */
  readonly socketOpenTimeoutMs?: number;
  /** PEM certificates trusted in place of the system's. */
  readonly ca?: string;
  /** Replaces the name servers, in tests. */
  readonly resolve?: ResolveHost;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  /** `user-agent` is fixed and `accept-encoding` is `identity`: a reply is never decompressed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Until the request can be written: waiting for a socket, name, TCP and TLS. */
  readonly connectTimeoutMs: number;
  /** From the first written byte to the reply's headers; by default only the total counts. */
  readonly firstByteTimeoutMs?: number;
  readonly totalTimeoutMs: number;
  readonly maxBodyBytes: number;
  /**
   * What to do with more body than `maxBodyBytes`. `fail` suits a caller that needs the whole reply. `truncate` suits one that needs
   * the status: once the headers are in, a body that is too long, too slow or cut off is shortened, not a failure.
   */
  readonly onTooLarge: 'truncate' | 'fail';
}

export interface HttpReply {
  readonly status: number;
  /** Lower-case names; a repeated header is joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly truncated: boolean;
}

export interface HttpClient {
  /** Redirects are replies like any other. Throws only {@link HttpFailure}. */
  send(request: HttpRequest): Promise<HttpReply>;
  /** Ends idle connections at once and waits for running requests. */
  close(): Promise<void>;
}

/** The one way out of the process for webhooks and gateways: no redirects, no proxy variables, no cookies, TLS always verified. */
export function createHttpClient({
  guard,
  allow,
  socketsPerOrigin = 32,
  socketOpenTimeoutMs = 10_000,
  ca,
  resolve,
}: HttpClientOptions): HttpClient {
  const agent = new Agent({
    connect: createGuardedConnector({ guard, allow, connectTimeoutMs: socketOpenTimeoutMs, ca, resolve }),
    connections: socketsPerOrigin,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: HEADER_BYTES_MAX,
    // A server closes an idle connection without notice; the shorter we keep one, the rarer a request is lost in it.
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    // Every request brings its own limits, which its exchange enforces.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    send: (request) => new Exchange(request).run(agent),
    close: () => agent.close(),
  };
}

/** One request and its reply. It settles once; whatever the connection does afterwards changes nothing. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest;
  readonly #outcome = Promise.withResolvers<HttpReply>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #chunks: Buffer[] = [];
  #bodyBytes = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #status: number | undefined;
  #headers: Readonly<Record<string, string>> = {};
  #settled = false;

  constructor(request: HttpRequest) {
    this.#request = request;
  }

  run(agent: Agent): Promise<HttpReply> {
    const { method, url: text, headers, body, connectTimeoutMs, totalTimeoutMs } = this.#request;
    if (!URL.canParse(text)) {
      return Promise.reject(new HttpFailure('protocol', { sent: false, code: 'URL' }));
    }
    const url = new URL(text);
    if ((url.protocol !== 'https:' && url.protocol !== 'http:') || portOf(url) === 0) {
      return Promise.reject(new HttpFailure('protocol', { sent: false, code: 'URL' }));
    }
    this.#after(totalTimeoutMs, () => this.#stop('timeout'));
    this.#after(connectTimeoutMs, () => {
      if (this.#controller === undefined) {
        this.#stop('timeout');
      }
    });
    try {
      agent.dispatch(
        {
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method,
          headers: { ...lowerCaseNames(headers), 'user-agent': USER_AGENT, 'accept-encoding': 'identity' },
          body: body ?? null,
        },
        this,
      );
    } catch (error) {
      this.#fail(error);
    }
    return this.#outcome.promise;
  }

  /** The last moment before the request is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settled) {
      controller.abort(new Error('the request was given up before it was sent'));
      return;
    }
    this.#controller = controller;
    const { firstByteTimeoutMs } = this.#request;
    if (firstByteTimeoutMs !== undefined) {
      this.#after(firstByteTimeoutMs, () => {
        if (this.#status === undefined) {
          this.#stop('timeout');
        }
      });
    }
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    // An interim reply (1xx) is not the reply.
    if (status < 200) {
      return;
    }
    this.#status = status;
    this.#headers = joinValues(headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { maxBodyBytes } = this.#request;
    const room = maxBodyBytes - this.#bodyBytes;
    this.#bodyBytes += Math.min(room, chunk.length);
    // A copy: the chunk may be a small view on a large buffer that would stay in memory.
    this.#chunks.push(Buffer.from(chunk.subarray(0, room)));
    if (chunk.length > room) {
      this.#stop('too-large');
    }
  }

  onResponseEnd(): void {
    this.#reply(false);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#status !== undefined && this.#request.onTooLarge === 'truncate') {
      this.#reply(true);
    } else {
      this.#fail(error);
    }
  }

  /** A limit of ours was reached: end the exchange and its connection. */
  #stop(kind: 'timeout' | 'too-large'): void {
    if (this.#status !== undefined && this.#request.onTooLarge === 'truncate') {
      this.#reply(true);
    } else {
      this.#fail(new HttpFailure(kind, { sent: this.#controller !== undefined }));
    }
    this.#controller?.abort(new Error(kind));
  }

  #reply(truncated: boolean): void {
    const status = this.#status;
    if (status === undefined) {
      this.#fail(new Error('the reply ended before it began'));
      return;
    }
    this.#settle(() =>
      this.#outcome.resolve({ status, headers: this.#headers, body: Buffer.concat(this.#chunks), truncated }),
    );
  }

  #fail(error: unknown): void {
    this.#settle(() => this.#outcome.reject(toFailure(error, this.#controller !== undefined)));
  }

  #settle(finish: () => void): void {
    if (this.#settled) {
      return;
    }
    this.#settled = true;
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    finish();
  }

  #after(delayMs: number, action: () => void): void {
    this.#timers.add(setTimeout(action, delayMs));
  }
}

function toFailure(error: unknown, sent: boolean): HttpFailure {
  if (error instanceof HttpFailure) {
    return error.sent === sent ? error : new HttpFailure(error.kind, { sent });
  }
  const code = errorCodeOf(error);
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new HttpFailure('too-large', { sent, code });
  }
  // Before a request is written, nothing but its own content can be refused here: opening the socket fails as an HttpFailure.
  const malformed = !sent || (error instanceof Error && error.name === 'HTTPParserError');
  return new HttpFailure(malformed ? 'protocol' : 'reset', { sent, code });
}

function lowerCaseNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function joinValues(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}
