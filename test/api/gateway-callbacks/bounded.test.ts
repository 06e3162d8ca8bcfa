import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { consumeCallbacks } from '../../../core/gateway-callbacks/store/closing.ts';
import { RETIREMENTS } from '../../../core/maintenance/store/retention.ts';
import { createPaymentWorld, type Form, type PaymentWorld, type Row } from '../../core/payments/payment-world.ts';

let world: PaymentWorld;
beforeAll(async () => {
  world = await createPaymentWorld();
});
afterAll(() => world.close());

const FIELDS = {
  bank_tran_id: 'bank1',
  amount: '100.00',
  currency: 'BDT',
  currency_type: 'BDT',
  currency_amount: '100.00',
};
const RETENTION = { callbackDays: 90, keyDays: 0, deliveryDays: 90, sessionDays: 90 };
const BYTES_KEPT = 16 * 1024;

const unsigned = (attempt: Row, number: number): Form => ({
  tran_id: String(attempt['reference']),
  val_id: `forged${number}`,
});
const signed = (attempt: Row, changes: Form = {}): Form =>
  world.signed({
    ...FIELDS,
    tran_id: String(attempt['reference']),
    val_id: 'claimed1',
    status: 'VALID',
    store_id: 'lenden_test',
    ...changes,
  });
const counted = async (attempt: Row): Promise<unknown> =>
  (await world.rows('select unsigned_callbacks from payment_attempts where id = ?', [attempt['id']]))[0]?.[
    'unsigned_callbacks'
  ];

test('of an attempt a hundred unsigned payloads are kept, all are counted, and every one is answered as before', async () => {
  // Otherwise anyone who knows a reference could fill the disk.
  const { input, attempt } = await world.opened();
  for (let number = 0; number < 105; number += 1) {
    expect((await world.post('ipn', unsigned(attempt, number))).status).toBe(200);
  }
  expect(await world.callbacksOf(input)).toHaveLength(100);
  expect(await counted(attempt)).toBe(105);
  // The same bytes again are the same callback and take no space.
  await world.post('ipn', unsigned(attempt, 0));
  expect(await counted(attempt)).toBe(105);
  await world.rows(
    `update payments set callback_signalled_at = null, last_unsigned_signalled_at = now() - interval '2 minutes' where id = ?::bigint`,
    [input.paymentId],
  );
  world.sent.callbacks.length = 0;
  const led = await world.post('success', unsigned(attempt, 200));
  expect([led.status, new URL(led.headers.get('location') ?? '').pathname]).toEqual([
    303,
    `/checkout/${input.reference}`,
  ]);
  await world.post('ipn', unsigned(attempt, 201));
  // At most one unsigned signal a minute: the second callback in this minute does not signal the workflow.
  expect(world.sent.callbacks).toEqual([{ reference: input.reference, callbackId: 0n }]);
});

test('a signed callback is kept whole, however many unsigned ones came before and however long it is', async () => {
  // A signed callback comes from the gateway and is evidence.
  const { input, attempt } = await world.opened();
  await world.rows('update payment_attempts set unsigned_callbacks = 1000 where id = ?', [attempt['id']]);
  const long = 'x'.repeat(200_000);
  const form = signed(attempt, { value_a: long });
  expect((await world.post('ipn', form)).status).toBe(200);
  const [kept] = await world.callbacksOf(input);
  expect(kept).toMatchObject({ signature_valid: true, raw_payload: new URLSearchParams(form).toString() });
  expect(await counted(attempt)).toBe(1_000);
});

test('a signed form with more fields beside the signed ones is the same callback, not another row', async () => {
  // A payer has the signed form in the browser and could send it again in a thousand variants.
  const { input, attempt } = await world.opened();
  const form = signed(attempt);
  for (let number = 0; number < 20; number += 1) {
    expect((await world.post('ipn', { ...form, [`junk${number}`]: 'x'.repeat(1_000) })).status).toBe(200);
  }
  const kept = await world.callbacksOf(input);
  expect(kept).toHaveLength(1);
  expect(kept[0]).toMatchObject({ signature_valid: true, repeats: 19 });
});

