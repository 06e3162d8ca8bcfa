import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, openOrm, type EntityManager } from '../../database/connection.ts';
import { prepareLogins } from '../../database/logins.ts';
import { migrate } from '../../database/migrate.ts';
import { requireOwnLogins } from '../../database/own-logins.ts';
import { scramVerifier } from '../../database/scram.ts';
import { RUNTIME_ROLES, type RuntimeRole } from '../../runtime/database-roles.ts';
import { createLogger } from '../../runtime/logger.ts';
import { findFreePort } from '../../scripts/shared/ports.ts';
import { startPostgres, type EmbeddedPostgres } from '../../scripts/development/postgres.ts';
import { runtimeLogins } from '../../scripts/shared/runtime-logins.ts';

const log = createLogger({ service: 'test', level: 'silent' });
/**
 * Roles belong to the whole cluster, and processes of other tests refuse to start with a role that has too many rights. Therefore this file
 * starts its own cluster.
 */
let directory: string;
let target: EmbeddedPostgres;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-logins-'));
  // If Postgres has to run as another account, it must be able to enter this directory.
  chmodSync(directory, 0o755);
  target = await startPostgres({
    directory: join(directory, 'postgres'),
    port: await findFreePort([]),
    database: 'lenden',
    logFile: join(directory, 'postgres.log'),
  });
  await migrate(target.url, runtimeLogins(target.url));
});

afterAll(async () => {
  await target.child.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function asOwner<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
  return inSession({ url: target.url, role: 'owner' }, work);
}

async function as<T>(role: RuntimeRole, work: (em: EntityManager) => Promise<T>): Promise<T> {
  return inSession({ url: runtimeLogins(target.url)[role], role, session: 'login' }, work);
}

async function inSession<T>(
  given: { url: string; role: RuntimeRole | 'owner'; session?: 'login' },
  work: (em: EntityManager) => Promise<T>,
): Promise<T> {
  const orm = await openOrm({ ...given, poolSize: 1 });
  try {
    return await work(orm.em.fork());
  } finally {
    await orm.close();
  }
}

const CURRENT = 'select session_user::text as login, current_user::text as role';

describe.each(RUNTIME_ROLES)('the login %s', (role) => {
  const itself = [{ login: role, role }];

  // An attacker who can run statements in a process must not become the owner, who sees every application.
  test('is no other role and cannot become one', async () => {
    const others = [
      ...RUNTIME_ROLES.filter((other) => other !== role),
      'lenden_lookup',
      'postgres',
      'pg_read_all_data',
    ];
    for (const other of others) {
      await expect(as(role, (em) => em.execute(`set role ${other}`))).rejects.toMatchObject({ code: '42501' });
      await expect(as(role, (em) => em.execute(`set session authorization ${other}`))).rejects.toMatchObject({
        code: '42501',
      });
    }
    for (const back of [
      'reset role',
      'set role none',
      'set local role none',
      'reset session authorization',
      'reset all',
    ]) {
      const seen = await as(role, (em) =>
        em.transactional(async (within) => {
          await within.execute(back);
          return within.execute<object[]>(CURRENT);
        }),
      );
      expect([back, seen]).toEqual([back, itself]);
    }
  });

  test('is no administrator, a member of nothing, and owns nothing', async () => {
    const [row] = await asOwner((em) =>
      em.execute<object[]>(
        `select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin,
           (select count(*)::integer from pg_auth_members m where m.member = r.oid) as memberships,
           (select count(*)::integer from pg_shdepend d where d.refobjid = r.oid and d.deptype = 'o') as owned,
           has_database_privilege(r.oid, current_database(), 'create') as schemas,
           has_database_privilege(r.oid, current_database(), 'temporary') as temporary,
           has_schema_privilege(r.oid, 'public', 'create') as tables
         from pg_roles r where rolname = ?`,
        [role],
      ),
    );
    const none = {
      rolsuper: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolreplication: false,
      rolbypassrls: false,
    };
    expect(row).toEqual({
      ...none,
      rolcanlogin: true,
      memberships: 0,
      owned: 0,
      schemas: false,
      temporary: false,
      tables: false,
    });
  });

  test('cannot change a function that answers before a scope is known, nor make tables', async () => {
    for (const statement of [
      'alter function lenden_find_credential(bytea) security invoker',
      'drop function lenden_find_payment(text)',
      'create table mine (id integer)',
      'create temporary table mine (id integer)',
      'create schema mine',
    ]) {
      await expect(as(role, (em) => em.execute(statement))).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('preparing the logins', () => {
  // Preparation runs at every deployment, and in several databases of a cluster at once.
  test('changes nothing the second time, and takes a new password', async () => {
    const passwords = () =>
      asOwner((em) =>
        em.execute<object[]>(`select rolname, rolpassword from pg_authid where rolname like 'lenden\\_%' order by 1`),
      );
    const before = await passwords();
    await asOwner((em) => prepareLogins(em, runtimeLogins(target.url)));
    expect(await passwords()).toEqual(before);
  });

  // A login from an older installation, or with rights that were added by hand, is restricted again.
  test('takes away what leads beyond the role', async () => {
    await asOwner((em) => em.execute('grant pg_monitor to lenden_system'));
    const database = await openDatabase({ url: runtimeLogins(target.url), poolSize: 1 });
    await expect(requireOwnLogins({ database, roles: ['lenden_system'], log })).rejects.toThrow(
      'member of other roles',
    );
    await asOwner((em) => prepareLogins(em, runtimeLogins(target.url)));
    await expect(requireOwnLogins({ database, roles: RUNTIME_ROLES, log })).resolves.toBeUndefined();
    await database.close();
  });

  // Row-level security does not apply to a superuser.
  test("a process that is given the owner's URL does not start", async () => {
    const owner = { lenden_app: target.url };
    const database = await openDatabase({ url: owner, poolSize: 1 });
    await expect(requireOwnLogins({ database, roles: ['lenden_app'], log })).rejects.toThrow(
      'logged in to the database as',
    );
    await expect(database.withSystem((em) => em.execute('select 1'))).rejects.toThrow(
      'no database login for lenden_system',
    );
    await database.close();
  });

  // Source: PostgreSQL's own test of SCRAM, and the value that the server computes from the same password and salt.
  test('computes of a password what the server computes', async () => {
    const [row] = await asOwner((em) =>
      em.transactional(async (within) => {
        await within.execute(`create role lenden_scram_test password 'pencil'`);
        const rows = await within.execute<{ stored: string }[]>(
          `select rolpassword as stored from pg_authid where rolname = 'lenden_scram_test'`,
        );
        await within.execute('drop role lenden_scram_test');
        return rows;
      }),
    );
    const salt = Buffer.from(/:([^$]+)\$/.exec(row?.stored ?? '')?.[1] ?? '', 'base64');
    expect(scramVerifier('pencil', salt)).toBe(row?.stored);
    expect(scramVerifier('pencil')).not.toBe(row?.stored);
  });
});
