import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSweepActivities } from '../../../activities/sweep.ts';
import { begin, openRecorder, type Recorder } from '../../replay/branches.ts';
import { until } from '../../support/until.ts';

let recorder: Recorder;
beforeAll(async () => {
  recorder = await openRecorder();
});
afterAll(() => recorder.close());

const sweep = () => createSweepActivities(recorder.world.deps).sweep();

test.each(['terminated', 'cancelled'])('a payment whose workflow was %s by hand is paid all the same', async (how) => {
  // Target T-50: whatever an administrator does in the Temporal UI, the next pass resumes the payment.
  const { world } = recorder;
  const { input, attempt, handle } = await begin(recorder);
  await (how === 'terminated' ? handle.terminate() : handle.cancel());
  await until(async () => (await handle.describe()).status.name !== 'RUNNING');
  await world.finish(attempt);
  await until(async () => {
    await sweep();
    return (
      (await handle.describe()).status.name !== 'TERMINATED' && (await handle.describe()).status.name !== 'CANCELLED'
    );
  });
  expect(await handle.result()).toBe('SUCCEEDED');
  expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await world.rows('select 1 from ledger_transactions where cause_id = ?', [input.reference])).toHaveLength(1);
});

test('a delivery that was never started is started by the sweeper and arrives', async () => {
  // The event is in its row, so a lost start can be repeated.
  const { world, receiver } = recorder;
  const { input } = await begin(recorder);
  const { startDelivery } = world.deps.dispatch;
  Reflect.set(world.deps.dispatch, 'startDelivery', () => Promise.reject(new Error('the process died')));
  await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
  Reflect.set(world.deps.dispatch, 'startDelivery', startDelivery);
  await world.rows(`update webhook_events set next_sweep_at = now() where payment_id = ?::bigint returning 1`, [
    input.paymentId,
  ]);
  expect(await sweep()).toMatchObject({ actions: { deliveriesStarted: 1 } });
  await until(() => receiver.bodies.some((body) => body.includes(input.reference)));
  const started = await recorder.realTime.client.workflow.getHandle(`payment:${input.reference}`).describe();
  expect(started.status.name).toBe('RUNNING');
  await recorder.realTime.client.workflow.getHandle(`payment:${input.reference}`).terminate();
});
