import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';

const Link = z.object({ operationId: z.string(), parameters: z.record(z.string(), z.string()).default({}) });
const Media = z.object({ schema: z.unknown() });
const OperationObject = z.object({
  operationId: z.string(),
  security: z.array(z.unknown()).default([]),
  parameters: z.array(z.object({ name: z.string(), in: z.string() })).default([]),
  requestBody: z.object({ content: z.object({ 'application/json': Media }) }).optional(),
  responses: z.record(z.string(), z.object({ links: z.record(z.string(), Link).optional() })),
});
const DocumentObject = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), OperationObject)) });

/** Where an operation gets a value for its parameters: another operation's answer or request. */
export interface Source {
  readonly producer: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** What a rule needs to know about an operation. */
export interface Operation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly secured: boolean;
  /** In the order of the path. */
  readonly pathParameters: readonly string[];
  readonly body: BodyContract | null;
  readonly sources: readonly Source[];
}

export interface BodyContract {
  readonly example: Readonly<Record<string, unknown>>;
  /** Names of the members; a nested member is given by its path. */
  readonly members: readonly (readonly string[])[];
  allows(body: unknown): boolean;
}

/** An OpenAPI document as the rules read it. The rules cover whatever is added to the document without a change. */
export interface Contract {
  readonly operations: readonly Operation[];
  operation(id: string): Operation;
}

export function readContract(document: unknown): Contract {
  const parsed = DocumentObject.parse(document);
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(parsed, 'contract');
  const entries = Object.entries(parsed.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const links = entries.flatMap(({ operation }) =>
    Object.values(operation.responses).flatMap(({ links }) =>
      Object.values(links ?? {}).map((link) => ({ producer: operation.operationId, ...link })),
    ),
  );
  const operations = entries.map(({ path, method, operation }) => ({
    operationId: operation.operationId,
    method,
    path,
    secured: operation.security.length > 0,
    pathParameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
    body: bodyOf({ document: parsed, ajv, path, method, schema: operation.requestBody?.content['application/json'] }),
    sources: links
      .filter((link) => link.operationId === operation.operationId)
      .map(({ producer, parameters }) => ({ producer, parameters })),
  }));
  return {
    operations,
    operation(id) {
      const found = operations.find(({ operationId }) => operationId === id);
      if (found === undefined) {
        throw new Error(`the contract has no operation ${id}`);
      }
      return found;
    },
  };
}

interface BodyPlace {
  readonly document: unknown;
  readonly ajv: Ajv2020;
  readonly path: string;
  readonly method: string;
  readonly schema: z.infer<typeof Media> | undefined;
}

const SchemaObject = z.looseObject({
  properties: z.record(z.string(), z.unknown()).default({}),
  examples: z.array(z.record(z.string(), z.unknown())).default([]),
});

function bodyOf({ document, ajv, path, method, schema: media }: BodyPlace): BodyContract | null {
  if (media === undefined) {
    return null;
  }
  const escaped = path.replaceAll('~', '~0').replaceAll('/', '~1');
  const pointer = `contract#/paths/${escaped}/${method.toLowerCase()}/requestBody/content/application~1json/schema`;
  const validate: ValidateFunction | undefined = ajv.getSchema(pointer);
  const schema = SchemaObject.parse(resolved(document, media.schema));
  const [example] = schema.examples;
  if (validate === undefined || example === undefined) {
    throw new Error(`${method} ${path}: a body needs a schema and an example`);
  }
  return { example, members: membersOf(document, schema), allows: (body) => validate(body) };
}

function membersOf(document: unknown, schema: unknown, above: readonly string[] = []): string[][] {
  const { properties } = SchemaObject.partial().parse(resolved(document, schema));
  return Object.entries(properties ?? {}).flatMap(([name, member]) => {
    const path = [...above, name];
    return above.length > 5 ? [path] : [path, ...membersOf(document, member, path)];
  });
}

function resolved(document: unknown, schema: unknown): unknown {
  const reference = z.object({ $ref: z.string() }).safeParse(schema);
  return reference.success ? at(document, reference.data.$ref.slice(1)) : schema;
}

/** Returns the part of a document at a JSON pointer, or undefined if there is none. */
export function at(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((node, step) => z.record(z.string(), z.unknown()).safeParse(node).data?.[step], document);
}
