import { describe, expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** Every folder whose code runs in a deployment. Programs that prepare, judge or repair one (`scripts`, `proofs`, `bench`, `test`) may read rows. */
const ROOMS = '{activities,api,core,domain,gateways,runtime,temporal,web,worker,workflows}';

/** Where statements are written: the stores, the sweeper's due queries, and the ledger. */
const STORES = /^core\/(?:[a-z-]+\/store(?:\/|\.ts$)|[a-z-]+\/due\.ts$|ledger\/)/;

/** Matches text that begins as a statement does. Prose with such a word, and HTTP's DELETE, have no such next word. */
const STATEMENT =
  /['"`]\s*(?:select\s+(?:[\w.*$({]|'')|insert\s+into\s|update\s+[\w${}]+(?:\s+\w+)?\s+set\s|delete\s+from\s|with\s+\w+(?:\s*\([^)]*\))?\s+as\s*\()/;

/** Where SQL text remains, and why it is neither a typed statement nor the EntityManager. Each place says it in a comment too. */
const TEXT: readonly (readonly [place: RegExp, why: string])[] = [
  [/^core\/ledger\/verify\//, 'verification shares nothing with the code that it judges'],
  [
    /^core\/ledger\/(?:seal|canonical)\.ts$/,
    'transaction numbers and snapshots have no types; rows are read as the text that is hashed',
  ],
  [
    /^core\/maintenance\/store\/(?:after-restore|restored-numbers)\.ts$/,
    'system views have no entity, and a sequence is named by a parameter',
  ],
  [/^core\/(?:decisions\/store\/approval|reconciliation\/store\/case-approval)\.ts$/, 'an advisory lock reads no row'],
];

/** Returns the source without comments. */
const codeOf = (source: string): string => source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

const statementsIn = (code: string): number => [...code.matchAll(new RegExp(STATEMENT, 'g'))].length;

describe('SQL', () => {
  const written = globSync(`${ROOMS}/**/*.ts`, { cwd: ROOT })
    .map((file) => ({ file, times: statementsIn(codeOf(readFileSync(resolve(ROOT, file), 'utf8'))) }))
    .filter(({ times }) => times > 0);

  test('is written in stores alone', () => {
    // A statement in a route or a use case escapes the review of locks and guards, and its columns are mapped a second time.
    expect(written.filter(({ file }) => !STORES.test(file))).toEqual([]);
  });

  test('is text only where a typed statement cannot express it', () => {
    // The compiler checks neither the columns nor the values of a text.
    expect(written.filter(({ file }) => !TEXT.some(([place]) => place.test(file)))).toEqual([]);
    const unused = TEXT.filter(([place]) => !written.some(({ file }) => place.test(file)));
    expect(unused).toEqual([]);
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
