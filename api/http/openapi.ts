import type { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import { createSchemaWriter, isObject, type Json, type JsonObject, type SchemaWriter } from './openapi/schemas.ts';
import type { Route } from './route.ts';

/** What a contract adds to its routes to make a complete OpenAPI document: envelope, statuses and descriptions. */
export interface Contract {
  readonly info: JsonObject;
  readonly servers: readonly JsonObject[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly securitySchemes: JsonObject;
  /** What routes with `auth: 'credential'` require. */
  readonly security: readonly JsonObject[];
  /** What routes with a permission require instead: an operator's session. */
  readonly operatorSecurity: readonly JsonObject[];
  /** Returns the schema of a successful body around the data. For a list it includes pagination. */
  success(data: z.ZodType, options: { readonly list: boolean }): z.ZodType;
  /** Returns the schema of an error body with one of these codes. */
  failure(codes: readonly ErrorCode[]): z.ZodType;
  failureExample(code: ErrorCode): Json;
  readonly failureMeanings: Readonly<Record<ErrorCode, string>>;
  readonly statuses: Readonly<Record<ErrorCode, number>>;
  /** Examples by schema id. */
  readonly examples: Readonly<Record<string, Json>>;
  readonly headers: ContractHeaders;
  readonly idempotencyKey: JsonObject;
  readonly webhooks: readonly Webhook[];
}

/** Header objects by name. An error before authentication carries the rate limit headers only sometimes. */
export interface ContractHeaders {
  readonly always: JsonObject;
  readonly rateLimit: JsonObject;
  readonly replayed: JsonObject;
  readonly retryAfter: JsonObject;
  readonly challenge: JsonObject;
  readonly allow: JsonObject;
}

/** An event that Lenden posts to the application. */
export interface Webhook {
  readonly name: string;
  readonly operationId: string;
  readonly summary: string;
  readonly body: z.ZodType;
  readonly example: Json;
  readonly headers: readonly JsonObject[];
  readonly responses: JsonObject;
}

const JSON_TYPE = 'application/json';
/** Codes whose response carries `Retry-After`. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set(['IDEMPOTENCY_IN_PROGRESS', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE']);
/** Codes that can be answered before the caller is known. */
const BEFORE_THE_CALLER_IS_KNOWN: ReadonlySet<ErrorCode> = new Set([
  'UNAUTHORIZED',
  'TOKEN_EXPIRED',
  'SESSION_EXPIRED',
  'RATE_LIMITED',
  'SERVICE_UNAVAILABLE',
  'INTERNAL_ERROR',
]);

/** Returns the OpenAPI 3.1 document of a surface, made from the schemas that validate its requests and responses. */
export function openApiDocument(routes: readonly Route<never>[], contract: Contract): JsonObject {
  const writer: Writer = { contract, schemas: createSchemaWriter(), responses: new Map(), headers: new Map() };
  const paths = pathsOf(writer, routes);
  // Errors of every path that belong to no operation: unknown endpoint and unsupported method.
  failureResponse(writer, { codes: ['RESOURCE_NOT_FOUND'], credential: false });
  failureResponse(writer, { codes: ['METHOD_NOT_ALLOWED'], credential: false });
  const webhooks = Object.fromEntries(contract.webhooks.map((webhook) => [webhook.name, webhookItem(writer, webhook)]));
  return {
    openapi: '3.1.0',
    info: contract.info,
    servers: contract.servers,
    tags: contract.tags.map(({ name, description }) => ({ name, description })),
    paths,
    webhooks,
    components: {
      schemas: withExamples(writer.schemas.components(), contract.examples),
      responses: sorted(writer.responses),
      headers: sorted(writer.headers),
      securitySchemes: contract.securitySchemes,
    },
  };
}

interface Writer {
  readonly contract: Contract;
  readonly schemas: SchemaWriter;
  readonly responses: Map<string, JsonObject>;
  readonly headers: Map<string, JsonObject>;
}

function pathsOf(writer: Writer, routes: readonly Route<never>[]): JsonObject {
  const paths = new Map<string, Record<string, JsonObject>>();
  for (const route of routes) {
    const item = paths.get(route.path) ?? {};
    item[route.method.toLowerCase()] = operation(writer, route);
    paths.set(route.path, item);
  }
  return Object.fromEntries(paths);
}

function operation(writer: Writer, route: Route<never>): JsonObject {
  const { contract, schemas } = writer;
  const parameters = [
    ...parametersOf(schemas, 'path', route.params),
    ...parametersOf(schemas, 'query', route.query),
    ...keyOf(contract, route),
  ];
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: securityOf(contract, route),
    ...(route.permission === undefined ? {} : { 'x-permission': route.permission }),
    ...(route.sensitive === true ? { 'x-step-up': true } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: { [JSON_TYPE]: { schema: schemas.input(route.body) } } } }),
    ...(route.bytes === undefined ? {} : { requestBody: bytesBody(route.bytes) }),
    responses: {
      ...(route.response.alsoStatus === undefined
        ? {}
        : { [route.response.alsoStatus]: goodResponse(writer, route, 'It exists already.') }),
      [route.response.status]: goodResponse(writer, route),
      ...failureResponses(writer, route),
    },
  };
}

function takesKey({ idempotent = false }: Route<never>): boolean {
  return idempotent !== false;
}

function keyOf(contract: Contract, route: Route<never>): JsonObject[] {
  const required = route.idempotent === 'required' ? { required: true } : {};
  return takesKey(route) ? [{ ...contract.idempotencyKey, ...required }] : [];
}

