import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOrm } from '../../../database/connection.ts';
import { acceptsConnections, findFreePort } from '../../../scripts/shared/ports.ts';
import { startPostgres, type EmbeddedPostgres } from '../../../scripts/development/postgres.ts';
import { longTest } from '../../support/long.ts';

let directory: string;
let running: EmbeddedPostgres[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-postgres-'));
  chmodSync(directory, 0o755);
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((server) => server.child.stop()));
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedPostgres> {
  const server = await startPostgres({
    directory: join(directory, 'postgres'),
    port: await findFreePort([]),
    database: 'lenden',
    logFile: join(directory, 'postgres.log'),
  });
  running.push(server);
  return server;
}

/**
 * Returns the account of the data directory. Postgres respects a pid only if it may signal it, so a program with that
 * pid must run under the same account.
 */
function accountOf(data: string): { uid?: number; gid?: number } {
  const { uid, gid } = statSync(data);
  return process.getuid?.() === 0 ? { uid, gid } : {};
}

async function query(url: string, sql: string): Promise<object[]> {
  const orm = await openOrm({ url, role: 'owner', poolSize: 1 });
  try {
    return await orm.em.fork().execute(sql);
  } finally {
    await orm.close();
  }
}

describe('embedded Postgres', () => {
  test('keeps committed rows over kill -9 and starts again on the same data', async () => {
    // Otherwise committed rows would be lost when the database process dies.
    const first = await start();
    await query(first.url, 'create table kept as select 42 as answer');
    process.kill(first.child.identity.pid, 'SIGKILL');
    await first.child.exited;
    const second = await start();
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  longTest('stops a former server that still runs on the data before it starts', async () => {
    // Otherwise two servers would write to one cluster, for example after only the launcher was killed.
    const first = await start();
    await query(first.url, 'create table kept as select 1 as one');
    const second = await start();
    // It ended before the second server started, but its parent may learn of it a moment later.
    await first.child.exited;
    expect(await query(second.url, 'select one from kept')).toEqual([{ one: 1 }]);
  });

  longTest('starts although the pid in a stale pid file belongs to another program now', async () => {
    // Otherwise a reused pid would block the start after a crash, or an unrelated program would be killed.
    const first = await start();
    process.kill(first.child.identity.pid, 'SIGKILL');
    await first.child.exited;
    const data = join(directory, 'postgres', 'data');
    const pidFile = join(data, 'postmaster.pid');
    const innocent = spawn('sleep', ['60'], { stdio: 'ignore', ...accountOf(data) });
    try {
      const [, ...rest] = readFileSync(pidFile, 'utf8').split('\n');
      writeFileSync(pidFile, [String(innocent.pid), ...rest].join('\n'));
      const second = await start();
      expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
      expect(innocent.exitCode ?? innocent.signalCode).toBeNull();
    } finally {
      innocent.kill('SIGKILL');
      await once(innocent, 'exit');
    }
  });

  longTest('starts although the killed server is still in the process table', async () => {
    // Otherwise Postgres could not start after every process was killed, in a container whose first process collects no zombies.
    const first = await start();
    const data = join(directory, 'postgres', 'data');
    const pidFile = join(data, 'postmaster.pid');
    const [, ...rest] = readFileSync(pidFile, 'utf8').split('\n');
    process.kill(first.child.identity.pid, 'SIGKILL');
    await first.child.exited;
    // A shell that does not wait for its child leaves a zombie in the process table.
    const neglectful = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      ...accountOf(data),
    });
    try {
      const [zombie] = await once(neglectful.stdout, 'data');
      writeFileSync(pidFile, [String(zombie).trim(), ...rest].join('\n'));
      const second = await start();
      expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    } finally {
      neglectful.kill('SIGKILL');
      await once(neglectful, 'exit');
    }
  });

  longTest('makes the cluster anew when a first start died half-way', async () => {
    // Otherwise an incomplete cluster would be used as a complete one.
    const staging = join(directory, 'postgres', 'data.new');
    const first = await start();
    await first.child.stop();
    rmSync(join(directory, 'postgres', 'data'), { recursive: true });
    expect(existsSync(staging)).toBe(false);
    mkdirSync(staging);
    writeFileSync(join(staging, 'PG_VERSION'), '18\n');
    const second = await start();
    expect(await query(second.url, 'select current_database() as name')).toEqual([{ name: 'lenden' }]);
  });

  test('refuses a connection without the password', async () => {
    // Otherwise another account on this machine could read payments over the loopback.
    const server = await start();
    const wrong = new URL(server.url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password/);
    expect(statSync(join(directory, 'postgres', 'password')).mode & 0o077).toBe(0);
  });

  longTest('gives the owner a new password when the old one was lost', async () => {
    // Otherwise the owner of the files would lose access to the data.
    const first = await start();
    await first.child.stop();
    rmSync(join(directory, 'postgres', 'password'));
    const second = await start();
    expect(second.url.replace(/:\d+\//, '')).not.toBe(first.url.replace(/:\d+\//, ''));
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('waits for the disk at every commit and listens on the loopback only', async () => {
    // Otherwise a confirmed payment would be lost in a power failure, or the server would be reachable from the network.
    const server = await start();
    const settings = await query(
      server.url,
      "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'listen_addresses') order by name",
    );
    expect(settings).toEqual([
      { name: 'fsync', setting: 'on' },
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'synchronous_commit', setting: 'on' },
    ]);
    await server.child.stop();
    expect(await acceptsConnections({ host: '127.0.0.1', port: server.port })).toBe(false);
  });

  longTest('says what the server said when it cannot start', async () => {
    // Otherwise a failed start would report a timeout instead of the reason.
    const taken = await start();
    const attempt = startPostgres({
      directory: join(directory, 'other'),
      port: taken.port,
      database: 'lenden',
      logFile: join(directory, 'other.log'),
    });
    await expect(attempt).rejects.toThrow(/Address already in use/);
  });
});
