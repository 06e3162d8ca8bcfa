import { describe, expect, test } from '@jest/globals';
import { parseSync } from '@swc/core';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');

/**
 * What is not replayed. The sandbox replaces Date and Math.random and has no Node; `Temporal` and `Intl` are the language's own, read the
 * machine's clock, and pass both the sandbox and the bundler.
 */
const NOT_REPLAYED: ReadonlySet<string> = new Set(['Temporal', 'Intl', 'performance', 'process', 'crypto', 'Atomics']);

interface Node {
  readonly type?: string;
  readonly [name: string]: unknown;
}

/** Names in code, not in types, not after a dot, and not the keys of objects. */
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

/** The files that end up in the workflow bundle: what the workflows import, and what that imports. */
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
    // A history that decides otherwise tomorrow is stuck; the replay gate sees it only where a recorded decision changes.
    const files = [...bundled(join(ROOT, 'workflows', 'index.ts'))];
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap((file) => unreplayed(readFileSync(file, 'utf8')).map((name) => `${file}: ${name}`))).toEqual(
      [],
    );
  });

  test('that reads another one is found', () => {
    // A search that finds nothing must be able to find something.
    const planted = `
      const now = Temporal.Now.instant().epochMilliseconds;
      const text = new Intl.DateTimeFormat('en').format();
      const harmless = { performance: 1, own: workflow.process };
    `;
    expect(unreplayed(planted)).toEqual(['Temporal', 'Intl']);
  });
});
