import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { AWAY, createSweepWorld, QUIET, type SweepWorld } from './sweep-world.ts';

/* What holds for every kind of row. What each feature sweeps is tested beside the feature, in its `sweep.test.ts`. */

let world: SweepWorld;
beforeAll(async () => {
  world = await createSweepWorld();
});
afterAll(() => world.close());
beforeEach(() => world.reset());

describe('a step that fails', () => {
  test('is logged by name, counts nothing and does not stop the other steps', async () => {
    // One broken table must not stop the other steps.
    const database = { ...world.deps.database, withSystem: () => Promise.reject(new Error('no database')) };
    expect(await world.sweep({ database })).toEqual(QUIET);
    expect(world.log).toMatchObject(
      [
        'payments',
        'ended workflows',
        'callbacks',
        'late queries',
        'refunds',
        'unapplied payments',
        'decisions',
        'cases',
        'refunds of cases',
        'invoices',
        'deliveries',
        'payout imports',
        'runs',
        'lost disputes',
        'disputes',
        'expired changes',
        'reports',
        'broken uploads',
        'idempotency keys',
      ].map((step) => ({
        level: 'error',
        step,
        alert: 'sweep-step-failed',
        error: expect.objectContaining({ message: 'no database' }),
      })),
    );
  });

  test('leaves the counts of the others', async () => {
    // Temporal's list can fail while everything else works.
    await world.paymentDue(await world.payment());
    world.temporal.endedWorkflows = () => Promise.reject(new Error('no list'));
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
  });
});

describe('a backlog', () => {
  /** Creates this many payments without a workflow. The first has been due for the shortest time. */
  const backlog = (count: number, name: string): Promise<unknown> =>
    world.rows(
      `insert into payments (application_id, mode, reference, amount_minor, currency, customer_reference, gateway, expires_at, next_sweep_at)
       select ?, 'TEST', ? || n, 10000, 'BDT', 'c', 'sslcommerz', now() + interval '20 minutes', now() - n * interval '1 minute'
       from generate_series(1, ?) n returning id`,
      [world.applicationId, name, count],
    );
  const started = (): string[] => world.calls.map(([, payment]) => (payment as { reference: string }).reference);
  /** The references of the first batch, in no particular order. */
  const oldest = (name: string, count: number): Set<string> =>
    new Set(Array.from({ length: 100 }, (_, n) => `${name}${count - n}`));

  test('is worked off in one pass, batch by batch, the oldest first, each row once', async () => {
    // After an outage, payers must not wait for many passes, and each batch has a limited number of rows.
    await backlog(230, 'pay_backlog');
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 230 });
    expect(new Set(started().slice(0, 100))).toEqual(oldest('pay_backlog', 230));
    expect(new Set(started()).size).toBe(230);
    expect(await world.sweep()).toEqual(QUIET);
  });

  test('of exactly one batch ends with an empty one', async () => {
    // A full batch means that there can be more rows.
    await backlog(100, 'pay_full');
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 100 });
  });

  test('waits for the next pass when its time is up', async () => {
    // All steps of a pass must fit into the activity's minute.
    await backlog(130, 'pay_slow');
    let nowMs = Date.now();
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
    try {
      world.temporal.startPayment = () => {
        nowMs += 120;
        return Promise.resolve('running');
      };
      expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 100 });
    } finally {
      clock.mockRestore();
    }
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 30 });
  });

  test('waits for the next pass when a row fails, after the rest of its batch', async () => {
    // One bad row must not block the others. If Temporal is away, each further try would wait for its timeout.
    await backlog(130, 'pay_failing');
    world.temporal.startPayment = ({ reference }) =>
      reference === 'pay_failing130' ? AWAY() : Promise.resolve('running');
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 100 });
    expect(new Set(started())).toEqual(oldest('pay_failing', 130));
    world.temporal = {};
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 30 });
  });

  test('is tried again within a minute when Temporal was away', async () => {
    // The failed rows must not wait until their expiry.
    await backlog(130, 'pay_outage');
    world.temporal.startPayment = AWAY;
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 100 });
    const waits = await world.rows(
      `select extract(epoch from next_sweep_at - now())::float8 as wait from payments where reference like 'pay_outage%' and next_sweep_at > now()`,
    );
    expect(waits).toHaveLength(100);
    expect(Math.max(...waits.map(({ wait }) => Number(wait)))).toBeLessThanOrEqual(60);
  });

  test('that two workers sweep at once starts nothing twice', async () => {
    // During a deployment, two workers can run a pass at the same moment.
    await backlog(130, 'pay_both');
    const passes = await Promise.all([world.sweep(), world.sweep()]);
    expect(passes.reduce((sum, { paymentsStarted }) => sum + paymentsStarted, 0)).toBe(130);
    expect(started()).toHaveLength(130);
    expect(new Set(started()).size).toBe(130);
  });
});

describe('workflows that ended without a result', () => {
  test('are listed for the last ten minutes, a hundred at most', async () => {
    // A workflow that was terminated in the Temporal UI is resumed within half a minute, and Temporal is not queried for its whole past.
    await world.sweep();
    expect(world.listed).toEqual([{ since: expect.any(Date), max: 100 }]);
    const agoMs = Date.now() - (world.listed[0]?.since.getTime() ?? 0);
    expect(agoMs).toBeGreaterThanOrEqual(600_000);
    expect(agoMs).toBeLessThan(630_000);
  });

  test('add to the payments that were due', async () => {
    // The count tells an operator how many payments had lost their workflow.
    const [first, second] = [await world.payment(), await world.payment()];
    await world.paymentDue(first);
    world.ended = { payments: [second.reference] };
    expect(await world.sweep()).toEqual({ ...QUIET, paymentsStarted: 2 });
  });
});

test('idempotency keys are deleted when their time is over, and no others, even more than a thousand', async () => {
  // Keys are kept for thirty days. One statement deletes a thousand at most.
  await world.rows(
    `insert into idempotency_keys (application_id, mode, operation, key, fingerprint, lease_until, expires_at)
     select ?, 'TEST', 'POST /payments', 'key' || n, '\\x00', now(), now() + (n - 1001) * interval '1 minute'
     from generate_series(1, 1003) n returning 1`,
    [world.applicationId],
  );
  expect(await world.sweep()).toEqual({ ...QUIET, keysForgotten: 1_001 });
  expect(await world.sweep()).toEqual(QUIET);
  expect(await world.rows('select key from idempotency_keys order by key')).toEqual([
    { key: 'key1002' },
    { key: 'key1003' },
  ]);
});
