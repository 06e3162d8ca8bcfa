import { randomUUID } from 'node:crypto';
import Koa from 'koa';
import { DomainError } from '../../domain/errors.ts';
import { TooMuchWaiting } from '../../runtime/bounded-work.ts';
import { describeError, type Logger } from '../../runtime/logger.ts';
import { sqlStateOf } from '../../database/connection.ts';
import { USUAL_STATUS } from './status.ts';
import type { Context, RequestState } from './surface.ts';

export interface ListenerOptions {
  readonly log: Logger;
  /** Each answers the request and returns true, or leaves it to the next one. */
  readonly handlers: readonly ((context: Context) => Promise<boolean>)[];
  readonly trustedProxies: number;
  readonly https: boolean;
  /** Answers an error of a request that no surface has accepted. */
  readonly renderError?: (context: Context, error: DomainError) => void;
  /** Runs around each request, for telemetry. */
  readonly observe?: RequestObserver | undefined;
}

export type RequestObserver = (context: Context, handle: () => Promise<void>) => Promise<void>;

/**
 * Returns a Koa application with request ids and one log line per request. Every error is answered in the shape of the surface that accepted the
 * request.
 */
export function createListener({
  log,
  handlers,
  trustedProxies,
  https,
  renderError,
  observe = (_context, handle) => handle(),
}: ListenerOptions): Koa<RequestState> {
  const app = new Koa<RequestState>({ proxy: trustedProxies > 0, maxIpsCount: trustedProxies });
  app.silent = true;
  app.on('error', (error: unknown) => log.error({ error: describeError(error) }, 'response failed'));
  app.use(async (context) => {
    const started = performance.now();
    const { method } = context;
    // Handle HEAD as GET; Node omits the body.
    if (method === 'HEAD') {
      context.state.head = true;
      context.method = 'GET';
    }
    context.state.requestId = randomUUID();
    context.set({
      'X-Request-Id': context.state.requestId,
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    });
    if (https) {
      context.set('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
    }
    await observe(context, () =>
      handle(context, handlers).catch((error: unknown) =>
        answerError({ context, error, log, ...(renderError === undefined ? {} : { renderError }) }),
      ),
    );
    // An answer ends the request, also one whose body is still coming.
    if (!context.req.complete) {
      context.set('Connection', 'close');
    }
    log.info(
      {
        requestId: context.state.requestId,
        method,
        // Paths contain references that open a payment's page, so only the route's template is logged.
        route: context.state.route ?? 'unmatched',
        status: context.status,
        ms: Math.round(performance.now() - started),
      },
      'request',
    );
  });
  return app;
}

async function handle(context: Context, handlers: ListenerOptions['handlers']): Promise<void> {
  for (const handler of handlers) {
    if (await handler(context)) {
      return;
    }
  }
  throw new DomainError('RESOURCE_NOT_FOUND', 'no such endpoint');
}

interface Failure {
  readonly context: Context;
  readonly error: unknown;
  readonly log: Logger;
  readonly renderError?: (context: Context, error: DomainError) => void;
}

function answerError({ context, error, log, renderError }: Failure): void {
  const known = error instanceof DomainError ? error : unexpected(error);
  if (known !== error) {
    log.error(
      { requestId: context.state.requestId, route: context.state.route, error: describeError(error) },
      'request failed',
    );
  }
  if (known.retryAfterSeconds !== undefined) {
    context.set('Retry-After', String(known.retryAfterSeconds));
  }
  if (USUAL_STATUS[known.code] === 401) {
    context.set('WWW-Authenticate', context.state.surface?.challenge ?? 'ApiKey');
  }
  if (context.state.surface !== undefined) {
    const { status, text } = context.state.surface.renderError(known, context.state.requestId);
    context.status = status;
    context.type = 'application/json; charset=utf-8';
    context.body = text;
  } else if (renderError !== undefined) {
    renderError(context, known);
  } else {
    context.status = USUAL_STATUS[known.code];
    context.type = 'text/plain; charset=utf-8';
    context.body = known.message;
  }
}

/** Returns 503 with `Retry-After` for an unavailable database or too much waiting work, and 500 for every other unexpected error. */
function unexpected(error: unknown): DomainError {
  return isOverload(error)
    ? new DomainError('SERVICE_UNAVAILABLE', 'the service is temporarily unavailable; try again shortly', {
        retryAfterSeconds: 2,
      })
    : new DomainError('INTERNAL_ERROR', 'an internal error occurred; quote the request id');
}

const CONNECTION_ERRORS: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
]);

function isOverload(error: unknown): boolean {
  for (let cause = error, depth = 0; Error.isError(cause) && depth < 5; cause = cause.cause, depth += 1) {
    if (cause instanceof TooMuchWaiting) {
      return true;
    }
    const state = sqlStateOf(cause);
    // SQLSTATE classes: 08 connection, 53 resources, 57 operator intervention. 55P03 lock not available, 25006 read-only.
    if (state !== undefined && (/^(08|53|57)/.test(state) || state === '55P03' || state === '25006')) {
      return true;
    }
    const code = 'code' in cause ? cause.code : undefined;
    if (typeof code === 'string' && CONNECTION_ERRORS.has(code)) {
      return true;
    }
    if (
      /timeout exceeded when trying to connect|Connection terminated|connection error and is not queryable/i.test(
        cause.message,
      )
    ) {
      return true;
    }
  }
  return false;
}
