import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { StoredPayment } from '../../support/stored.ts';
import { AWAY, createSweepWorld, QUIET, type SweepWorld } from '../sweep/sweep-world.ts';

let world: SweepWorld;
beforeAll(async () => {
  world = await createSweepWorld();
});
afterAll(() => world.close());
beforeEach(() => world.reset());

/** Creates an event whose delivery could not be started, and that is due. */
async function event(): Promise<{ input: StoredPayment; eventId: string }> {
  const input = await world.payment({ status: 'PENDING' });
  world.startDelivery = () => Promise.reject(new Error('the process died'));
  await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
  world.log.length = 0;
  const [row] = await world.rows(
    `update webhook_events set next_sweep_at = now() - interval '1 second' where payment_id = ?::bigint returning event_id`,
    [input.paymentId],
  );
  return { input, eventId: String(row?.['event_id']) };
}

test('an event whose delivery was lost is delivered, and checked again in ten minutes', async () => {
  // If the process dies after its commit, the event is in its row and is sent a little later.
  const { input, eventId } = await event();
  expect(await world.sweep()).toEqual({ ...QUIET, deliveriesStarted: 1 });
  const delivery = {
    eventId,
    applicationId: BigInt(world.applicationId),
    mode: 'TEST',
    type: 'payment.expired',
    reference: input.reference,
  };
  expect(world.calls).toEqual([['startDelivery', delivery]]);
  const seconds = await world.secondsUntilNext('webhook_events', 'event_id', eventId);
  expect(seconds).toBeGreaterThan(570);
  expect(seconds).toBeLessThanOrEqual(600);
});

test('an event is left alone once it is delivered, or parked without a resend', async () => {
  // Otherwise an application would get an event twice.
  const set = (status: string, due: boolean, eventId: string): Promise<unknown> =>
    world.rows(
      'update webhook_events set delivery_status = ?, next_sweep_at = case when ? then now() end where event_id = ? returning 1',
      [status, due, eventId],
    );
  await set('DELIVERED', true, (await event()).eventId);
  const { eventId } = await event();
  await set('PARKED', false, eventId);
  expect(await world.sweep()).toEqual(QUIET);
  // An operator requested a resend of a parked event.
  await set('PARKED', true, eventId);
  expect(await world.sweep()).toEqual({ ...QUIET, deliveriesStarted: 1 });
});

test('events whose delivery cannot be started are logged, and the next batch waits for the next pass', async () => {
  // Each further try would wait for its timeout.
  const { eventId } = await event();
  await world.rows(
    `insert into webhook_events (event_id, application_id, mode, payment_id, type, sequence, schema_version, payload, next_sweep_at)
     select 'evt_many' || n, application_id, mode, payment_id, type, n + 1, schema_version, payload, now() - interval '1 second'
     from webhook_events, generate_series(1, 105) n where event_id = ? returning 1`,
    [eventId],
  );
  world.temporal.startDelivery = AWAY;
  expect(await world.sweep()).toEqual({ ...QUIET, deliveriesStarted: 100 });
  expect(world.log).toHaveLength(100);
  expect(world.log[0]).toMatchObject({
    level: 'warn',
    event: expect.stringMatching(/^evt_/),
    error: expect.objectContaining({ message: 'Temporal is away' }),
  });
  world.temporal = {};
  expect(await world.sweep()).toEqual({ ...QUIET, deliveriesStarted: 6 });
});
