import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ADVISORY_LOCK_SEEDS, ADVISORY_LOCKS } from '../../database/advisory-locks.ts';
import { announceProcess } from '../../database/presence.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createApplication, openLedger, payPayment, type LedgerFixture } from '../core/ledger/ledger-fixture.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const PRODUCT = '{activities,api,core,database,domain,gateways,runtime,scripts,temporal,web,worker,workflows}';
const LIST = 'database/advisory-locks.ts';

const log = createLogger({ service: 'test', level: 'silent' });

let ledger: LedgerFixture;
beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger.close());

describe('advisory locks', () => {
  test('a ledger is sealed while processes run', async () => {
    // The lock that shows a running process is held for days. If sealing wanted the same one, it would never seal.
    const presence = await announceProcess({
      database: ledger.database,
      name: 'worker 17@host',
      log,
      onRestore: () => undefined,
    });
    try {
      await payPayment(ledger.database, { applicationId: await createApplication(ledger.database) });
      expect((await ledger.seal()).head).toMatchObject({ sealId: 1n, totalTransactions: 1n });
    } finally {
      await presence.end();
    }
  });

  test('every use has a number of its own', () => {
    // Two uses of one number wait for each other for no reason, or keep each other from working.
    const numbers = [...Object.values(ADVISORY_LOCKS), ...Object.values(ADVISORY_LOCK_SEEDS)];
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test('every use takes its number from the list', () => {
    // A number written elsewhere would escape the comparison above.
    const sources = globSync(`${PRODUCT}/**/*.ts`, { cwd: ROOT })
      .filter((file) => file !== LIST)
      .map((file) => ({ file, code: readFileSync(resolve(ROOT, file), 'utf8') }));
    const users = sources.filter(({ code }) => /pg_(?:try_)?advisory/.test(code));
    expect(users.length).toBeGreaterThanOrEqual(6);
    expect(users.filter(({ code }) => !/from '[./a-z]*\/advisory-locks\.ts'/.test(code))).toEqual([]);
    expect(sources.filter(({ code }) => /\b7_?016_?4\d\d\b/.test(code))).toEqual([]);
  });
});
