import { execFile } from 'node:child_process';
import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { noteRestore } from '../../../core/maintenance/store/after-restore.ts';
import { createLedgerActivities } from '../../../activities/ledger.ts';
import { createApplication, openLedger, payPayment, type LedgerFixture } from './ledger-fixture.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const TIMEOUT_MS = 30_000;

let ledger: LedgerFixture;
beforeAll(async () => {
  ledger = await openLedger();
  const applicationId = await createApplication(ledger.database);
  await payPayment(ledger.database, { applicationId });
  await ledger.seal();
});
afterAll(() => ledger.close());

/** Returns the line in which a worker logs the head, whatever its log level is. */
async function loggedHead(): Promise<string> {
  const lines: string[] = [];
  const log = pino({ level: 'fatal' }, { write: (line: string) => lines.push(line) });
  const activities = createLedgerActivities({ database: ledger.database, log });
  await activities.sealLedger();
  await activities.sealLedger();
  expect(lines).toHaveLength(1);
  return (lines[0] ?? '').trim();
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function verify(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      ['scripts/commands/verify.ts', ...args],
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
  // A pipeline reads the exit code and a person reads the text, so they must agree.
  test(
    'ends with 0 and says what it proved',
    async () => {
      const { code, stdout } = await verify([]);
      expect({ code, stdout }).toMatchObject({ code: 0 });
      expect(stdout).toMatch(/chain +1 seal, 1 transaction, 6 rows/);
      expect(stdout).toMatch(/TEST BDT: debits 102\.50 = credits 102\.50/);
      expect(stdout).toMatch(/No findings/);
    },
    TIMEOUT_MS,
  );

  test(
    'records what it found, for the dashboard',
    async () => {
      const recorded = () =>
        ledger.database.withSystem((em) =>
          em.execute<object[]>(
            `select finding_count, first_finding, last_seal_id::text, sealed_transactions::text, witnesses, queried_charges
           from ledger_verifications order by id desc limit 1`,
          ),
        );
      await verify([]);
      expect(await recorded()).toEqual([
        {
          finding_count: 0,
          first_finding: null,
          last_seal_id: '1',
          sealed_transactions: '1',
          witnesses: null,
          queried_charges: null,
        },
      ]);
    },
    TIMEOUT_MS,
  );

  // Without Temporal, the report must say that this witness is missing. It must not hang or fail.
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

  // A database that could not be read must not count as verified.
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

  // Logs that are kept elsewhere reveal a rewritten chain, even if the database and Temporal agree.
  test(
    'compares the chain with the heads of a log, as its shipper passed them on',
    async () => {
      const head = await loggedHead();
      const file = join(mkdtempSync(join(tmpdir(), 'lenden-heads-')), 'worker.log');
      writeFileSync(file, `worker-1  | {"msg":"worker ready"}\nworker-1  | ${head}\nnot JSON: {ledger sealed\n`);
      const kept = await verify(['--heads', file]);
      expect({ code: kept.code, out: kept.stdout }).toMatchObject({ code: 0 });
      expect(kept.stdout).toMatch(/heads +1 logged head compared/);
      appendFileSync(file, `${head.replace(/"hash":"\w{64}/, `"hash":"${'0'.repeat(64)}`)}\n`);
      appendFileSync(file, `${head.replace('"sealId":"1"', '"sealId":"9"')}\n`);
      const { code, stdout } = await verify(['--json', '--heads', file]);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        heads: 3,
        findings: [
          { check: 'witness', id: '1', what: expect.stringContaining('line 4 of') },
          { check: 'witness', id: '9', what: expect.stringContaining('its end was cut off') },
        ],
      });
      writeFileSync(file, 'worker ready\n');
      expect((await verify(['--heads', file])).code).toBe(2);
    },
    TIMEOUT_MS,
  );

  // A restore removes seals whose heads are still in the log. An attacker who rewrites the chain afterwards, or rewrites the restored part, must
  // still be found.
  test(
    'says of the heads of seals that a restore has undone that they are not compared, and of no others',
    async () => {
      await ledger.database.withSystem(noteRestore);
      const before = new Date(Date.now() - 60_000).toISOString();
      const after = new Date(Date.now() + 60_000).toISOString();
      const file = join(mkdtempSync(join(tmpdir(), 'lenden-heads-')), 'worker.log');
      const head = (sealId: number, time: string) =>
        `${JSON.stringify({ level: 'info', time, msg: 'ledger sealed', sealId: String(sealId), hash: '0'.repeat(64) })}\n`;
      writeFileSync(file, head(2, before) + head(3, before));
      const undone = await verify(['--heads', file]);
      expect({ code: undone.code, out: undone.stdout }).toMatchObject({ code: 0 });
      expect(undone.stdout).toMatch(/note +2 recorded heads belong to seals that the restore has undone/);
      writeFileSync(file, head(1, before) + head(2, after) + head(3, 'yesterday'));
      const { code, stdout } = await verify(['--json', '--heads', file]);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        findings: [
          { check: 'witness', id: '1' },
          { check: 'witness', id: '2' },
          { check: 'witness', id: '3' },
        ],
      });
    },
    TIMEOUT_MS,
  );

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
