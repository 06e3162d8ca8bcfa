import { describe, expect, test } from '@jest/globals';
import { parseSync } from '@swc/core';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');
const ROOMS = ['activities', 'api', 'database', 'domain', 'gateways', 'runtime', 'web', 'worker'];
/** What an operand is called when it is, or was made from, something that others must not learn. */
const SENSITIVE = /(secret|passw|signature|digest|hmac|apikey|token|otp)/i;
/** Functions that decide whether somebody knows a secret: there no two values are compared by `===`, whatever they are called. */
const DECIDES =
  /(digest|signature|secret|password|token|hmac).*(equal|match|valid|verif)|(equal|match|valid|verif).*(digest|signature|secret|password|token|hmac)/i;

interface Node {
  readonly type?: string;
  readonly [name: string]: unknown;
}

/** Comparisons of two values by `===` and its like where one of them is secret, as `file: expression`. */
function unsafeComparisons(file: string, source: string): string[] {
  const bytes = Buffer.from(source);
  const module = parseSync(source, { syntax: 'typescript' });
  // swc counts from where the last file ended, in bytes.
  const base = module.span.start - (bytes.length - Buffer.from(source.trimStart()).length);
  const textOf = (node: Node): string => {
    const { start, end } = node['span'] as { start: number; end: number };
    return bytes.subarray(start - base, end - base).toString();
  };
  const found: string[] = [];
  const walk = (value: unknown, within: string): void => {
    if (Array.isArray(value)) {
      value.forEach((item) => walk(item, within));
    } else if (typeof value === 'object' && value !== null) {
      const node = value as Node;
      if (node.type === 'BinaryExpression' && ['===', '!==', '==', '!='].includes(String(node['operator']))) {
        const [left, right] = [node['left'] as Node, node['right'] as Node];
        const open = [left, right].every((operand) => isOpen(operand, textOf(operand)));
        const secret = [left, right].some((operand) => SENSITIVE.test(textOf(operand)));
        if (open && (secret || DECIDES.test(within))) {
          found.push(`${file}: ${textOf(left)} ${String(node['operator'])} ${textOf(right)}`);
        }
      }
      const name = nameOf(node);
      Object.values(node).forEach((member) => walk(member, name ?? within));
    }
  };
  walk(module.body, '');
  return found;
}

/** A comparison with a constant, a length or a type tells nothing of a secret but that it is there. */
function isOpen(operand: Node, text: string): boolean {
  const constant = /Literal$|^UnaryExpression$|^TemplateLiteral$/.test(operand.type ?? '') || text === 'undefined';
  return !constant && !text.endsWith('.length') && !/^[A-Z][A-Z0-9_]*$/.test(text);
}

function nameOf(node: Node): string | null {
  const named =
    node.type === 'FunctionDeclaration' || node.type === 'ClassMethod' || node.type === 'VariableDeclarator';
  const identifier = (node['identifier'] ?? node['key'] ?? node['id']) as Node | undefined;
  return named && typeof identifier?.['value'] === 'string' ? identifier['value'] : null;
}

describe('secrets', () => {
  test('are never compared character by character', () => {
    // The time that `===` takes tells how much of a guess is right; no clock in a test can see it, the source can.
    const files = ROOMS.flatMap((room) => globSync(`${room}/**/*.ts`, { cwd: ROOT }));
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap((file) => unsafeComparisons(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });

  test('are found when they are', () => {
    // A search that finds nothing must be able to find something.
    const planted = `
      export function digestEquals(claimed: string, computed: string): boolean { return claimed === computed; }
      const known = signature !== computedSignature;
      const harmless = secret === '' || digest.length === other.length;
    `;
    expect(unsafeComparisons('planted.ts', planted)).toEqual([
      'planted.ts: claimed === computed',
      'planted.ts: signature !== computedSignature',
    ]);
  });
});
