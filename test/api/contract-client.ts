import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import { httpCall, type Call, type HttpAnswer } from './http-call.ts';

const PREFIX = '/api/v1';
const JSON_TYPE = 'application/json';
/** Headers of HTTP and of security, which a contract need not declare. */
const PLAIN_HEADERS = new Set([
  'connection',
  'keep-alive',
  'content-length',
  'content-type',
  'transfer-encoding',
  'date',
  'cache-control',
  'set-cookie',
  'content-disposition',
  'x-accel-buffering',
  'x-content-type-options',
]);

const Header = z.object({ required: z.boolean().optional(), schema: z.record(z.string(), z.unknown()) });
const Response = z.object({
  headers: z.record(z.string(), z.object({ $ref: z.string() })),
  content: z.record(z.string(), z.object({ schema: z.unknown() })),
});
const Operation = z.object({
  operationId: z.string(),
  security: z.array(z.unknown()),
  parameters: z.array(z.object({ name: z.string(), in: z.string() })).default([]),
  requestBody: z.unknown().optional(),
  responses: z.record(z.string(), z.unknown()),
});
const Document = z.object({ paths: z.record(z.string(), z.record(z.string(), Operation)) });

export interface DocumentedOperation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly secured: boolean;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly hasBody: boolean;
}

export const OpenEnvelope = z.object({
  data: z.unknown(),
  meta: z.object({
    success: z.boolean(),
    message: z.string().nullable(),
    errorCode: z.string().nullable(),
    timestamp: z.string(),
  }),
  pagination: z
    .object({
      page: z.int(),
      size: z.int(),
      totalElements: z.int(),
      totalPages: z.int(),
      nextCursor: z.string().nullable(),
    })
    .nullable(),
});
type OpenEnvelope = z.infer<typeof OpenEnvelope>;
const Members = z.record(z.string(), z.unknown());

/** An answer that satisfies the contract. */
export interface Answer extends HttpAnswer {
  readonly meta: OpenEnvelope['meta'];
  readonly pagination: OpenEnvelope['pagination'];
  /** `data` as it was sent. */
  readonly payload: unknown;
  /** Members of `data`; empty if it is not an object. */
  readonly data: Readonly<Record<string, unknown>>;
}

const text = readFileSync(new URL('../../openapi/native.json', import.meta.url), 'utf8');
const raw: unknown = JSON.parse(text);
const { paths } = Document.parse(raw);
const ajv = createValidator();

/** Operators' routes have other callers. Their permissions are tested from the routes themselves. */
const OF_OPERATORS = /^\/(admin|auth)\//;

export const documentedOperations: readonly DocumentedOperation[] = everyOperation().filter(
  ({ path }) => !OF_OPERATORS.test(path),
);

function everyOperation(): DocumentedOperation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      operationId: operation.operationId,
      method: method.toUpperCase(),
      path,
      secured: operation.security.length > 0,
      parameters: operation.parameters,
      hasBody: operation.requestBody !== undefined,
    })),
  );
}

/** Returns the methods that the contract has for a path, in upper case. */
export function documentedMethods(path: string): string[] {
  return Object.keys(paths[path] ?? {}).map((method) => method.toUpperCase());
}

/** Sends a request below the prefix and fails on any status, header or body that the contract does not describe. */
export async function call(request: Call): Promise<Answer> {
  const answer = await httpCall({ ...request, path: PREFIX + request.path });
  const problems = problemsOf(request, answer);
  if (problems.length > 0) {
    throw new Error(
      `${request.method ?? 'GET'} ${request.path} answered ${answer.status}, which is not as documented:\n  ${problems.join('\n  ')}\n${answer.text}`,
    );
  }
  if (request.method === 'HEAD' || !isJson(answer)) {
    const meta = { success: answer.status < 300, message: null, errorCode: null, timestamp: '' };
    return { ...answer, meta, pagination: null, payload: null, data: {} };
  }
  const { data, meta, pagination } = OpenEnvelope.parse(JSON.parse(answer.text));
  const members = Members.safeParse(data);
  return { ...answer, meta, pagination, payload: data, data: members.success ? members.data : {} };
}

/** Returns every part of an answer that the contract does not describe. */
export function problemsOf(request: Call, answer: HttpAnswer): string[] {
  const pointer = documentedAt(request, answer.status);
  if (pointer === null) {
    return ['the status is not documented'];
  }
  const response = Response.parse(at(pointer));
  return [
    ...headerProblems(response, answer),
    ...(request.method === 'HEAD' ? emptyProblems(answer) : bodyProblems(pointer, answer)),
    ...requestProblems(request, answer),
  ];
}

/** Returns the JSON pointer of the response object that describes this answer, or null. */
function documentedAt(request: Call, status: number): string | null {
  const path = pathOf(request.path.split('?')[0] ?? '');
  if (path === undefined) {
    return status === 404 ? '/components/responses/PublicResourceNotFound' : null;
  }
  const method = (request.method ?? 'GET').toLowerCase();
  if (paths[path]?.[method] === undefined) {
    return status === 405 ? '/components/responses/PublicMethodNotAllowed' : null;
  }
  const pointer = `/paths/${escape(path)}/${method}/responses/${status}`;
  return at(pointer) === undefined ? null : resolved(pointer);
}