test('what nobody has signed is kept up to 16 kB', async () => {
  // The first 16 kB are enough to understand an unsigned callback.
  const { input, attempt } = await world.opened();
  const body = `${new URLSearchParams(unsigned(attempt, 1)).toString()}&junk=${'%E0%A6%95'.repeat(8_000)}`;
  expect((await world.post('ipn', body)).status).toBe(200);
  const [kept] = await world.callbacksOf(input);
  expect(Buffer.byteLength(String(kept?.['raw_payload']))).toBeLessThanOrEqual(BYTES_KEPT);
  expect(kept).toMatchObject({ note: 'CUT' });
});

test('unsigned callbacks that name no attempt are kept up to a number, however many addresses send them', async () => {
  // Limits per address do not limit what all addresses together can store.
  await world.rows(
    `insert into gateway_callbacks (mode, gateway, kind, signature_valid, outcome, raw_payload, digest, consumed_at)
     select 'TEST', 'sslcommerz', 'ipn', false, 'UNMATCHED', 'x', decode(md5(n::text), 'hex'), now() from generate_series(1, 6000) n`,
  );
  const kept = (): Promise<Row[]> => world.rows('select 1 from gateway_callbacks where attempt_id is null');
  expect(await kept()).toHaveLength(5_000);
  expect((await world.post('ipn', { tran_id: 'nobodys', val_id: 'new' })).status).toBe(200);
  expect(await kept()).toHaveLength(5_000);
});

test('callbacks whose time is over are removed in batches, but for those of a charged attempt and of an open payment', async () => {
  // Callbacks of a confirmed charge are evidence and are kept forever.
  const charged = await world.opened();
  const ended = await world.opened();
  const open = await world.opened();
  for (const { attempt } of [charged, ended, open]) {
    await world.post('ipn', signed(attempt));
  }
  await world.rows(`update payments set status = 'EXPIRED', ended_at = now() where id = any(?::bigint[])`, [
    `{${charged.input.paymentId},${ended.input.paymentId}}`,
  ]);
  await world.rows(
    `update payment_attempts set status = 'CONFIRMED', gross_minor = 10000, fee_minor = 0, evidence = '{}' where id = ?`,
    [charged.attempt['id']],
  );
  await world.rows(`update gateway_callbacks set consumed_at = now(), created_at = now() - interval '91 days'`);
  const { found } = await RETIREMENTS.callbacks(world.database, RETENTION);
  expect(found).toBe(1_000);
  for (let more = found; more > 0;) {
    more = (await RETIREMENTS.callbacks(world.database, RETENTION)).found;
  }
  const left = [charged, ended, open].map(async ({ input }) => (await world.callbacksOf(input)).length);
  expect(await Promise.all(left)).toEqual([1, 0, 1]);
  // Rows that are kept forever are not examined again.
  expect(await RETIREMENTS.callbacks(world.database, RETENTION)).toEqual({ found: 0, removed: 0 });
});

test('attempts to deliver and sessions go when their time is over, events stay', async () => {
  // Each retention period is a setting. None of these rows is a record of money.
  await world.rows(`insert into operators (email, name, password_hash) values ('a@example.com', 'A', 'x')`);
  const session = (hash: string, ended: string): Promise<unknown> =>
    world.rows(
      `insert into operator_sessions (operator_id, token_hash, kind, expires_at, ended_at)
       select id, decode(?, 'hex'), 'BEARER', now() - ?::interval, null from operators limit 1`,
      [hash.repeat(64), ended],
    );
  await session('a', '91 days');
  await session('b', '89 days');
  expect(await RETIREMENTS.sessions(world.database, RETENTION)).toEqual({ found: 1, removed: 1 });
  const { input } = await world.opened();
  await world.rows(
    `with told as (
       insert into webhook_events (event_id, application_id, mode, payment_id, type, schema_version, sequence, payload, delivery_status)
       select 'evt' || n, application_id, mode, id, 'payment.failed', 1, 900 + n, '{}', case n when 1 then 'DELIVERED' else 'RETRYING' end
       from payments, generate_series(1, 2) n where id = ? returning *)
     insert into webhook_attempts (webhook_event_id, application_id, mode, number, duration_ms, created_at)
     select id, application_id, mode, 1, 1, now() - interval '91 days' from told`,
    [input.paymentId],
  );
  expect(await RETIREMENTS.deliveries(world.database, RETENTION)).toEqual({ found: 1, removed: 1 });
  expect(await world.rows(`select 1 from webhook_events where event_id like 'evt%'`)).toHaveLength(2);
});

