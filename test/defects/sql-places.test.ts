import { describe, expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** Every folder whose code runs in a deployment. Programs that prepare, judge or repair one (`scripts`, `proofs`, `bench`, `test`) may read rows. */
const ROOMS = '{activities,api,core,domain,gateways,runtime,temporal,web,worker,workflows}';

/** Where statements are written: the stores, the sweeper's due queries, and the ledger, whose verification reads every table. */
const STORES = /^core\/(?:[a-z-]+\/store(?:\/|\.ts$)|[a-z-]+\/due\.ts$|ledger\/)/;

/** Matches text that begins as a statement does. Prose with such a word, and HTTP's DELETE, have no such next word. */
const STATEMENT =
  /['"`]\s*(?:select\s+(?:[\w.*$({]|'')|insert\s+into\s|update\s+[\w${}]+(?:\s+\w+)?\s+set\s|delete\s+from\s|with\s+\w+(?:\s*\([^)]*\))?\s+as\s*\()/;

/** Files elsewhere that have statements: how many, and why. */
const EXCEPTIONS: Readonly<Record<string, readonly [times: number, why: string]>> = {};

/** Returns the source without comments. */
const codeOf = (source: string): string => source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

const statementsIn = (code: string): number => [...code.matchAll(new RegExp(STATEMENT, 'g'))].length;

describe('SQL', () => {
  test('is written in stores alone', () => {
    // A statement in a route or a use case escapes the review of locks and guards, and its columns are mapped a second time.
    const found: Record<string, number> = {};
    for (const file of globSync(`${ROOMS}/**/*.ts`, { cwd: ROOT })) {
      const times = STORES.test(file) ? 0 : statementsIn(codeOf(readFileSync(resolve(ROOT, file), 'utf8')));
      if (times > 0) {
        found[file] = times;
      }
    }
    expect(found).toEqual(Object.fromEntries(Object.entries(EXCEPTIONS).map(([file, [times]]) => [file, times])));
  });

  test.each([
    "statements.execute('select 1 from payments where id = ? for update', [id])",
    'em.execute(`select ${COLUMNS} from ${FROM} where l.id = ?`, [id])',
    'const rows = `\n  update refunds r set status = ?`;',
    'execute("insert into decisions (kind) values (?)")',
    "execute('delete from sessions where id = ?')",
    'execute(`with due as (select id from payments) update payments set a = 1`)',
    'execute(`update ${table} set a = 1`)',
  ])('is found in %j', (code) => {
    expect(statementsIn(code)).toBe(1);
  });

  test.each([
    "summary: 'Update an application’s settings'",
    "method: 'DELETE'",
    "'Select a gateway.'",
    "feeKnown: 'with-the-charge'",
  ])('is not %s', (code) => {
    expect(statementsIn(code)).toBe(0);
  });
});
