import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDatabase, openOrm, type Database } from '../../database/connection.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const SCOPE = { applicationId: 1n, mode: 'TEST' } as const;
const ASK = `select current_setting('transaction_isolation') as level`;

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const owner = await openOrm({ url: testDatabase.url, role: 'owner', poolSize: 1 });
  const name = new URL(testDatabase.url).pathname.slice(1);
  await owner.em.fork().execute(`alter database "${name}" set default_transaction_isolation = 'serializable'`);
  await owner.close();
  database = await openDatabase({ url: testDatabase.url, poolSize: 2 });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

describe('on a database whose default is another isolation level', () => {
  const doors: [string, () => Promise<{ level: string }[]>][] = [
    [
      'withScope in one trip',
      () => database.withScope(SCOPE, (statements) => statements.execute(ASK), { oneTrip: true }),
    ],
    ['withScope', () => database.withScope(SCOPE, (statements) => statements.execute(ASK))],
    ['withSystem', () => database.withSystem((em) => em.execute(ASK))],
    ['withOperator', () => database.withOperator('every-app', (em) => em.execute(ASK))],
    ['lookup', () => database.lookup(ASK, [])],
  ];
  test.each(doors)('%s reads what is committed when each statement begins', async (_name, ask) => {
    // One statement takes a lock and the next reads the rows. With a snapshot from the start of the transaction, that read would miss what was
    // committed while it waited.
    expect(await ask()).toEqual([{ level: 'read committed' }]);
  });
});
