import { z } from 'zod';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };
export type JsonObject = { readonly [name: string]: Json | undefined };

/** Turns zod schemas into JSON Schema. Schemas with an id become components that are written once. */
export interface SchemaWriter {
  /** Returns the schema of what a client may send. */
  input(schema: z.ZodType): JsonObject;
  /** Returns the schema of what a client receives. */
  output(schema: z.ZodType): JsonObject;
  /** Returns all components used so far, by name. */
  components(): JsonObject;
}

export function createSchemaWriter(): SchemaWriter {
  const components = new Map<string, JsonObject>();
  const write = (schema: z.ZodType, io: 'input' | 'output'): JsonObject => {
    const { $defs, $schema: _contract, ...root } = toJsonSchema(schema, io);
    for (const [name, definition] of Object.entries(isObject($defs) ? $defs : {})) {
      keep(components, name, definition);
    }
    return root;
  };
  return {
    input: (schema) => write(schema, 'input'),
    output: (schema) => write(schema, 'output'),
    components: () => Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Throws when two schemas have the same name, because generated clients would then use the wrong one. */
function keep(components: Map<string, JsonObject>, name: string, definition: Json | undefined): void {
  if (!isObject(definition)) {
    throw new TypeError(`the schema ${name} is not an object`);
  }
  const known = components.get(name);
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(definition)) {
    throw new Error(`two different schemas are named ${name}`);
  }
  components.set(name, definition);
}

function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const written = z.toJSONSchema(schema, { io, override: ({ jsonSchema }) => simplify(jsonSchema, io) });
  return JSON.parse(JSON.stringify(written).replaceAll('"#/$defs/', '"#/components/schemas/'));
}

/** Removes what does not concern clients: responses may gain members, and a format needs no pattern besides. */
function simplify(schema: z.core.JSONSchema.BaseSchema, io: 'input' | 'output'): void {
  if (io === 'output' && schema.additionalProperties === false) {
    delete schema.additionalProperties;
  }
  if (schema.format === 'date-time' || schema.type === 'integer') {
    delete schema.pattern;
  }
  if (schema.minimum === Number.MIN_SAFE_INTEGER) {
    delete schema.minimum;
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
