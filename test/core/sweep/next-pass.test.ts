import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createSweepWorld, EXPIRED, SUCCEEDED, type SweepWorld } from './sweep-world.ts';

let world: SweepWorld;
beforeAll(async () => {
  world = await createSweepWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.reset();
  await world.rows('update payment_attempts set query_again_at = null returning 1');
});

/** Makes a row come due in twelve seconds. */
async function dueSoon(table: string, id: unknown, column = 'next_sweep_at'): Promise<void> {
  const rows = await world.rows(
    `update ${table} set ${column} = now() + interval '12 seconds' where id = ? returning 1`,
    [id],
  );
  expect(rows).toHaveLength(1);
}

const KINDS: Readonly<Record<string, () => Promise<unknown>>> = {
  payment: async () => dueSoon('payments', (await world.payment()).paymentId),
  async callback() {
    const input = await world.payment();
    const attempt = await world.attempt(input);
    await dueSoon('gateway_callbacks', await world.callback(input, attempt));
  },
  async 'late query'() {
    const attempt = await world.attempt(await world.payment(EXPIRED), { status: 'CLOSED' });
    await dueSoon('payment_attempts', attempt.id, 'query_again_at');
  },
  refund: async () => dueSoon('refunds', (await world.refund()).id),
  async event() {
    const input = await world.payment({ status: 'PENDING' });
    await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
    const [row] = await world.rows('select id from webhook_events where payment_id = ?::bigint', [input.paymentId]);
    await dueSoon('webhook_events', row?.['id']);
  },
};

describe('the next pass', () => {
  test('comes after half a minute when nothing is due', async () => {
    // A row that comes due meanwhile, written by a process that died, must not wait longer.
    expect(await world.nextInMs()).toBe(30_000);
  });

  test.each(Object.keys(KINDS))('comes when the next %s is due', async (kind) => {
    // Otherwise everything that was lost waits for up to half a minute more.
    await KINDS[kind]?.();
    const nextInMs = await world.nextInMs();
    expect(nextInMs).toBeGreaterThan(5_000);
    expect(nextInMs).toBeLessThanOrEqual(12_000);
  });

  test('leaves out rows that the sweeper never takes', async () => {
    // A row that is always due would keep the sweeper running all the time.
    const done = await world.payment(SUCCEEDED);
    await world.paymentDue(done);
    const { id } = await world.refund({ status: 'SUCCEEDED' });
    await world.rows(`update refunds set next_sweep_at = now() - interval '1 hour' where id = ? returning 1`, [id]);
    expect(await world.nextInMs()).toBe(30_000);
  });

  test('does not come sooner because a step failed', async () => {
    // What a broken step leaves is due all the time, and each try writes an alert.
    world.temporal = { endedWorkflows: () => Promise.reject(new Error('Temporal is away')) };
    await KINDS['payment']?.();
    expect(await world.nextInMs()).toBe(30_000);
  });

  test('comes five seconds later at the earliest', async () => {
    // Rows that come due one after the other are taken together.
    const { paymentId } = await world.payment();
    await world.rows(`update payments set next_sweep_at = now() + interval '2 seconds' where id = ? returning 1`, [
      paymentId,
    ]);
    expect(await world.nextInMs()).toBe(5_000);
  });
});
