import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSweepWorld, EXPIRED, QUIET, type SweepWorld } from '../sweep/sweep-world.ts';

let world: SweepWorld;
beforeAll(async () => {
  world = await createSweepWorld();
});
afterAll(() => world.close());

test('a search for unapplied money whose workflow ended without a result is started again', async () => {
  // No row of unapplied money exists yet. If the workflow is terminated while the gateway does not answer, its query must not be forgotten.
  const input = await world.payment(EXPIRED);
  const attempt = await world.attempt(input, { status: 'UNKNOWN' });
  world.ended = { unappliedPayments: [attempt.reference] };
  expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
  expect(world.calls).toEqual([
    ['startUnappliedPayment', world.handleOf(input), { attemptReference: attempt.reference, callbackId: 0n }],
  ]);
});
