import type { z } from 'zod';
import { DomainError, type FieldErrors } from '../../domain/errors.ts';
import { describeError, type Logger } from '../../runtime/logger.ts';
import { readText, requireJson } from './body.ts';
import { NumberText, parseJsonStrictly, type JsonValue } from './json-text.ts';
import type { Route } from './route.ts';
import { isReplay, type AnySurface, type Context } from './surface.ts';

interface Compiled {
  readonly route: Route<unknown>;
  readonly pattern: RegExp;
}

/** Finds the surface and route of a request, checks it from outside in, runs the handler and writes the answer. */
export function createDispatcher(surfaces: readonly AnySurface[], log: Logger): (context: Context) => Promise<boolean> {
  const compiled = new Map(surfaces.map((surface) => [surface, surface.routes.map(compile)]));
  return async (context) => {
    const surface = surfaces.find((candidate) => isBelow(context.path, candidate.prefix) && candidate.accepts(context));
    if (surface === undefined) {
      return false;
    }
    context.state.surface = surface;
    await answer({ context, surface, routes: compiled.get(surface) ?? [], log });
    return true;
  };
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** `/payments/{id}` matches one segment for `{id}`. Everything else is literal. */
function compile(route: Route<unknown>): Compiled {
  const source = route.path
    .split('/')
    .map((segment) =>
      /^\{\w+\}$/.test(segment)
        ? `(?<${segment.slice(1, -1)}>[^/]+)`
        : segment.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`),
    )
    .join('/');
  return { route, pattern: new RegExp(`^${source}$`) };
}

interface Dispatching {
  readonly context: Context;
  readonly surface: AnySurface;
  readonly routes: readonly Compiled[];
  readonly log: Logger;
}

async function answer({ context, surface, routes, log }: Dispatching): Promise<void> {
  const path = context.path.slice(surface.prefix.length);
  const onPath = routes.filter(({ pattern }) => pattern.test(path));
  if (onPath.length === 0) {
    throw new DomainError('RESOURCE_NOT_FOUND', 'no such endpoint');
  }
  const found = onPath.find(({ route }) => route.method === context.method);
  if (found === undefined) {
    context.set('Allow', onPath.map(({ route }) => route.method).join(', '));
    throw new DomainError('METHOD_NOT_ALLOWED', 'this endpoint does not take that method');
  }
  const { route, pattern } = found;
  context.state.route = `${surface.name} ${route.method} ${route.path}`;
  surface.admit(context);
  const caller = route.auth === 'none' ? undefined : await surface.authenticate(context);
  const { body, rawBody } = await readBody(context, route, surface);
  const reply = await route.handler({
    params: check(route.params, decodedGroups(pattern.exec(path))),
    query: check(route.query, uniqueQuery(context)),
    body,
    rawBody,
    caller,
    headers: flatHeaders(context),
    requestId: context.state.requestId,
  });
  context.status = reply.status;
  context.set(reply.headers ?? {});
  context.type = 'application/json; charset=utf-8';
  if (isReplay(reply)) {
    context.body = reply.text;
    return;
  }
  const text = surface.render({ ...reply, data: encode(route, reply.data) });
  await reply.onSerialized?.(text).catch((error: unknown) => {
    log.warn(
      { requestId: context.state.requestId, error: describeError(error) },
      'the answer could not be stored for replay',
    );
  });
  context.body = text;
}

/** Answers are parsed too: a member that the contract does not know does not leave, and a missing one is our error, not the client's. */
function encode(route: Route<unknown>, data: unknown): unknown {
  return route.response.schema.parse(data);
}

function decodedGroups(match: RegExpExecArray | null): Record<string, string> {
  try {
    return Object.fromEntries(
      Object.entries(match?.groups ?? {}).map(([name, text]) => [name, decodeURIComponent(text)]),
    );
  } catch {
    throw new DomainError('RESOURCE_NOT_FOUND', 'no such endpoint');
  }
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

async function readBody(
  context: Context,
  route: Route<unknown>,
  surface: AnySurface,
): Promise<{ body: unknown; rawBody: JsonValue }> {
  if (route.body === undefined) {
    return { body: undefined, rawBody: null };
  }
  requireJson(context.get('content-type'));
  const rawBody = parseJsonStrictly(await readText(context.req, surface.bodyBytesMax));
  return { body: check(route.body, rawBody), rawBody };
}

/** Throws VALIDATION_ERROR with one message a field. A path or query that cannot name anything is 404 for the caller of an id. */
function check(schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) {
    return undefined;
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: fieldErrors(parsed.error, value) });
  }
  return parsed.data;
}

function fieldErrors(error: z.ZodError, value: unknown): FieldErrors {
  const fields: [string, string][] = [];
  for (const issue of error.issues) {
    const name = issue.path.length === 0 ? 'body' : issue.path.join('.');
    const given = issue.path.reduce<unknown>((node, key) => (isRecord(node) ? node[String(key)] : undefined), value);
    fields.push([
      name,
      given === undefined ? 'is required' : given instanceof NumberText ? 'must be a plain integer' : issue.message,
    ]);
  }
  // The first message of a field stands; fromEntries also keeps a hostile name such as __proto__ an ordinary member.
  return Object.fromEntries(fields.reverse());
}

function isRecord(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null;
}
