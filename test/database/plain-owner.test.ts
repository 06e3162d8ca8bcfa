import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerApplication } from '../../core/applications/store/applications.ts';
import { openDatabase, openOrm } from '../../database/connection.ts';
import { migrate } from '../../database/migrate.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import { findFreePort } from '../../scripts/shared/ports.ts';
import { startPostgres, type EmbeddedPostgres } from '../../scripts/development/postgres.ts';
import { runtimeLogins } from '../../scripts/shared/runtime-logins.ts';

let directory: string;
let server: EmbeddedPostgres;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-owner-'));
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

test('an owner that is no superuser can migrate and run everything', async () => {
  // Otherwise a deployment without a superuser could not migrate, or would run without the roles that isolate applications.
  const admin = await openOrm({ url: server.url, role: 'owner', poolSize: 1 });
  await admin.em.fork().execute(`create role plain login createrole password 'plain'`);
  await admin.em.fork().execute('create database plain owner plain');
  await admin.close();
  const url = new URL(server.url);
  url.username = 'plain';
  url.password = 'plain';
  url.pathname = '/plain';
  const logins = runtimeLogins(url.href);
  const { migrations, notices } = await migrate(url.href, logins);
  expect(migrations).not.toEqual([]);
  // Each step that only a superuser may do is reported, and everything else is done.
  expect(notices).toHaveLength(6);
  expect(notices[0]).toContain('alter role lenden_app set log_error_verbosity = terse');
  const database = await openDatabase({ url: url.href, poolSize: 1 });
  const secrets = createSecretBox(`k:${Buffer.alloc(32, 7).toString('base64')}`);
  const app = await registerApplication({ database, secrets }, { name: 'Shop' });
  const scope = { applicationId: app.applicationId, mode: 'TEST' } as const;
  const seen = await database.withScope(scope, (em) => em.execute<object[]>('select name from applications'));
  const foreign = await database.withScope({ ...scope, applicationId: 999n }, (em) =>
    em.execute<object[]>('select name from applications'),
  );
  await database.close();
  const processes = await openDatabase({ url: logins, poolSize: 1 });
  expect(await processes.withSystem((em) => em.execute('select name from applications'))).toEqual([{ name: 'Shop' }]);
  expect(await processes.withOperator([], (em) => em.execute('select session_user::text as name'))).toEqual([
    { name: 'lenden_operator' },
  ]);
  await processes.close();
  expect(seen).toEqual([{ name: 'Shop' }]);
  expect(foreign).toEqual([]);
});
