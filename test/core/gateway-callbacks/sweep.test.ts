import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { AWAY, createSweepWorld, EXPIRED, QUIET, SUCCEEDED, type SweepWorld } from '../sweep/sweep-world.ts';

let world: SweepWorld;
beforeAll(async () => {
  world = await createSweepWorld();
});
afterAll(() => world.close());
beforeEach(() => world.reset());

const pending = async (columns = {}, fields = {}) => {
  const input = await world.payment({ status: 'PENDING', ...columns });
  return { input, attempt: await world.attempt(input, fields) };
};

/** Creates this many open payments, each with one callback that is due. */
const waiting = (count: number): Promise<unknown> =>
  world.rows(
    `with paying as (
       insert into payments (application_id, mode, reference, status, amount_minor, currency, customer_reference, gateway, expires_at,
         next_sweep_at)
       select ?, 'TEST', 'pay_' || gen_random_uuid(), 'PENDING', 10000, 'BDT', 'c', 'sslcommerz', '2031-01-02', '2030-01-01'
       from generate_series(1, ?) returning id, application_id, mode),
     tried as (
       insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id, status)
       select application_id, mode, id, 1, left(translate(gen_random_uuid()::text, '-', ''), 20), 'sslcommerz', 'store', 'OPEN'
       from paying returning id, payment_id, application_id, mode, reference)
     insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, kind, signature_valid, raw_payload, digest,
       next_sweep_at)
     select application_id, mode, payment_id, id, 'sslcommerz', 'ipn', true, '{"claims":"unknown","claimedValidationId":null}',
       sha256(reference::bytea), now() - interval '1 second' from tried returning id`,
    [world.applicationId, count],
  );

test('an unread callback is signalled to its workflow', async () => {
  // Otherwise a callback would be lost when the process dies before it signals.
  const { input, attempt } = await pending();
  const id = await world.callback(input, attempt);
  await world.callbackDue(id);
  expect(await world.sweep()).toEqual({ ...QUIET, callbacksSignalled: 1 });
  expect(world.calls).toEqual([['signalCallback', input.reference, id]]);
  expect(await world.sweep()).toEqual(QUIET);
});

test('an unread callback is signalled ever more rarely, at least once an hour', async () => {
  // Otherwise an unreachable gateway would fill the history. The pauses double, up to an hour.
  const { input, attempt } = await pending();
  const id = await world.callback(input, attempt);
  const waits: number[] = [];
  for (let pass = 0; pass < 10; pass += 1) {
    await world.callbackDue(id);
    expect(await world.sweep()).toEqual({ ...QUIET, callbacksSignalled: 1 });
    waits.push(Math.round((await world.secondsUntilNext('gateway_callbacks', 'id', id)) / 10) * 10);
  }
  expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
  expect(world.calls).toEqual(Array.from({ length: 10 }, () => ['signalCallback', input.reference, id]));
});

test('a hundred callbacks do not delay the next ones to another pass', async () => {
  // After an outage, callbacks must not wait for many passes.
  await waiting(110);
  expect(await world.sweep()).toEqual({ ...QUIET, callbacksSignalled: 110 });
});

test('a callback starts the workflow if none runs', async () => {
  // The callback can arrive before the workflow starts, or after it has died.
  const { input, attempt } = await pending();
  const id = await world.callback(input, attempt);
  await world.callbackDue(id);
  world.temporal.signalCallback = () => Promise.resolve(false);
  await world.sweep();
  expect(world.calls).toEqual([
    ['signalCallback', input.reference, id],
    ['startPayment', world.handleOf(input)],
  ]);
});

