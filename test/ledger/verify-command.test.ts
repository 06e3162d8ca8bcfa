import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createApplication, openLedger, payPayment, type LedgerFixture } from './ledger-fixture.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const TIMEOUT_MS = 30_000;

let ledger: LedgerFixture;
beforeAll(async () => {
  ledger = await openLedger();
  const applicationId = await createApplication(ledger.database);
  await payPayment(ledger.database, { applicationId });
  await ledger.seal();
});
afterAll(() => ledger.close());

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function verify(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      ['scripts/verify.ts', ...args],
      {
        cwd: ROOT,
        env: { PATH: process.env['PATH'], DATABASE_URL: ledger.url, ...environment },
        timeout: TIMEOUT_MS,
      },
      (error, stdout, stderr) => {
        done({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr });
      },
    );
  });
}

describe('npm run verify', () => {
  // A pipeline reads the exit code, a person the words: both say the same.
  test(
    'ends with 0 and says what it proved',
    async () => {
      const { code, stdout } = await verify([]);
      expect({ code, stdout }).toMatchObject({ code: 0 });
      expect(stdout).toMatch(/chain +1 seal, 1 transaction, 6 rows/);
      expect(stdout).toMatch(/TEST BDT: debits 102\.50 = credits 102\.50/);
      expect(stdout).toMatch(/Nothing found/);
    },
    TIMEOUT_MS,
  );

  // Without a Temporal the proof is said to lack its outside witness; it neither hangs nor fails.
  test(
    'says when Temporal could not be asked',
    async () => {
      const { code, stdout } = await verify(['--json'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        ok: true,
        witnesses: null,
        notices: [expect.stringContaining('did not answer')],
      });
    },
    TIMEOUT_MS,
  );

  // A database that cannot be read is not a clean one.
  test(
    'ends with 2 when it could not look',
    async () => {
      const { code, stderr } = await verify([], { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^Could not verify: /);
      expect((await verify(['--unknown'])).code).toBe(2);
    },
    TIMEOUT_MS,
  );

  // The row to look at is in the output, in words and in JSON.
  test(
    'ends with 1 and names the row that was changed',
    async () => {
      await ledger.asIntruder('update ledger_postings set amount_minor = 1 where id = 1');
      const words = await verify([]);
      expect(words.code).toBe(1);
      expect(words.stdout).toMatch(/FOUND 2, the first bad row first:\n +1\. \[chain\] ledger_postings 1 /);
      const json = await verify(['--json']);
      expect(json.code).toBe(1);
      expect(JSON.parse(json.stdout)).toMatchObject({
        ok: false,
        findings: [{ check: 'chain', table: 'ledger_postings', id: '1' }, { table: 'ledger_postings' }],
      });
    },
    TIMEOUT_MS,
  );
});
