import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Throttle } from '../../../core/payouts/throttle.ts';
import type { Database } from '../../../database/connection.ts';
import { openPayoutWorld, type PayoutWorld } from './payout-world.ts';

let world: PayoutWorld;
beforeAll(async () => {
  world = await openPayoutWorld();
});
afterAll(() => world.close());

function throttleBeside(isBusy: boolean): Throttle {
  const database = { withSystem: async () => isBusy } as unknown as Database;
  return new Throttle({ database });
}

test('beside payments an import works for a quarter of the time, in small steps', async () => {
  // The import and the payments share the worker's thread and the database.
  const throttle = throttleBeside(true);
  expect([throttle.isResting, throttle.rowsAtOnce]).toEqual([false, 1_000]);
  await throttle.rest(undefined);
  expect([throttle.isResting, throttle.rowsAtOnce]).toEqual([true, 200]);
  await sleep(40);
  const began = performance.now();
  await throttle.rest(undefined);
  expect(performance.now() - began).toBeGreaterThan(100);
});

test('a cancelled import does not wait for the end of its rest', async () => {
  const throttle = throttleBeside(true);
  await sleep(200);
  const abort = new AbortController();
  const resting = throttle.rest(abort.signal);
  setTimeout(() => abort.abort(new Error('cancelled')), 10);
  await expect(resting).rejects.toThrow();
});

test('payments are made if the last one began within a minute', async () => {
  // An import at night must not be slowed down by the day.
  const quiet = new Throttle(world);
  await quiet.rest(undefined);
  expect(quiet.isResting).toBe(false);
  await world.rows(
    `with app as (insert into applications (name) values ('Shop') returning id)
     insert into payments (application_id, mode, reference, amount_minor, currency, customer_reference, gateway, expires_at, next_sweep_at)
     select id, 'LIVE', 'pay_' || repeat('a', 22), 100, 'BDT', 'c1', 'sslcommerz', now() + interval '1 hour', now() from app`,
  );
  const busy = new Throttle(world);
  await busy.rest(undefined);
  expect(busy.isResting).toBe(true);
});