/** Inserts `count` unread callbacks. */
const flood = (attempt: Row, count: number): Promise<Row[]> =>
  world.rows(
    `insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, reference, kind, signature_valid, raw_payload, digest)
     select application_id, mode, payment_id, id, gateway, reference, 'ipn', true, 'status=VALID&n=' || n, decode(md5(n::text || reference), 'hex')
     from payment_attempts, generate_series(1, ?::integer) n where id = ? returning 1`,
    [count, attempt['id']],
  );

/** Returns how many callbacks each transaction has closed, and how many are left. */
async function closedOf(attempt: Row): Promise<{ readonly closed: number[]; readonly left: number }> {
  const groups = await world.rows(
    `select consumed_at, count(*)::integer as count from gateway_callbacks where attempt_id = ? group by 1 order by 1`,
    [attempt['id']],
  );
  const counts = (open: boolean): number[] =>
    groups.filter(({ consumed_at: at }) => (at === null) === open).map(({ count }) => Number(count));
  return { closed: counts(false), left: counts(true)[0] ?? 0 };
}

test('an attempt that ends unpaid closes five hundred of its callbacks, too, and leaves the others to the sweeper', async () => {
  // The statement that ends the attempt holds the lock of the payment.
  const { input, attempt } = await world.opened();
  await flood(attempt, 1_200);
  expect(await world.activities.verifyPayment({ ...input, final: true })).toEqual({ kind: 'expired' });
  expect(await closedOf(attempt)).toEqual({ closed: [500], left: 700 });
});

test('an attempt that is given up closes all of its callbacks, by five hundred', async () => {
  // A callback left open would cause queries to the gateway for days. One statement for all of them would hold thousands of locks.
  const { input, attempt } = await world.opened();
  await flood(attempt, 1_200);
  await world.activities.parkUnappliedPayment({ ...input, attemptReference: String(attempt['reference']) });
  expect(await closedOf(attempt)).toEqual({ closed: [500, 500, 200], left: 0 });
});

test('however many callbacks wait, a statement closes five hundred of them at most', async () => {
  // Finalizing the payment follows, with the payment's lock held.
  const { input, attempt } = await world.opened();
  for (let round = 0; round < 5; round += 1) {
    await world.rows(
      `insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, reference, kind, signature_valid, raw_payload, digest)
       select application_id, mode, payment_id, id, gateway, reference, 'ipn', true, repeat(md5(n::text), 60), decode(md5(n::text || ?), 'hex')
       from payment_attempts, generate_series(1, 3000) n where id = ?`,
      [`round ${round}`, attempt['id']],
    );
    const [newest] = await world.rows('select max(id)::text as id from gateway_callbacks');
    await world.database.withScope(
      { applicationId: BigInt(input.applicationId), mode: input.mode },
      (statements) =>
        consumeCallbacks(
          statements,
          { attempt: String(attempt['reference']), upTo: BigInt(String(newest?.['id'])) },
          'ACCEPTED',
        ),
      { oneTrip: true },
    );
  }
  // Five attempts with 500 each. The others wait for the next query.
  expect(
    await world.rows('select 1 from gateway_callbacks where attempt_id = ? and consumed_at is null', [attempt['id']]),
  ).toHaveLength(5 * 3_000 - 5 * 500);
});
