import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { registerApplication } from '../../../core/applications/store/applications.ts';
import { openDatabase, openOrm, type PooledDatabase } from '../../../database/connection.ts';
import { announceProcess, keepAlone } from '../../../database/presence.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createSecretBox } from '../../../runtime/secrets.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createTestNamespace } from '../../support/temporal.ts';
import { testServers } from '../../support/test-servers.ts';
import { until } from '../../support/until.ts';
import { longTest } from '../../support/long.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const log = createLogger({ service: 'test', level: 'silent' });

let stored: TestDatabase;
let namespace: string;
let applicationId: bigint;

beforeAll(async () => {
  [stored, namespace] = await Promise.all([createTestDatabase(), createTestNamespace()]);
  await connected(async (database) => {
    const secrets = createSecretBox(`k:${Buffer.alloc(32, 7).toString('base64')}`);
    ({ applicationId } = await registerApplication({ database, secrets }, { name: 'Shop' }));
  });
});
afterAll(() => stored.drop());

async function connected<T>(work: (database: PooledDatabase) => Promise<T>): Promise<T> {
  const database = await openDatabase({ url: stored.url, poolSize: 3 });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function restore(args: readonly string[], inNamespace = namespace): Promise<Ended> {
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: stored.url,
    TEMPORAL_ADDRESS: testServers().temporalAddress,
    TEMPORAL_NAMESPACE: inNamespace,
  };
  return new Promise((done) => {
    execFile(process.execPath, ['scripts/commands/restore.ts', ...args], { cwd: ROOT, env }, (error, stdout, stderr) =>
      done({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

async function rows<Row extends object>(text: string): Promise<Row[]> {
  const orm = await openOrm({ url: stored.url, role: 'owner', poolSize: 1 });
  try {
    return await orm.em.fork().execute<Row[]>(text);
  } finally {
    await orm.close();
  }
}

const SEQUENCES = 'select sequencename, last_value from pg_sequences order by 1';

describe('npm run restore', () => {
  test('refuses while an api lives that has nothing to do, and names it', async () => {
    // Otherwise a process that knows lost rows would run on the restored ones. Its idle pool has no connection.
    await connected(async (database) => {
      const presence = await announceProcess({ database, name: 'api 17@old-host', log, onRestore: () => undefined });
      const before = await rows(SEQUENCES);
      const { code, stderr } = await restore([]);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(/stop every API and worker process first.*lenden api 17@old-host/),
      });
      expect(await rows(SEQUENCES)).toEqual(before);
      expect((await restore(['--dry-run'])).stdout).toMatch(/alive +lenden api 17@old-host/);
      await presence.end();
      expect((await restore(['--dry-run'])).stdout).not.toMatch(/^alive/m);
    });
  });

  longTest('keeps a process away that starts meanwhile, and ends one whose session was cut off', async () => {
    // Dropping the database ends every session, so for a moment a running process looks stopped.
    await connected(async (database) => {
      let ended = 0;
      const told = { database, log, onRestore: () => (ended += 1) };
      const cutOff = await announceProcess({ ...told, name: 'worker 18@old-host' });
      await rows(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lenden worker 18@old-host'",
      );
      const alone = await keepAlone(database);
      expect(alone.living).toBeNull();
      expect(ended).toBe(1);
      let started = false;
      const starting = announceProcess({ ...told, name: 'api 19@host' }).then((presence) => {
        started = true;
        return presence;
      });
      await sleep(500);
      expect(started).toBe(false);
      if (alone.living === null) {
        alone.end();
      }
      await until(() => started);
      await (await starting).end();
      await cutOff.end();
      expect(ended).toBe(1);
    });
  });

  longTest('changes nothing where Temporal was never prepared, and says what to run', async () => {
    // Otherwise the restore would stop halfway on a new Temporal server.
    const before = await rows(SEQUENCES);
    const { code, stderr } = await restore([], 'never-prepared');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/Temporal is not prepared.*scripts\/commands\/prepare-temporal\.ts/),
    });
    expect(await rows(SEQUENCES)).toEqual(before);
  });

  test('moves an invoice counter past the newest number that customers hold, or by a gap', async () => {
    // Otherwise two customers could get the same invoice number when Temporal is as old as the restored rows.
    const given = ['--invoice-number', `${applicationId}:LIVE:41`, '--invoice-number', `${applicationId}:TEST:3`];
    const unknown = await restore(['--invoice-number', '999:LIVE:41']);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('application 999') });
    expect(await restore(['--invoice-number', `${applicationId}:LIVE`])).toMatchObject({ code: 2 });
    const first = await restore(given);
    expect(first).toMatchObject({ code: 1, stdout: expect.stringContaining('LIVE: invoice numbers 1 to 41') });
    await restore([...given, '--invoice-gap', '100']);
    expect(await rows('select mode, last_number::text as last from invoice_counters order by mode')).toEqual([
      { mode: 'LIVE', last: '141' },
      { mode: 'TEST', last: '103' },
    ]);
    expect(
      await rows(
        'select mode, first_number::text as first, last_number::text as last from lost_invoice_numbers order by 1, 2',
      ),
    ).toEqual([
      { mode: 'LIVE', first: '1', last: '41' },
      { mode: 'LIVE', first: '42', last: '141' },
      { mode: 'TEST', first: '1', last: '3' },
      { mode: 'TEST', first: '4', last: '103' },
    ]);
  });
});
