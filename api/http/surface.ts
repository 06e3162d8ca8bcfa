import type { ParameterizedContext } from 'koa';
import type { DomainError } from '../../domain/errors.ts';
import type { ReplayReply, Route, RouteReply, StreamReply } from './route.ts';

/** What the HTTP layer keeps about a request. */
export interface RequestState {
  requestId: string;
  /** Set once a surface has taken the request, so that every failure is answered in its shape. */
  surface?: AnySurface;
  route?: string;
  /** The request was HEAD, which is answered as GET without its body: nobody reads a page. */
  head?: true;
}
export type Context = ParameterizedContext<RequestState>;

/**
 * One published contract: its own routes, authentication and shapes. Several surfaces may have a route on one path; which of them a
 * request means is decided by `accepts`, asked in order, so a contract is added without touching the others.
 */
export interface Surface<Caller> {
  readonly name: string;
  /** Prefix of all paths, such as `/api/v1`. */
  readonly prefix: string;
  readonly routes: readonly Route<Caller>[];
  /** True when a request on a path below the prefix is this surface's, whether or not a route exists. */
  accepts(context: Context): boolean;
  /** Runs first, whatever the path: throws where it cannot be told whose request this is. */
  guard?(context: Context): void;
  /** Throws UNAUTHORIZED or RATE_LIMITED; where callers differ in what they may do, also what the route demands. */
  authenticate(context: Context, route: Route<Caller>): Promise<Caller>;
  /** Runs where there is no such path or method, before that is told: what a known caller is told with every answer. Throws RATE_LIMITED only. */
  unrouted?(context: Context): Promise<void>;
  /** Runs where a request of a route has failed, before that is answered: what is to be written down of it. */
  failed?(context: Context, route: Route<Caller>, error: unknown): Promise<void>;
  /** `WWW-Authenticate` of a 401. */
  readonly challenge?: string;
  /** Runs before public routes: limits per address. */
  admit(context: Context): void;
  render(reply: RouteReply<unknown>): string;
  renderError(error: DomainError, requestId: string): { status: number; text: string };
  readonly bodyBytesMax: number;
}

/** A surface whose caller type is known to itself only. */
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
