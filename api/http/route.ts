import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { ErrorCode, FieldErrors } from '../../domain/errors.ts';
import type { JsonValue } from './json-text.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a handler gets: only what its route's schemas let through. */
export interface RouteInput<Params, Query, Body, Caller> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** The parsed body before the schema picked its fields: what idempotency fingerprints. */
  readonly rawBody: JsonValue;
  /** The body as it was sent; empty without one. */
  readonly bodyText: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The client's address, as far as the proxies in front of us are trusted to tell it. */
  readonly address: string;
  readonly requestId: string;
  /** Which of some media types the client likes best; false when it takes none of them. */
  readonly accepts: (...types: string[]) => string | false;
}

/** Where in a list an answer stands. */
export interface Pagination {
  /** From 0. */
  readonly page: number;
  readonly size: number;
  readonly totalElements: number;
  readonly totalPages: number;
  /** Asks for what follows, however much is added before it; null at the end, or where the order has no cursor. */
  readonly nextCursor: string | null;
}

export interface RouteReply<Data> {
  readonly status: number;
  readonly data: Data;
  readonly message?: string;
  /** Of lists that have pages. */
  readonly pagination?: Pagination | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with the exact text that is about to be sent; a failure of it does not fail the request. */
  readonly onSerialized?: (text: string) => Promise<void>;
}

/** A stored answer, sent again byte for byte. */
export interface ReplayReply {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer that is too long to be made before it is sent. What fails on the way ends the connection, so nobody takes a part for the whole. */
export interface StreamReply {
  readonly status: number;
  readonly stream: Readable;
  /** A `Content-Type` here goes before the route's. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface RouteSpec<Params, Query, Body, Data, Caller> {
  readonly method: HttpMethod;
  /** Below the surface's prefix, such as `/payments/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** `none` for public routes. */
  readonly auth: 'credential' | 'none';
  /** What an operator must hold; the operators' surface takes no route without it. */
  readonly permission?: string;
  /** The permission must be held in every application: what the route touches belongs to none. */
  readonly everyApp?: boolean;
  /** Only shortly after the password was entered. */
  readonly sensitive?: boolean;
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** `required`: refused without a key. */
  readonly idempotent?: boolean | 'required';
  /** What is said of a request that its schemas refuse. */
  readonly refusal?: string;
  /**
   * Where the contract tells all that is wrong at once: what else is wrong with a body that its schema refuses, in the order that the contract has.
   */
  readonly alsoWrong?: (
    fields: FieldErrors,
    request: { readonly rawBody: JsonValue; readonly caller: Caller },
  ) => FieldErrors;
  /** Status and schema of the good answers. */
  readonly response: {
    readonly status: number;
    readonly schema: z.ZodType<Data>;
    readonly list?: boolean;
    readonly contentType?: string;
    /** What else it can be had as, by `Accept`. */
    readonly alsoAs?: string;
  };
  readonly errors: readonly ErrorCode[];
  /** OpenAPI links from this answer, so that stateful clients find the way. */
  readonly links?: Readonly<Record<string, { operationId: string; parameters: Record<string, string> }>>;
  readonly handler: (
    input: RouteInput<Params, Query, Body, Caller>,
  ) => Promise<RouteReply<Data> | ReplayReply | StreamReply>;
}

/** A route whose types have been checked and are no longer needed. */
export type Route<Caller> = RouteSpec<unknown, unknown, unknown, unknown, Caller>;

/** One object validates, types and documents an operation. */
export function route<Params, Query, Body, Data, Caller>(
  spec: RouteSpec<Params, Query, Body, Data, Caller>,
): Route<Caller> {
  return spec as unknown as Route<Caller>;
}
