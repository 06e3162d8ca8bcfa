import { describe, expect, test } from '@jest/globals';
import { parseSync } from '@swc/core';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');
const ROOMS = ['activities', 'api', 'core', 'database', 'domain', 'gateways', 'runtime', 'web', 'worker'];
/** Matches the name of an operand that is, or was derived from, a secret. */
const SENSITIVE = /(secret|passw|signature|digest|hmac|apikey|token|otp)/i;
/**
 * Matches the names of functions that decide whether a caller knows a secret. They must not compare any two values by `===`,
 * whatever the names of the values are.
 */
const DECIDES =
  /(digest|signature|secret|password|token|hmac).*(equal|match|valid|verif)|(equal|match|valid|verif).*(digest|signature|secret|password|token|hmac)/i;

interface Node {
  readonly type?: string;
  readonly [name: string]: unknown;
}

/** Returns the comparisons of two values by `===` or a similar operator where one of them is secret, as `file: expression`. */
function unsafeComparisons(file: string, source: string): string[] {
  const bytes = Buffer.from(source);
  const module = parseSync(source, { syntax: 'typescript' });
  // swc counts in bytes, and continues from the end of the file that it parsed before.
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

/**
 * Returns whether an operand is a variable value. A comparison with a constant, a length or a type reveals nothing about a secret
 * except that it exists.
 */
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
    // The time that `===` takes reveals how much of a guess is right. A test cannot measure that time, so this test reads the source.
    const files = ROOMS.flatMap((room) => globSync(`${room}/**/*.ts`, { cwd: ROOT }));
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap((file) => unsafeComparisons(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });

  test('are found when they are', () => {
    // Shows that the search finds a planted comparison.
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
