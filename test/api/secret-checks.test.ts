import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAuthenticator, type Authenticator, type Guesses } from '../../api/native/authenticate.ts';
import type { Registration } from '../../core/applications/store/applications.ts';
import { openDatabase, type Database } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import { TooMuchWaiting } from '../../runtime/bounded-work.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';

let world: ApiWorld;
let database: Database;
let shop: Registration;
beforeAll(async () => {
  world = await openApiWorld();
  database = await openDatabase({ url: world.databaseUrl, poolSize: 5 });
  shop = await world.register();
});
afterAll(async () => {
  await database.close();
  await world.close();
});

/** A fake counter of guesses from one address, which is asked before each hash. */
function counting(left = Number.POSITIVE_INFINITY): Guesses & { taken: number; released: number } {
  const counted = {
    taken: 0,
    released: 0,
    take() {
      if (counted.taken - counted.released >= left) {
        throw new DomainError('RATE_LIMITED', 'too many requests');
      }
      counted.taken += 1;
    },
    release() {
      counted.released += 1;
    },
  };
  return counted;
}

const refused = { code: 'UNAUTHORIZED' };
const fresh = (): Authenticator => createAuthenticator(database);

test('a key that nobody has, and one that is revoked, cost no hash', async () => {
  // Otherwise somebody who invents keys could keep all threads busy.
  const guesses = counting();
  const { authenticate } = fresh();
  const unknown = `oi_test_${'0'.repeat(32)}`;
  await expect(authenticate({ apiKey: unknown, apiSecret: 'secret', guesses })).rejects.toMatchObject(refused);
  const gone = await world.register();
  await world.sql(`update credentials set status = 'REVOKED' where application_id = ?`, [gone.applicationId]);
  await expect(authenticate({ ...gone.test, guesses })).rejects.toMatchObject(refused);
  expect(guesses.taken).toBe(0);
});

test('a failed hash counts, a right one is given back, and a remembered one is never counted', async () => {
  // A merchant's server has one address, so its correct requests must not use up the limit.
  const guesses = counting();
  const { authenticate } = fresh();
  const { apiKey, apiSecret } = shop.test;
  await expect(authenticate({ apiKey, apiSecret: 'wrong', guesses })).rejects.toMatchObject(refused);
  expect([guesses.taken, guesses.released]).toEqual([1, 0]);
  await authenticate({ apiKey, apiSecret, guesses });
  expect([guesses.taken, guesses.released]).toEqual([2, 1]);
  await authenticate({ apiKey, apiSecret, guesses: counting(0) });
});

test('an address that has failed too often is told so before the next hash', async () => {
  // Otherwise an attacker could exceed the limit by sending all guesses at once.
  const guesses = counting(3);
  const { authenticate } = fresh();
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, (_value, number) =>
      authenticate({ apiKey: shop.test.apiKey, apiSecret: `wrong${number}`, guesses }),
    ),
  );
  const codes = tries.map((tried) => (tried.status === 'rejected' ? (tried.reason as DomainError).code : 'let in'));
  expect(codes.filter((code) => code === 'UNAUTHORIZED')).toHaveLength(3);
  expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(17);
});

test('more secrets at once than may wait are refused at once, and what was remembered is served meanwhile', async () => {
  // A flood of guesses must not delay other callers.
  const guesses = counting();
  const { authenticate } = fresh();
  const { apiKey, apiSecret } = shop.test;
  await authenticate({ apiKey, apiSecret, guesses });
  const flood = Promise.allSettled(
    Array.from({ length: 150 }, (_value, number) => authenticate({ apiKey, apiSecret: `flood${number}`, guesses })),
  );
  await expect(authenticate({ apiKey, apiSecret, guesses: counting(0) })).resolves.toMatchObject({
    scope: { mode: 'TEST' },
  });
  const tries = await flood;
  const overflow = tries.filter((tried) => tried.status === 'rejected' && tried.reason instanceof TooMuchWaiting);
  expect(overflow.length).toBeGreaterThan(0);
  // Two run and a hundred wait.
  expect(tries.length - overflow.length).toBeGreaterThanOrEqual(102);
});
