import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openOrm } from '../../database/connection.ts';
import { migrate } from '../../database/migrate.ts';
import { findFreePort } from '../../scripts/shared/ports.ts';
import { startPostgres, type EmbeddedPostgres } from '../../scripts/development/postgres.ts';
import { runtimeLogins, runtimeLoginVariables } from '../../scripts/shared/runtime-logins.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Roles belong to the whole cluster, so this file starts its own. */
let directory: string;
let server: EmbeddedPostgres;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-dump-'));
  // If Postgres has to run as another account, it must be able to enter this directory.
  chmodSync(directory, 0o755);
  server = await startPostgres({
    directory: join(directory, 'postgres'),
    port: await findFreePort([]),
    database: 'lenden',
    logFile: join(directory, 'postgres.log'),
  });
});

afterAll(async () => {
  await server.child.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function asOwner<Row extends object>(...statements: string[]): Promise<Row[]> {
  const orm = await openOrm({ url: server.url, role: 'owner', poolSize: 1 });
  try {
    let rows: Row[] = [];
    for (const statement of statements) {
      rows = await orm.em.fork().execute<Row[]>(statement);
    }
    return rows;
  } finally {
    await orm.close();
  }
}

const ROLES =
  "select rolname::text as name, rolcanlogin as login from pg_roles where rolname like 'lenden%' order by 1";

function migrateCommand(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      ['database/migrate.ts', ...args],
      { cwd: ROOT, env: { PATH: process.env['PATH'], DATABASE_URL: server.url, ...runtimeLoginVariables(server.url) } },
      (error, stdout, stderr) => done({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

test('an empty database in a new cluster gets the roles that a dump names, and nothing else', async () => {
  // Without these roles, a dump could not be restored completely on a machine that has never run Lenden.
  const { code, stderr } = await migrateCommand('--roles-only');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(await asOwner(ROLES)).toEqual([
    { name: 'lenden_app', login: true },
    { name: 'lenden_lookup', login: false },
    { name: 'lenden_operator', login: true },
    { name: 'lenden_system', login: true },
  ]);
  expect(await asOwner("select 1 from pg_tables where schemaname = 'public'")).toEqual([]);
  // The owner may assign a function to each role, as a dump does.
  await asOwner('set role lenden_lookup', 'reset role');
  // Running it again changes nothing.
  expect((await migrateCommand('--roles-only')).code).toBe(0);
  expect((await migrate(server.url, runtimeLogins(server.url))).migrations).not.toEqual([]);
  expect((await migrate(server.url, runtimeLogins(server.url))).migrations).toEqual([]);
});

test.each(['lenden_lookup', 'lenden_app'])(
  'a dump that was restored where %s was missing is refused, in words and whole',
  async (role) => {
    // Without this check, a restored installation could run without the policies that isolate applications.
    await asOwner('create database kept template lenden');
    try {
      // Simulates a restore with pg_restore, which continues after each failed statement that names the role.
      await asOwner(`reassign owned by ${role} to postgres`, `drop owned by ${role}`);
      await expect(migrate(server.url)).rejects.toThrow(new RegExp(`it lacks every policy of ${role}`));
      const { code, stderr } = await migrateCommand();
      expect(code).toBe(1);
      expect(stderr).toMatch(/^The database was not migrated: the database was restored without .*--roles-only.*\n$/);
    } finally {
      const admin = new URL(server.url);
      admin.pathname = '/postgres';
      const orm = await openOrm({ url: admin.href, role: 'owner', poolSize: 1 });
      await orm.em.fork().execute('drop database lenden with (force)');
      await orm.em.fork().execute('alter database kept rename to lenden');
      await orm.close();
    }
    expect((await migrate(server.url)).migrations).toEqual([]);
  },
);
