import { Router } from '@koa/router';
import type { z } from 'zod';
import { DomainError, type FieldErrors } from '../../domain/errors.ts';
import { describeError, type Logger } from '../../runtime/logger.ts';
import { readBytes, readText, requireJson, requireType } from './body.ts';
import { parseJsonStrictly, type JsonValue } from './json-text.ts';
import type { Route } from './route.ts';
import { allowHeader } from './methods.ts';
import { isReplay, isStream, type AnySurface, type Context } from './surface.ts';

/** Returns the handler that finds the surface and route of a request, checks the request, runs the route's handler and writes the response. */
export function createDispatcher(surfaces: readonly AnySurface[], log: Logger): (context: Context) => Promise<boolean> {
  const routers = new Map(surfaces.map((surface) => [surface, createRouter(surface)]));
  return async (context) => {
    const surface = [...routers.keys()].find(
      (candidate) => isBelow(context.path, candidate.prefix) && candidate.accepts(context),
    );
    const find = surface === undefined ? undefined : routers.get(surface);
    if (surface === undefined || find === undefined) {
      return false;
    }
    context.state.surface = surface;
    await answer({ context, surface, find, log });
    return true;
  };
}

/** Koa answers one type when asked for the best of several. */
function oneOf(type: string | string[] | false): string | false {
  return Array.isArray(type) ? (type[0] ?? false) : type;
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** Returns the route of a request with its path parameters, or the methods of its path; none if there is no such path. */
type FindRoute = (context: Context) => { route: Route<unknown>; params: Record<string, string> } | { allow: string[] };

/** @koa/router only matches paths. The rest is our own code, because each surface has its own order of checks and its own error shapes. */
function createRouter(surface: AnySurface): FindRoute {
  const router = new Router({ prefix: surface.prefix, strict: true, sensitive: true });
  const routes = new Map(surface.routes.map((route) => [route.operationId, route]));
  for (const { operationId, path, method } of surface.routes) {
    router.register(path.replace(/\{(\w+)\}/g, ':$1'), [method], () => undefined, { name: operationId });
  }
  return ({ path, method }) => {
    const matching = router.match(path, method).path.map((layer) => ({ layer, route: routes.get(layer.name ?? '') }));
    // A literal path takes precedence over a path parameter: `/invoices/template` is not an invoice.
    const onPath = matching.filter(({ route }) => route?.path === matching[0]?.route?.path);
    const found = onPath.find(({ route }) => route?.method === method);
    return found?.route === undefined
      ? { allow: onPath.flatMap(({ route }) => route?.method ?? []) }
      : { route: found.route, params: found.layer.params(path, found.layer.captures(path)) };
  };
}

interface Dispatching {
  readonly context: Context;
  readonly surface: AnySurface;
  readonly find: FindRoute;
  readonly log: Logger;
}

async function answer({ context, surface, find, log }: Dispatching): Promise<void> {
  surface.guard?.(context);
  const found = find(context);
  if ('allow' in found) {
    await surface.unrouted?.(context);
    if (found.allow.length === 0) {
      throw new DomainError('RESOURCE_NOT_FOUND', 'no such endpoint');
    }
    context.set('Allow', allowHeader(found.allow));
    throw new DomainError('METHOD_NOT_ALLOWED', 'this endpoint does not support that method');
  }
  const { route } = found;
  context.state.route = `${surface.name} ${route.method} ${route.path}`;
  try {
    await serve({ context, surface, log, ...found });
  } catch (error) {
    await surface.failed?.(context, route, error);
    throw error;
  }
}

interface Serving extends Omit<Dispatching, 'find'> {
  readonly route: Route<unknown>;
  readonly params: Record<string, string>;
}

async function serve({ context, surface, log, route, params }: Serving): Promise<void> {
  surface.admit(context);
  const { caller, early } = await identify({ context, surface, route, params });
  const { body, rawBody, bodyText, bytes } = await readBody(context, { route, surface, caller });
  const reply = await route.handler({
    params: check(route.params, params, route),
    early,
    query: check(route.query, uniqueQuery(context), route),
    body,
    rawBody,
    bodyText,
    bytes,
    target: context.url,
    caller,
    headers: flatHeaders(context),
    address: context.ip,
    requestId: context.state.requestId,
    accepts: (...types) => oneOf(context.accepts(...types)),
  });
  context.status = reply.status;
  context.type = route.response.contentType ?? 'application/json; charset=utf-8';
  context.set(reply.headers ?? {});
  if (isStream(reply)) {
    context.body = reply.stream;
    return;
  }
  if (isReplay(reply)) {
    context.body = reply.text;
    return;
  }
  const text = surface.render({ ...reply, data: encode(route, reply.data) });
  await reply.onSerialized?.(text).catch((error: unknown) => {
    log.warn(
      { requestId: context.state.requestId, error: describeError(error) },
      'the response could not be stored for replay',
    );
  });
  context.body = text;
}

interface Identified {
  readonly caller: unknown;
  readonly early: unknown;
}

/** A request with invalid parameters reads nothing early, and is rejected after its caller is authenticated. */
async function identify({ context, surface, route, params }: Omit<Serving, 'log'>): Promise<Identified> {
  const { early } = route;
  if (early !== undefined && surface.authenticateAndRead !== undefined) {
    const parsed = route.params?.safeParse(params);
    if (parsed?.success === true) {
      return surface.authenticateAndRead(context, (statements) => early(statements, parsed.data));
    }
  }
  return { caller: route.auth === 'none' ? undefined : await surface.authenticate(context, route), early: undefined };
}

/** Parses responses too: unknown members are removed, and a missing one is a server error. */
function encode(route: Route<unknown>, data: unknown): unknown {
  return route.response.schema.parse(data);
}

function uniqueQuery(context: Context): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(context.querystring)) {
    if (Object.hasOwn(query, name)) {
      throw new DomainError('VALIDATION_ERROR', 'a query parameter is given twice', {
        fields: { [name]: 'is given twice' },
      });
    }
    Object.defineProperty(query, name, { value, enumerable: true });
  }
  return query;
}

