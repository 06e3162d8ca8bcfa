/** Constructs of JSON Schema that our OpenAPI documents use. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: Schema;
  }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;
const HEAD = `// Generated from openapi/native.json by \`npm run generate\`. Do not edit.

export type ErrorEnvelope = {
  data: unknown;
  meta: { success: false; message: string; errorCode: string; timestamp: string };
};
`;

/**
 * Returns the types of the paths that begin with one of the prefixes, in the shape that openapi-fetch reads, with the schemas that they use.
 * openapi-typescript, which is made for this, needs the API of TypeScript 5.
 */
export function apiTypes(given: object, prefixes: readonly string[]): string {
  const document = given as Document;
  const used = new Set<string>();
  const paths = Object.entries(document.paths)
    .filter(([path]) => prefixes.some((prefix) => path.startsWith(prefix)))
    .map(([path, item]) => `  ${JSON.stringify(path)}: ${pathType(item, used)};`);
  const schemas = schemasOf(document, used);
  return [
    HEAD,
    `export interface paths {\n${paths.join('\n')}\n}\n`,
    `export interface components {\n  schemas: {\n${schemas.join('\n')}\n  };\n}\n`,
  ].join('\n');
}

/** Follows references until no new schema is found. */
function schemasOf({ components }: Document, used: Set<string>): string[] {
  const types = new Map<string, string>();
  for (let left = [...used]; left.length > 0; left = [...used].filter((name) => !types.has(name))) {
    for (const name of left) {
      types.set(name, typeOf(components.schemas[name] ?? {}, used));
    }
  }
  return [...types].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, type]) => `    ${name}: ${type};`);
}

function pathType(item: Readonly<Record<string, Operation>>, used: Set<string>): string {
  const methods = METHODS.flatMap((method) => {
    const operation = item[method];
    return operation === undefined ? [] : [`${method}: ${operationType(operation, used)}`];
  });
  return `{ ${methods.join('; ')} }`;
}

function operationType({ parameters = [], requestBody, responses }: Operation, used: Set<string>): string {
  const places = ['query', 'path'].flatMap((place) => {
    const inPlace = parameters.filter((parameter) => parameter.in === place);
    const isRequired = inPlace.some(({ required }) => required === true);
    const members = inPlace.map(
      ({ name, required, schema }) => `${JSON.stringify(name)}${required === true ? '' : '?'}: ${typeOf(schema, used)}`,
    );
    return inPlace.length === 0 ? [] : [`${place}${isRequired ? '' : '?'}: { ${members.join('; ')} }`];
  });
  const answers = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([status, response]) => `${status}: ${contentType(response, used)}`);
  return `{ ${[
    `parameters: { ${places.join('; ')} }`,
    ...(requestBody === undefined ? [] : [`requestBody: ${contentType(requestBody, used)}`]),
    `responses: { ${[...answers, 'default: { content: { "application/json": ErrorEnvelope } }'].join('; ')} }`,
  ].join('; ')} }`;
}

function contentType({ content = {} }: Content, used: Set<string>): string {
  const types = Object.entries(content).map(
    ([mediaType, { schema = {} }]) => `${JSON.stringify(mediaType)}: ${typeOf(schema, used)}`,
  );
  return `{ content: { ${types.join('; ')} } }`;
}

function typeOf(schema: Schema, used: Set<string>): string {
  const { $ref, anyOf, oneOf } = schema;
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1) ?? '';
    used.add(name);
    return `components["schemas"][${JSON.stringify(name)}]`;
  }
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) {
    return [...new Set(choices.map((choice) => typeOf(choice, used)))].join(' | ');
  }
  if (schema.const !== undefined) {
    return JSON.stringify(schema.const);
  }
  if (schema.enum !== undefined) {
    return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  }
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return types.length === 0 ? 'unknown' : types.map((type) => plainType(type, schema, used)).join(' | ');
}

function plainType(type: string, schema: Schema, used: Set<string>): string {
  switch (type) {
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `(${typeOf(schema.items ?? {}, used)})[]`;
    case 'object':
      return objectType(schema, used);
    default:
      return type;
  }
}

function objectType({ properties = {}, required = [], additionalProperties }: Schema, used: Set<string>): string {
  const members = Object.entries(properties).map(
    ([name, member]) => `${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(member, used)}`,
  );
  const others =
    typeof additionalProperties === 'object' ? [`[name: string]: ${typeOf(additionalProperties, used)}`] : [];
  return `{ ${[...members, ...others].join('; ')} }`;
}
