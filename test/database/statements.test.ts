import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase, sqlStateOf, type Database, type Scope } from '../../database/connection.ts';
import { registerApplication } from '../../core/applications/store/applications.ts';
import type { Statements } from '../../database/statements.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import { openTcpProxy, type TcpProxy } from '../api/tcp-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const POOL_SIZE = 2;
const CHECK_VIOLATION = '23514';

let testDatabase: TestDatabase;
let proxy: TcpProxy;
let database: Database;
let shop: Scope;
let rival: Scope;
let number = 0;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const url = new URL(testDatabase.url);
  proxy = await openTcpProxy({ host: url.hostname, port: Number(url.port) });
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  database = await openDatabase({ url: url.href, poolSize: POOL_SIZE });
  const secrets = createSecretBox(`test:${Buffer.alloc(32, 1).toString('base64')}`);
  const register = async (name: string): Promise<Scope> => ({
    applicationId: (await registerApplication({ database, secrets }, { name })).applicationId,
    mode: 'TEST',
  });
  shop = await register('Shop');
  rival = await register('Rival');
});
afterAll(async () => {
  await database.close();
  await proxy.close();
  await testDatabase.drop();
});
beforeEach(() => {
  number += 1;
});

/** Inserts an account, a row that any scope may write for itself. */
function insert(statements: Statements, name: string, { applicationId, mode }: Scope = shop, side = 'debit') {
  return statements.execute(
    'insert into ledger_accounts (name, currency, normal_side, application_id, mode) values (?, ?, ?, ?, ?)',
    [`${name}:${number}`, 'BDT', side, applicationId, mode],
  );
}

async function stored(scope: Scope = shop): Promise<string[]> {
  const rows = await database.withScope(
    scope,
    (statements) =>
      statements.execute<{ name: string }[]>('select name from ledger_accounts where name like ?', [`%:${number}`]),
    { oneTrip: true },
  );
  return rows.map(({ name }) => name.replace(`:${number}`, '')).sort();
}

describe.each([
  ['in one trip', { oneTrip: true }],
  ['trip by trip', { oneTrip: false }],
])('a unit of work %s', (_name, trips) => {
  test('stores all of its statements', async () => {
    // A unit of work is one transaction.
    await database.withScope(
      shop,
      (statements) => Promise.all([insert(statements, 'a'), insert(statements, 'b')]),
      trips,
    );
    expect(await stored()).toEqual(['a', 'b']);
  });

  test('stores nothing when a later statement fails, and tells why', async () => {
    // A partly stored unit of work would leave money partly posted. A failed transaction must not be reported as committed.
    const failing = database.withScope(
      shop,
      (statements) =>
        Promise.all([insert(statements, 'a'), insert(statements, 'b', shop, 'nonsense'), insert(statements, 'c')]),
      trips,
    );
    expect(sqlStateOf(await failing.catch((error: unknown) => error))).toBe(CHECK_VIOLATION);
    expect(await stored()).toEqual([]);
  });

  test('sees and writes rows of its scope only', async () => {
    // Row-level security also applies to this way into the database.
    await database.withScope(rival, (statements) => insert(statements, 'theirs', rival), trips);
    expect(await stored(shop)).toEqual([]);
    const trespass = database.withScope(shop, (statements) => insert(statements, 'a', rival), trips);
    await expect(trespass).rejects.toThrow(/row-level security/);
  });

  test('leaves its scope on no connection', async () => {
    // The next user of a pooled connection may be another application.
    await database.withScope(shop, (statements) => insert(statements, 'a'), trips);
    for (let use = 0; use < POOL_SIZE; use += 1) {
      expect(await database.lookup('select name from ledger_accounts', [])).toEqual([]);
    }
  });

  test('gives its connection back however it ends', async () => {
    // An outage must not exhaust the pool.
    for (let loss = 0; loss < POOL_SIZE + 1; loss += 1) {
      const lost = database.withScope(
        shop,
        async (statements) => {
          const answer = insert(statements, 'a');
          void proxy.cut();
          await answer;
        },
        trips,
      );
      await expect(lost).rejects.toThrow();
      await proxy.restore();
    }
    expect(await stored()).toEqual([]);
    for (let failure = 0; failure < POOL_SIZE + 1; failure += 1) {
      const failing = database.withScope(shop, (statements) => insert(statements, 'b', shop, 'nonsense'), trips);
      await expect(failing).rejects.toThrow();
    }
    expect(await Promise.all([stored(), stored(), stored()])).toEqual([[], [], []]);
  });
});

test('a unit of one trip cannot wait between its statements', async () => {
  // The commit has already been sent by then, so the second statement would run outside the transaction.
  const waiting = database.withScope(
    shop,
    async (statements) => {
      await insert(statements, 'a');
      await insert(statements, 'b');
    },
    { oneTrip: true },
  );
  await expect(waiting).rejects.toThrow(/already sent/);
  expect(await stored()).toEqual(['a']);
});

test('a transaction whose work gives up stores nothing', async () => {
  // If our own code refuses, everything written before must be rolled back.
  const refused = database.withScope(shop, async (statements) => {
    await insert(statements, 'a');
    throw new Error('refused');
  });
  await expect(refused).rejects.toThrow('refused');
  expect(await stored()).toEqual([]);
});

test('a deadlock is repeated until both have what they came for', async () => {
  // Callers never see error 40P01.
  await database.withScope(shop, (statements) => Promise.all([insert(statements, 'x'), insert(statements, 'y')]), {
    oneTrip: true,
  });
  const lock = (statements: Statements, name: string) =>
    statements.execute('select pg_advisory_xact_lock(hashtext(?))', [`${name}-${number}`]);
  const crossing = (first: string, second: string) =>
    database.withScope(shop, async (statements) => {
      await lock(statements, first);
      await statements.execute('select pg_sleep(0.2)');
      await lock(statements, second);
      return insert(statements, `${first}${second}`);
    });
  await Promise.all([crossing('x', 'y'), crossing('y', 'x')]);
  expect(await stored()).toEqual(['x', 'xy', 'y', 'yx']);
});
