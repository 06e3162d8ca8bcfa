import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { AWAY, createSweepWorld, QUIET, type SweepWorld } from '../sweep/sweep-world.ts';

let world: SweepWorld;
beforeAll(async () => {
  world = await createSweepWorld();
});
afterAll(() => world.close());
beforeEach(() => world.reset());

test('a refund whose start was lost is started, and checked again in ten minutes', async () => {
  // If the process dies before it starts the workflow, the refund's row is there.
  const { id, reference } = await world.refund();
  expect(await world.sweep()).toEqual({ ...QUIET, refundsStarted: 1 });
  const refund = { reference, amount: { amountMinor: 2_500n, currency: 'BDT' }, awaitsApproval: false };
  expect(world.calls).toMatchObject([['startRefund', refund, undefined]]);
  expect(world.log).toEqual([]);
  expect(await world.secondsUntilNext('refunds', 'id', id)).toBeGreaterThan(570);
});

test('a refund that waits for approval is started as one', async () => {
  // The Temporal UI must show from the start that the refund waits for approval.
  await world.refund({ status: 'AWAITING_APPROVAL' });
  expect(await world.sweep()).toEqual({ ...QUIET, refundsStarted: 1 });
  expect(world.calls).toMatchObject([['startRefund', { awaitsApproval: true }, undefined]]);
});

test.each(['SUCCEEDED', 'FAILED', 'REJECTED'])(
  'a refund is left alone before it is due and once it is %s',
  async (status) => {
    // Otherwise a refund could be sent twice.
    await world.refund({ status });
    await world.refund({ due: false });
    expect(await world.sweep()).toEqual(QUIET);
  },
);

test('an open refund whose workflow has completed raises an alarm', async () => {
  // The database was restored to an older state, so a person has to compare the refund with the gateway.
  const { reference } = await world.refund();
  world.temporal.startRefund = () => Promise.resolve('completed');
  await world.sweep();
  expect(world.log).toMatchObject([{ level: 'error', alert: 'refund-behind-workflow', refund: reference }]);
});

test('a refund that ended after its row was read raises no alarm', async () => {
  // The workflow ends only after its row has.
  const { id } = await world.refund();
  world.temporal.startRefund = async () => {
    await world.rows(`update refunds set status = 'FAILED', ended_at = now() where id = ?::bigint returning 1`, [id]);
    return 'completed';
  };
  await world.sweep();
  expect(world.called()).toEqual(['startRefund']);
  expect(world.log).toEqual([]);
});

test('a refund that cannot be started is logged', async () => {
  // The next pass tries again.
  const { reference } = await world.refund();
  world.temporal.startRefund = AWAY;
  await world.sweep();
  expect(world.log).toMatchObject([{ level: 'warn', refund: reference }]);
});
