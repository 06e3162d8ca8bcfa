import type { ParameterizedContext } from 'koa';
import type { Statements } from '../../database/statements.ts';
import type { DomainError } from '../../domain/errors.ts';
import type { ReplayReply, Route, RouteReply, StreamReply } from './route.ts';

/** What the HTTP layer stores about a request. */
export interface RequestState {
  requestId: string;
  /** Set once a surface has accepted the request, so that every error is answered in its shape. */
  surface?: AnySurface;
  route?: string;
  /** Set for HEAD, which is handled as GET without the body, so no person reads the page. */
  head?: true;
}
export type Context = ParameterizedContext<RequestState>;

/** Sees no rows if the credential is not usable. Its result is discarded if the caller turns out not to be authenticated. */
export type EarlyRead<Read = unknown> = (statements: Statements) => Promise<Read>;

/**
 * One published contract: its routes, authentication and shapes. Several surfaces may have a route on one path. `accepts`, called in order, decides
 * between them, so that a new contract leaves the others unchanged.
 */
export interface Surface<Caller> {
  readonly name: string;
  /** Prefix of all paths, such as `/api/v1`. */
  readonly prefix: string;
  readonly routes: readonly Route<Caller>[];
  /** Returns whether a request on a path below the prefix belongs to this surface, whether or not a route exists. */
  accepts(context: Context): boolean;
  /** Runs first on every path. Throws when it is unclear which contract a request addresses. */
  guard?(context: Context): void;
  /** Throws UNAUTHORIZED or RATE_LIMITED, and the errors of the route's permission where callers differ in what they may do. */
  authenticate(context: Context, route: Route<Caller>): Promise<Caller>;
  /** Authenticates as `authenticate` does, and runs `read` in the round trip that finds the credential. */
  authenticateAndRead?(
    context: Context,
    read: EarlyRead,
  ): Promise<{ readonly caller: Caller; readonly early: unknown }>;
  /** Runs for an unknown path or method, before the error is sent: adds what a known caller gets with every response. Throws RATE_LIMITED only. */
  unrouted?(context: Context): Promise<void>;
  /** Runs after a request of a route has failed, before the error is sent: records it. */
  failed?(context: Context, route: Route<Caller>, error: unknown): Promise<void>;
  /** `WWW-Authenticate` of a 401. */
  readonly challenge?: string;
  /** Runs before public routes: limits requests per address. */
  admit(context: Context): void;
  render(reply: RouteReply<unknown>): string;
  renderError(error: DomainError, requestId: string): { status: number; text: string };
  readonly bodyBytesMax: number;
}

/** A surface with its caller type erased. */
export type AnySurface = Surface<unknown>;

export function surface<Caller>(definition: Surface<Caller>): AnySurface {
  return definition as unknown as AnySurface;
}

export function isStream(reply: RouteReply<unknown> | ReplayReply | StreamReply): reply is StreamReply {
  return 'stream' in reply;
}

export function isReplay(reply: RouteReply<unknown> | ReplayReply): reply is ReplayReply {
  return 'text' in reply;
}
