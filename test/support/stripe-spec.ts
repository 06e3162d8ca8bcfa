import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { STRIPE_MOCK_MODULE } from './stripe-mock.ts';

const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;
const FINDINGS_MAX = 50;

type Schema = z.infer<typeof Schema>;
const Schema = z.looseObject({
  $ref: z.string().optional(),
  type: z.string().optional(),
  nullable: z.boolean().optional(),
  enum: z.array(z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  get properties() {
    return z.record(z.string(), Schema).optional();
  },
  get items() {
    return Schema.optional();
  },
  get anyOf() {
    return z.array(Schema).optional();
  },
});
const Spec = z.object({ components: z.object({ schemas: z.record(z.string(), Schema) }) });

/** Stripe's own OpenAPI document, from the module of its mock. */
export interface StripeSpec {
  /** Returns how a value differs from the named schema: a missing required member, another type, an unknown value. */
  findings(schema: string, value: unknown): string[];
}

export async function readStripeSpec(): Promise<StripeSpec> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', STRIPE_MOCK_MODULE], {
    cwd: tmpdir(),
    timeout: DOWNLOAD_TIMEOUT_MS,
  });
  const { Dir: folder } = z.object({ Dir: z.string() }).parse(JSON.parse(stdout));
  const text = await readFile(join(folder, 'embedded', 'openapi', 'spec3.json'), 'utf8');
  const { schemas } = Spec.parse(JSON.parse(text)).components;
  return {
    findings: (schema, value) =>
      compare({ schemas, schema: { $ref: `#/components/schemas/${schema}` }, value, path: schema }),
  };
}

interface Comparison {
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly schema: Schema;
  readonly value: unknown;
  readonly path: string;
}

function compare({ schemas, schema: given, value, path }: Comparison): string[] {
  const schema = given.$ref === undefined ? given : schemas[given.$ref.replace('#/components/schemas/', '')];
  if (schema === undefined) {
    return [`${path}: the schema ${given.$ref ?? ''} is not there`];
  }
  if (value === null && (given.nullable === true || schema.nullable === true)) {
    return [];
  }
  if (schema.anyOf !== undefined) {
    const tried = schema.anyOf.map((one) => compare({ schemas, schema: one, value, path }));
    return tried.find((findings) => findings.length === 0) ?? tried.toSorted((a, b) => a.length - b.length)[0] ?? [];
  }
  if (schema.type !== undefined && !isOfType(value, schema.type)) {
    return [`${path} is ${JSON.stringify(value)}, and not ${schema.type}`];
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return [`${path} is ${JSON.stringify(value)}, and not one of its words`];
  }
  const findings = Array.isArray(value)
    ? value.flatMap((item, index) =>
        schema.items === undefined
          ? []
          : compare({ schemas, schema: schema.items, value: item, path: `${path}[${index}]` }),
      )
    : isObject(value)
      ? compareMembers({ schemas, schema, value, path })
      : [];
  return findings.slice(0, FINDINGS_MAX);
}

function compareMembers({
  schemas,
  schema,
  value,
  path,
}: Comparison & { readonly value: Record<string, unknown> }): string[] {
  const missing = (schema.required ?? []).filter((name) => !Object.hasOwn(value, name));
  return [
    ...missing.map((name) => `${path}.${name} is missing`),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
      Object.hasOwn(value, name)
        ? compare({ schemas, schema: property, value: value[name], path: `${path}.${name}` })
        : [],
    ),
  ];
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
