import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase, type Database } from '../../database/connection.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const SCOPE = { applicationId: 1n, mode: 'TEST' } as const;
const POOL_SIZE = 2;

let testDatabase: TestDatabase;
let proxy: TcpProxy;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const url = new URL(testDatabase.url);
  proxy = await openTcpProxy({ host: url.hostname, port: Number(url.port) });
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  database = await openDatabase({ url: url.href, poolSize: POOL_SIZE, silenceMaxMs: 500 });
});
afterAll(async () => {
  await proxy.close();
  await testDatabase.drop();
});

function ask(): Promise<unknown> {
  return database.withScope(SCOPE, (em) => em.execute('select 1 as one'));
}

test('connections that are lost inside transactions do not use the pool up', async () => {
  // After Postgres restarts under load, the process must serve again without a restart of its own.
  for (let loss = 0; loss < POOL_SIZE + 1; loss += 1) {
    const lost = database.withScope(SCOPE, async (em) => {
      await em.execute('select 1');
      await proxy.cut();
      await em.execute('select 2');
    });
    await expect(lost).rejects.toThrow();
    await proxy.restore();
  }
  expect(await ask()).toEqual([{ one: 1 }]);
  expect(await Promise.all([ask(), ask(), ask()])).toHaveLength(3);
});

test('a connection that the server ends on its own is replaced', async () => {
  // This is what idle_in_transaction_session_timeout and an operator's pg_terminate_backend do.
  const killed = database.withScope(SCOPE, (em) => em.execute('select pg_terminate_backend(pg_backend_pid())'));
  await expect(killed).rejects.toThrow();
  expect(await ask()).toEqual([{ one: 1 }]);
});

test('a server that accepts and never answers holds nobody for ever', async () => {
  // On a network that drops packets, TCP itself would wait for a quarter of an hour.
  await ask();
  proxy.silence();
  await expect(database.ping()).rejects.toThrow();
  await proxy.cut();
  await proxy.restore();
  expect(await ask()).toEqual([{ one: 1 }]);
});

test('closing ends although connections were lost', async () => {
  // Otherwise a graceful stop would wait for connections that are gone.
  const patience = new AbortController();
  const waited = sleep(3_000, 'still waiting', { signal: patience.signal });
  expect(await Promise.race([database.close().then(() => 'closed'), waited])).toBe('closed');
  patience.abort();
  await waited.catch(() => null);
});
