import { describe, expect, test } from '@jest/globals';
import { parseSync } from '@swc/core';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');

/**
 * Globals whose results are not replayed. The sandbox replaces Date and Math.random and has no Node APIs. `Temporal` and `Intl` are part
 * of the language: they read the machine's clock, and neither the sandbox nor the bundler rejects them.
 */
const NOT_REPLAYED: ReadonlySet<string> = new Set(['Temporal', 'Intl', 'performance', 'process', 'crypto', 'Atomics']);

interface Node {
  readonly type?: string;
  readonly [name: string]: unknown;
}

/** Returns the uses of such names in code: not in types, after a dot, or as keys of objects. */
function unreplayed(source: string): string[] {
  const found: string[] = [];
  const walk = (value: unknown, free: boolean): void => {
    if (Array.isArray(value)) {
      value.forEach((item) => walk(item, true));
    } else if (typeof value === 'object' && value !== null) {
      const node: Node = { ...value };
      if (node.type === 'Identifier' && free && NOT_REPLAYED.has(String(node['value']))) {
        found.push(String(node['value']));
      }
      Object.entries(node).forEach(([name, member]) => walk(member, !(name === 'property' || name === 'key')));
    }
  };
  walk(parseSync(source, { syntax: 'typescript' }).body, true);
  return found;
}

/** What stands in a function belongs to a call, and what stands in a class to an instance. */
const OWNED = /^(?:(?:Function|ArrowFunction)\w*|Constructor|ClassMethod|PrivateMethod)$/;

/** Returns what a module could keep between two workflows. The sandbox freezes the lists and objects that it exports, but no collections. */
function keptByModule(source: string): string[] {
  const found: string[] = [];
  const walk = (value: unknown, isFrozen: boolean): void => {
    if (Array.isArray(value)) {
      value.forEach((item) => walk(item, isFrozen));
    } else if (typeof value === 'object' && value !== null) {
      const node: Node = { ...value };
      const isStatic = node['isStatic'] === true;
      if (keeps(node, isFrozen)) {
        found.push(String(node.type));
      }
      if (!OWNED.test(String(node.type)) && (node.type !== 'ClassProperty' || isStatic)) {
        Object.values(node).forEach((member) => walk(member, isFrozen || node.type === 'ExportDeclaration'));
      }
    }
  };
  walk(parseSync(source, { syntax: 'typescript' }).body, false);
  return found;
}

function keeps(node: Node, isFrozen: boolean): boolean {
  switch (node.type) {
    case 'VariableDeclaration':
      return node['kind'] !== 'const';
    case 'VariableDeclarator':
      return !isFrozen && /^\{"type":"(?:Array|Object)Expression"/.test(JSON.stringify(node['init']) ?? '');
    case 'ClassProperty':
      return node['isStatic'] === true && node['readonly'] !== true;
    case 'RegExpLiteral':
      return /[gy]/.test(String(node['flags']));
    default:
      return node.type === 'NewExpression';
  }
}

/** Returns the files that end up in the workflow bundle: the workflows and everything that they import. */
function bundled(file: string, known = new Set<string>()): Set<string> {
  if (!known.has(file)) {
    known.add(file);
    const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)';/gms);
    for (const [, target = ''] of imports) {
      bundled(resolve(dirname(file), target), known);
    }
  }
  return known;
}

describe('workflow code', () => {
  test('reads no clock but the one that is replayed', () => {
    // A workflow that decides differently on replay gets stuck. The replay test notices only if a recorded decision changes.
    const files = [...bundled(join(ROOT, 'workflows', 'index.ts'))];
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap((file) => unreplayed(readFileSync(file, 'utf8')).map((name) => `${file}: ${name}`))).toEqual(
      [],
    );
  });

  test('that reads another one is found', () => {
    // Shows that the search finds a planted read.
    const planted = `
      const now = Temporal.Now.instant().epochMilliseconds;
      const text = new Intl.DateTimeFormat('en').format();
      const harmless = { performance: 1, own: workflow.process };
    `;
    expect(unreplayed(planted)).toEqual(['Temporal', 'Intl']);
  });

  test('keeps nothing in a module, where another workflow would see it', () => {
    // The workflows of a worker share their modules, so that each takes less memory (`worker/workflow-bundle.ts`).
    const files = [...bundled(join(ROOT, 'workflows', 'index.ts')), join(ROOT, 'workflows', 'trace-context.ts')];
    expect(files.flatMap((file) => keptByModule(readFileSync(file, 'utf8')).map((what) => `${file}: ${what}`))).toEqual(
      [],
    );
  });

  test('that keeps something in a module is found', () => {
    const planted = `
      let last = '';
      const seen = new Set<string>();
      const rows = [];
      const WORD = /a/g;
      class Run { static count = 0; readonly own = new Map(); }
      const HARMLESS = ['a', 'b'] as const;
      export const FROZEN = { a: [1] };
      function run() { let mine = new Map(); return [mine]; }
    `;
    expect(keptByModule(planted)).toEqual([
      'VariableDeclaration',
      'NewExpression',
      'VariableDeclarator',
      'RegExpLiteral',
      'ClassProperty',
    ]);
  });
});