function flatHeaders(context: Context): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(context.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

interface BodyOf {
  readonly route: Route<unknown>;
  readonly surface: AnySurface;
  readonly caller: unknown;
}

async function readBody(
  context: Context,
  { route, surface, caller }: BodyOf,
): Promise<{ body: unknown; rawBody: JsonValue; bodyText: string; bytes: AsyncIterable<Uint8Array> }> {
  if (route.bytes !== undefined) {
    requireType(context.get('content-type'), route.bytes.types);
    return { ...NO_BODY, bytes: readBytes(context.req, route.bytes.bytesMax) };
  }
  if (route.body === undefined) {
    return NO_BODY;
  }
  requireJson(context.get('content-type'));
  const bodyText = await readText(context.req, surface.bodyBytesMax);
  const rawBody = parseJsonStrictly(bodyText);
  const also = (fields: FieldErrors): FieldErrors => route.alsoWrong?.(fields, { rawBody, caller }) ?? fields;
  return { ...NO_BODY, body: check(route.body, rawBody, { refusal: route.refusal, also }), rawBody, bodyText };
}

const NO_BYTES: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};
const NO_BODY = { body: undefined, rawBody: null, bodyText: '', bytes: NO_BYTES };

interface Refusing {
  readonly refusal?: string | undefined;
  readonly also?: (fields: FieldErrors) => FieldErrors;
}

/** Throws VALIDATION_ERROR with one message per field. */
function check(
  schema: z.ZodType | undefined,
  value: unknown,
  { refusal, also = (fields) => fields }: Refusing,
): unknown {
  if (schema === undefined) {
    return undefined;
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw new DomainError('VALIDATION_ERROR', refusal ?? 'the request is not valid', {
      fields: also(fieldErrors(parsed.error, value)),
    });
  }
  return parsed.data;
}

function fieldErrors(error: z.ZodError, value: unknown): FieldErrors {
  const fields = new Map<string, string>();
  for (const issue of error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        fields.set([...issue.path, key].join('.'), 'is not a known field');
      }
      continue;
    }
    const name = issue.path.length === 0 ? 'body' : issue.path.join('.');
    const given = issue.path.reduce<unknown>((node, key) => (isRecord(node) ? node[String(key)] : undefined), value);
    // Keep the first message of each field.
    if (!fields.has(name)) {
      const untaken = isUntakenNumber(given, issue) ? 'must be a plain integer' : issue.message;
      fields.set(name, given === undefined ? 'is required' : untaken);
    }
  }
  // Object.fromEntries stores a hostile name such as __proto__ as an ordinary member.
  return Object.fromEntries(fields);
}

/** Returns whether a number was kept as text (see `NumberText`) where the schema requires a plain number. */
function isUntakenNumber(given: unknown, issue: z.core.$ZodIssue): boolean {
  return typeof given === 'symbol' && issue.code === 'invalid_type' && /^(number|int)$/.test(issue.expected);
}

function isRecord(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null;
}
