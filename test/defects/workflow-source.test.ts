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
});
