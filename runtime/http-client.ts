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
  /** Hosts that `public-only` also allows, for development and tests. */
  readonly allow: AllowList;
  /** Sockets to one origin at a time. Further requests wait for one, within their connect timeout. */
  readonly socketsPerOrigin?: number;
  /** The longest that opening a socket may take; a request can set less. */
  readonly socketOpenTimeoutMs?: number;
  /** PEM certificates trusted in place of the system's. */
  readonly ca?: string;
  /** Replaces DNS in tests. */
  readonly resolve?: ResolveHost;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  /** `user-agent` is fixed and `accept-encoding` is `identity`: replies are never decompressed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** The limit until the request can be written: waiting for a socket, DNS, TCP and TLS. */
  readonly connectTimeoutMs: number;
  /** The limit from the first written byte to the reply's headers. By default only the total counts. */
  readonly firstByteTimeoutMs?: number;
  readonly totalTimeoutMs: number;
  readonly maxBodyBytes: number;
  /**
   * What to do if the body exceeds `maxBodyBytes`. `fail` is for callers that need the whole reply. `truncate` is for callers that need the status:
   * once the headers are in, a body that is too long, too slow or cut off is shortened and does not fail.
   */
  readonly onTooLarge: 'truncate' | 'fail';
}

export interface HttpReply {
  readonly status: number;
  /** Names are in lower case; the values of a repeated header are joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly truncated: boolean;
}

export interface HttpClient {
  /** Sends a request. A redirect is returned like any other reply. Throws only {@link HttpFailure}. */
  send(request: HttpRequest): Promise<HttpReply>;
  /** Closes idle connections at once and waits for running requests. */
  close(): Promise<void>;
}

/** Returns the client for all outgoing requests to webhooks and gateways: no redirects, no proxy variables, no cookies, TLS always verified. */
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
    // Servers close idle connections without notice. A short keep-alive makes it rare that a request is lost that way.
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    // Each request has its own limits, which its Exchange enforces.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    send: (request) => new Exchange(request).run(agent),
    close: () => agent.close(),
  };
}

/** One request and its reply. It settles once; later events of the connection have no effect. */
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

  /** Called right before the request is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settled) {
      controller.abort(new Error('the request was aborted before it was sent'));
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
    // Skip interim replies (1xx).
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
    // Copy: the chunk may be a small view of a large buffer that would stay in memory.
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

  /** Ends the exchange and its connection when one of our limits is reached. */
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
      this.#fail(new Error('the connection closed before the response began'));
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
  // Before a request is written, only its own content can be rejected here: failing to open a socket throws an HttpFailure.
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
