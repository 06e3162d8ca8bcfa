import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import { httpCall, type Call, type HttpAnswer } from './http-call.ts';

const PREFIX = '/api/v1';
const Tree = z.record(z.string(), z.unknown());
type Tree = z.infer<typeof Tree>;

export interface DocumentedAnswer extends HttpAnswer {
  readonly json: Readonly<Record<string, unknown>>;
}

type Caller = (call: Omit<Call, 'credentials'>) => Promise<DocumentedAnswer>;

/**
 * Returns a caller that sends requests below the prefix and fails on any status or body that the document does not describe.
 * @param file - its name below `openapi/`
 * @param templateOf - returns the documented path template of a path
 */
export function documentedCaller(file: string, templateOf: (path: string) => string): Caller {
  const document = Tree.parse(JSON.parse(readFileSync(new URL(`../../openapi/${file}`, import.meta.url), 'utf8')));
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(Tree.parse(closed(document)), 'api');
  return async (call) => {
    const answer = await httpCall({ ...call, path: PREFIX + call.path });
    const json = Tree.parse(JSON.parse(answer.text));
    const asked = { method: call.method ?? 'GET', template: templateOf(call.path.split('?')[0] ?? '') };
    const pointer = documentedAt(document, asked, answer.status);
    const check = pointer === null ? undefined : ajv.getSchema(`api#${pointer}/content/application~1json/schema`);
    const problems =
      check === undefined ? 'the status is not documented' : check(json) ? null : ajv.errorsText(check.errors);
    if (problems !== null) {
      throw new Error(`${call.path} answered ${answer.status}, not as documented: ${problems}\n${answer.text}`);
    }
    return { ...answer, json };
  };
}

function documentedAt(
  document: Tree,
  { method, template }: { method: string; template: string },
  status: number,
): string | null {
  const item = Tree.safeParse(at(document, `/paths/${escape(template)}`)).data;
  if (item === undefined || item[method.toLowerCase()] === undefined) {
    const name = item === undefined ? 'PublicResourceNotFound' : 'PublicMethodNotAllowed';
    return status === (item === undefined ? 404 : 405) ? `/components/responses/${name}` : null;
  }
  const pointer = `/paths/${escape(template)}/${method.toLowerCase()}/responses/${status}`;
  const response = Tree.safeParse(at(document, pointer)).data;
  return response === undefined ? null : typeof response['$ref'] === 'string' ? response['$ref'].slice(1) : pointer;
}

function at(document: Tree, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((node, step) => Tree.safeParse(node).data?.[step], document);
}

function escape(path: string): string {
  return path.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Forbids undeclared members. Later versions can add members, but today's answers must not have any. */
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