/** Paths without parameters come first. */
const TEMPLATES = Object.keys(paths)
  .sort((a, b) => a.split('{').length - b.split('{').length)
  .map((template) => ({ template, pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`) }));

function pathOf(path: string): string | undefined {
  return TEMPLATES.find(({ pattern }) => pattern.test(path))?.template;
}

const documentedHeaders = new Map<string, z.infer<typeof Header>>();

/** Returns the same object for the same reference, since the validator compiles each schema object anew. */
function headerAt(reference: string): z.infer<typeof Header> {
  const header = documentedHeaders.get(reference) ?? Header.parse(at(reference.slice(1)));
  documentedHeaders.set(reference, header);
  return header;
}

function headerProblems({ headers, content }: z.infer<typeof Response>, answer: HttpAnswer): string[] {
  const documented = new Map(Object.entries(headers).map(([name, { $ref }]) => [name.toLowerCase(), headerAt($ref)]));
  const problems = Object.keys(answer.headers)
    .filter((name) => !documented.has(name) && !PLAIN_HEADERS.has(name))
    .map((name) => `the header ${name} is not documented`);
  for (const [name, { required, schema }] of documented) {
    const value = answer.headers[name];
    if (value === undefined ? required === true : !ajv.validate(schema, asTyped(schema, value))) {
      problems.push(`the header ${name} is ${value ?? 'missing'}`);
    }
  }
  const types = Object.keys(content).map((type) => (type === JSON_TYPE ? `${type}; charset=utf-8` : type));
  if (!types.includes(answer.headers['content-type'] ?? '')) {
    problems.push(`the content type is ${answer.headers['content-type']}`);
  }
  return problems;
}

function asTyped(schema: Record<string, unknown>, value: string): unknown {
  return schema['type'] === 'integer' ? Number(value) : value;
}

function bodyProblems(pointer: string, answer: HttpAnswer): string[] {
  // For an answer that is not JSON, the contract describes only the content type.
  return isJson(answer) ? validate(`${pointer}/content/application~1json/schema`, answer.text) : [];
}

export function isJson({ headers }: HttpAnswer): boolean {
  return headers['content-type']?.startsWith(JSON_TYPE) === true;
}

function emptyProblems({ text }: HttpAnswer): string[] {
  return text === '' ? [] : ['an answer to HEAD has a body'];
}

/** Checks that the contract allows a request that the API accepted, so that the contract is not stricter than the code. */
function requestProblems(request: Call, { status }: HttpAnswer): string[] {
  const path = pathOf(request.path.split('?')[0] ?? '');
  if (status >= 300 || path === undefined || typeof request.body !== 'object') {
    return [];
  }
  const method = (request.method ?? 'GET').toLowerCase();
  if (Buffer.isBuffer(request.body)) {
    const type = request.headers?.['content-type'] ?? '';
    const body = z.object({ content: z.record(z.string(), z.unknown()) }).safeParse(paths[path]?.[method]?.requestBody);
    return body.success && type in body.data.content
      ? []
      : [`an accepted request: the document has no body of ${type}`];
  }
  const schema = `/paths/${escape(path)}/${method}/requestBody/content/application~1json/schema`;
  return validate(schema, JSON.stringify(request.body), 'open').map((problem) => `an accepted request: ${problem}`);
}

function validate(pointer: string, json: string, key: 'closed' | 'open' = 'closed'): string[] {
  const check = ajv.getSchema(`${key}#${pointer}`);
  if (check === undefined) {
    return [`the document has nothing at ${pointer}`];
  }
  return check(JSON.parse(json)) === true
    ? []
    : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath || 'body'} ${message}`);
}

function createValidator(): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(Document.loose().parse(raw), 'open');
  ajv.addSchema(z.record(z.string(), z.unknown()).parse(closed(raw)), 'closed');
  return ajv;
}

/** Forbids undeclared members. The contract lets later versions add members, but today's answers must not have any. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) {
    return node.map(closed);
  }
  if (typeof node !== 'object' || node === null) {
    return node;
  }
  const members = Object.fromEntries(Object.entries(node).map(([name, member]) => [name, closed(member)]));
  const open = members['type'] === 'object' && 'properties' in members && !('additionalProperties' in members);
  return open ? { ...members, additionalProperties: false } : members;
}

function resolved(pointer: string): string {
  const node = z.object({ $ref: z.string() }).safeParse(at(pointer));
  return node.success ? node.data.$ref.slice(1) : pointer;
}

/** Returns the part of the contract at a JSON pointer. */
export function at(pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((node, step) => Members.safeParse(node).data?.[step], raw);
}

function escape(path: string): string {
  return path.replaceAll('~', '~0').replaceAll('/', '~1');
}
