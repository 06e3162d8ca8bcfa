import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDatabase, type Database } from '../../database/connection.ts';
import { requireDurability } from '../../database/durability.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const log = createLogger({ service: 'test', level: 'silent' });
let testDatabase: TestDatabase;
let sound: Database;
let weak: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  sound = await openDatabase({ url: testDatabase.url, poolSize: 1 });
  // Opens the connection first. A slow connection would look like an unavailable database.
  await sound.lookup('select 1', []);
  weak = {
    ...sound,
    lookup: <T extends object>(sql: string, parameters: readonly unknown[]): Promise<T[]> =>
      sound.withSystem(async (em) => {
        await em.execute('set local synchronous_commit = off');
        return em.execute<T[]>(sql, [...parameters]);
      }),
  };
});

afterAll(async () => {
  await sound.close();
  await testDatabase.drop();
});

describe('durability of the database', () => {
  test('production refuses a server that could lose what it acknowledged, and names the setting', async () => {
    // Otherwise an acknowledged payment could be lost when Postgres crashes.
    await expect(requireDurability({ database: weak, environment: 'production', log })).rejects.toThrow(
      'synchronous_commit=off',
    );
    await expect(requireDurability({ database: weak, environment: 'development', log })).resolves.toBeUndefined();
  });

  test('a sound server is accepted, and one that is away does not keep a process from starting', async () => {
    // The check itself must not keep the service down while the database is unavailable.
    await expect(requireDurability({ database: sound, environment: 'production', log })).resolves.toBeUndefined();
    const away = { ...sound, lookup: () => Promise.reject(new Error('connection refused')) };
    await expect(requireDurability({ database: away, environment: 'production', log })).resolves.toBeUndefined();
  });
});