function securityOf(contract: Contract, route: Route<never>): readonly JsonObject[] {
  if (route.auth === 'none') {
    return [];
  }
  return route.permission === undefined ? contract.security : contract.operatorSecurity;
}

function parametersOf(schemas: SchemaWriter, place: 'path' | 'query', schema: z.ZodType | undefined): JsonObject[] {
  if (schema === undefined) {
    return [];
  }
  const { properties, required } = schemas.input(schema);
  const needed = Array.isArray(required) ? required : [];
  return Object.entries(isObject(properties) ? properties : {}).map(([name, property]) => {
    const { description, ...rest } = isObject(property) ? property : {};
    return {
      name,
      in: place,
      required: needed.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function bytesBody({ types }: NonNullable<Route<never>['bytes']>): JsonObject {
  const bytes = { schema: { type: 'string', format: 'binary' } };
  return { required: true, content: Object.fromEntries(types.map((type) => [type, bytes])) };
}

function goodResponse(
  writer: Writer,
  route: Route<never>,
  description = route.response.status === 201 ? 'Created.' : 'Done.',
): JsonObject {
  const { contract, schemas } = writer;
  const { headers } = contract;
  return {
    description,
    headers: {
      ...refer(writer, headers.always),
      ...(route.auth === 'none' ? {} : refer(writer, headers.rateLimit)),
      ...(takesKey(route) ? refer(writer, headers.replayed, { required: false }) : {}),
    },
    content: {
      ...(route.response.contentType === undefined
        ? {
            [JSON_TYPE]: {
              schema: schemas.output(contract.success(route.response.schema, { list: route.response.list === true })),
            },
          }
        : { [route.response.contentType]: { schema: schemas.output(route.response.schema) } }),
      ...(route.response.alsoAs === undefined
        ? {}
        : { [route.response.alsoAs]: { schema: { type: 'string', format: 'binary' } } }),
    },
    ...(route.links === undefined ? {} : { links: route.links }),
  };
}

function failureResponses(writer: Writer, route: Route<never>): JsonObject {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(route.errors)) {
    const status = writer.contract.statuses[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const credential = route.auth === 'credential';
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, codes]) => [status, failureResponse(writer, { codes, credential })]),
  );
}

/** Returns a reference to the error response; operations with the same errors share one component. */
function failureResponse(
  writer: Writer,
  { codes, credential }: { codes: readonly ErrorCode[]; credential: boolean },
): JsonObject {
  const name = `${credential ? '' : 'Public'}${codes.map(pascalCase).join('Or')}`;
  if (!writer.responses.has(name)) {
    writer.responses.set(name, failureComponent(writer, { codes, credential }));
  }
  return { $ref: `#/components/responses/${name}` };
}

function failureComponent(
  writer: Writer,
  { codes, credential }: { codes: readonly ErrorCode[]; credential: boolean },
): JsonObject {
  const { contract, schemas } = writer;
  const { headers } = contract;
  const anonymous = codes.some((code) => BEFORE_THE_CALLER_IS_KNOWN.has(code));
  const limited = credential && !codes.every((code) => code === 'UNAUTHORIZED');
  const alwaysRetryable = codes.every((code) => RETRYABLE.has(code));
  return {
    description: codes.map((code) => `\`${code}\`: ${contract.failureMeanings[code]}`).join('\n\n'),
    headers: {
      ...refer(writer, headers.always),
      ...(limited ? refer(writer, headers.rateLimit, { required: !anonymous }) : {}),
      ...(codes.some((code) => RETRYABLE.has(code))
        ? refer(writer, headers.retryAfter, { required: alwaysRetryable })
        : {}),
      ...(codes.some((code) => contract.statuses[code] === 401) ? refer(writer, headers.challenge) : {}),
      ...(codes.includes('METHOD_NOT_ALLOWED') ? refer(writer, headers.allow) : {}),
    },
    content: {
      [JSON_TYPE]: {
        schema: schemas.output(contract.failure(codes)),
        examples: Object.fromEntries(codes.map((code) => [code, { value: contract.failureExample(code) }])),
      },
    },
  };
}

/** Returns references to header components. Each header has up to two: one that is always present and one that is sometimes. */
function refer(writer: Writer, headers: JsonObject, { required } = { required: true }): JsonObject {
  return Object.fromEntries(
    Object.entries(headers).map(([name, header]) => {
      const component = required ? name : `${name}.sometimes`;
      writer.headers.set(component, isObject(header) ? { ...header, required } : {});
      return [name, { $ref: `#/components/headers/${component}` }];
    }),
  );
}

function sorted(components: ReadonlyMap<string, JsonObject>): JsonObject {
  return Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function webhookItem({ schemas }: Writer, webhook: Webhook): JsonObject {
  return {
    post: {
      operationId: webhook.operationId,
      tags: ['Webhooks'],
      summary: webhook.summary,
      security: [],
      parameters: webhook.headers,
      requestBody: {
        required: true,
        content: { [JSON_TYPE]: { schema: schemas.output(webhook.body), example: webhook.example } },
      },
      responses: webhook.responses,
    },
  };
}

function withExamples(schemas: JsonObject, examples: Readonly<Record<string, Json>>): JsonObject {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const example = examples[name];
      return [name, example === undefined || !isObject(schema) ? schema : { ...schema, examples: [example] }];
    }),
  );
}

/** `RATE_LIMITED` → `RateLimited`. */
function pascalCase(code: string): string {
  return code
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
}