test.each([
  ['signalled', { signalCallback: AWAY }],
  ['resumed', { signalCallback: () => Promise.resolve(false), startPayment: AWAY }],
])('callbacks whose workflow cannot be %s are logged, and the next batch waits for the next pass', async (_, away) => {
  // Each further try would wait for its timeout.
  await waiting(110);
  world.temporal = away;
  expect(await world.sweep()).toEqual({ ...QUIET, callbacksSignalled: 100 });
  expect(world.log).toHaveLength(100);
  expect(world.log[0]).toMatchObject({
    level: 'warn',
    payment: expect.stringMatching(/^pay_/),
    error: expect.objectContaining({ message: 'Temporal is away' }),
  });
  world.temporal = {};
  expect(await world.sweep()).toEqual({ ...QUIET, callbacksSignalled: 10 });
});

test('callbacks of an ended payment start one search for unapplied money per attempt', async () => {
  // Fifty callbacks about one attempt need only one query.
  const { input, attempt } = await pending(EXPIRED);
  const other = await world.attempt(input, { number: 2 });
  const ids = [await world.callback(input, attempt), await world.callback(input, attempt)];
  const otherId = await world.callback(input, other);
  for (const id of [...ids, otherId]) {
    await world.callbackDue(id);
  }
  expect(await world.sweep()).toEqual({ ...QUIET, callbacksSignalled: 2 });
  expect(world.called()).toEqual(['startUnappliedPayment', 'startUnappliedPayment']);
  const found = world.calls.map(([, , search]) => search as { attemptReference: string; callbackId: bigint });
  expect(found.map(({ attemptReference }) => attemptReference).toSorted()).toEqual(
    [attempt.reference, other.reference].toSorted(),
  );
  for (const [index, { attemptReference, callbackId }] of found.entries()) {
    expect(world.calls[index]?.[1]).toEqual(world.handleOf(input));
    expect(attemptReference === attempt.reference ? ids : [otherId]).toContain(callbackId);
  }
});

test('a callback that contains nothing new is closed without a signal', async () => {
  // The browser's return often arrives while the IPN before it is being handled.
  const { input, attempt } = await pending(SUCCEEDED, { status: 'CONFIRMED', validationId: 'V-sweep-same' });
  const same = await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-sweep-same' });
  const another = await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-sweep-new' });
  const failed = await world.callback(input, attempt, { claims: 'failed', claimedValidationId: 'V-sweep-tried' });
  for (const id of [same, another, failed]) {
    await world.callbackDue(id);
  }
  expect(await world.sweep()).toEqual({ ...QUIET, callbacksSignalled: 1 });
  expect(await world.outcomes(input)).toEqual(['DUPLICATE', null, 'IGNORED']);
  expect(world.calls).toEqual([
    ['startUnappliedPayment', world.handleOf(input), { attemptReference: attempt.reference, callbackId: another }],
  ]);
});

test('a callback of a gateway that is not configured is signalled all the same', async () => {
  // A callback that cannot be parsed can still lead to a query once the credentials are back.
  world.gateway.configured = false;
  const { input, attempt } = await pending(EXPIRED);
  await world.callbackDue(await world.callback(input, attempt, { claims: 'failed' }));
  expect(await world.sweep()).toEqual({ ...QUIET, callbacksSignalled: 1 });
  expect(await world.outcomes(input)).toEqual([null]);
});

test('a callback waits while its payment is under review, and no longer', async () => {
  // A review can last for days, and each signal would only lengthen the history.
  const { input, attempt } = await pending();
  await world.activities.markForReview({ ...input, reason: 'AMOUNT_MISMATCH' });
  const id = await world.callback(input, attempt);
  await world.callbackDue(id);
  expect(await world.sweep()).toEqual(QUIET);
  expect(world.calls).toEqual([]);
  await world.rows(
    `update payments set status = 'EXPIRED', ended_at = now() where id = ?::bigint and review_reason is not null returning 1`,
    [input.paymentId],
  );
  await world.callbackDue(id);
  expect(await world.sweep()).toEqual({ ...QUIET, callbacksSignalled: 1 });
  expect(world.calls).toEqual([
    ['startUnappliedPayment', world.handleOf(input), { attemptReference: attempt.reference, callbackId: id }],
  ]);
});
