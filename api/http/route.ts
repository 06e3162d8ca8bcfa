import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { ErrorCode, FieldErrors } from '../../domain/errors.ts';
import type { Statements } from '../../database/statements.ts';
import type { JsonValue } from './json-text.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A handler's input: only what the route's schemas accepted. */
export interface RouteInput<Params, Query, Body, Caller, Early = undefined> {
  readonly params: Params;
  /** What the route's `early` has read. */
  readonly early: Early;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** The parsed body before the schema selected its fields; used for the idempotency fingerprint. */
  readonly rawBody: JsonValue;
  /** The body as sent; empty if there is none. */
  readonly bodyText: string;
  /** The body of a route that takes `bytes`, as it comes; otherwise empty. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Path and query as sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The client's address, as reported by trusted proxies. */
  readonly address: string;
  readonly requestId: string;
  /** Returns the media type that the client prefers, or false if it accepts none of them. */
  readonly accepts: (...types: string[]) => string | false;
}

/** The position of a response in a list. */
export interface Pagination {
  /** From 0. */
  readonly page: number;
  readonly size: number;
  readonly totalElements: number;
  readonly totalPages: number;
  /** Continues after this page even if rows are added before it. Null on the last page, or if the order has no cursor. */
  readonly nextCursor: string | null;
}

export interface RouteReply<Data> {
  readonly status: number;
  readonly data: Data;
  readonly message?: string;
  readonly pagination?: Pagination | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with the exact text about to be sent. Its failure does not fail the request. */
  readonly onSerialized?: (text: string) => Promise<void>;
}

/** A stored response, sent again byte for byte. */
export interface ReplayReply {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A response that is too long to build before sending. An error on the way closes the connection, so that clients do not mistake a part for the
 * whole.
 */
export interface StreamReply {
  readonly status: number;
  readonly stream: Readable;
  /** A `Content-Type` here takes precedence over the route's. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface RouteSpec<Params, Query, Body, Data, Caller, Early = undefined> {
  readonly method: HttpMethod;
  /** Below the surface's prefix, such as `/payments/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** `none` for public routes. */
  readonly auth: 'credential' | 'none';
  /** The permission that an operator needs. Routes on the operators' surface must have one. */
  readonly permission?: string;
  /** Whether the permission must be held in every application, because the route's subject belongs to none. */
  readonly everyApp?: boolean;
  /** Whether the operator must have entered the password shortly before. */
  readonly sensitive?: boolean;
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** Instead of JSON, the route takes bytes of one of these media types, and reads them as they come. */
  readonly bytes?: { readonly types: readonly string[]; readonly bytesMax: number };
  /**
   * Reads the caller's own rows in the round trip that finds the credential, before the caller is known: the database opens the scope of a usable
   * credential. The result reaches the handler only once the caller is authenticated. Only on surfaces with `authenticateAndRead`.
   */
  readonly early?: (statements: Statements, params: Params) => Promise<Early>;
  /** `required`: a request without a key is rejected. */
  readonly idempotent?: boolean | 'required';
  /** The error message for a request that fails its schemas. */
  readonly refusal?: string;
  /** For contracts that report all problems at once: returns the remaining problems of a body that its schema rejected, in the contract's order. */
  readonly alsoWrong?: (
    fields: FieldErrors,
    request: { readonly rawBody: JsonValue; readonly caller: Caller },
  ) => FieldErrors;
  readonly response: {
    readonly status: number;
    /** Another status with the same schema, such as 200 for what exists already. */
    readonly alsoStatus?: number;
    readonly schema: z.ZodType<Data>;
    readonly list?: boolean;
    readonly contentType?: string;
    /** Another media type, selected by `Accept`. */
    readonly alsoAs?: string;
  };
  readonly errors: readonly ErrorCode[];
  /** OpenAPI links from this response, for tools that follow them. */
  readonly links?: Readonly<Record<string, { operationId: string; parameters: Record<string, string> }>>;
  readonly handler: (
    input: RouteInput<Params, Query, Body, Caller, Early>,
  ) => Promise<RouteReply<Data> | ReplayReply | StreamReply>;
}

/** A route with its type parameters erased. */
export type Route<Caller> = RouteSpec<unknown, unknown, unknown, unknown, Caller, unknown>;

/** Returns the route. One object validates, types and documents an operation. */
export function route<Params, Query, Body, Data, Caller, Early = undefined>(
  spec: RouteSpec<Params, Query, Body, Data, Caller, Early>,
): Route<Caller> {
  return spec as unknown as Route<Caller>;
}
