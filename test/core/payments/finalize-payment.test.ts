import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { FinalStatus } from '../../../domain/payment.ts';
import type { StoredPayment } from '../../support/stored.ts';
import { confirmed, eventsOf, reset } from './scripted-answers.ts';
import { createScriptedWorld, type ScriptedWorld } from './scripted-payments.ts';

let world: ScriptedWorld;
beforeAll(async () => {
  // As many connections as the tests have workers, so that they really meet in the database.
  world = await createScriptedWorld({ poolSize: 20 });
});
afterAll(() => world.close());
beforeEach(() => reset(world));

const finalize = (input: StoredPayment, status: FinalStatus, more = {}) =>
  world.activities.finalizePayment({ ...input, status, ...more });

describe('a confirmed payment', () => {
  test('is posted with its fee, notified once, and its delivery starts', async () => {
    // The status, the ledger and the event change in one transaction.
    const { input } = await confirmed(world);
    expect(await finalize(input, 'SUCCEEDED')).toBe('SUCCEEDED');
    expect(await world.postings(input.reference)).toEqual([
      'gateway:sslcommerz:clearing → app:payable 10000',
      'gateway:fees → gateway:sslcommerz:clearing 250',
    ]);
    const [event] = await eventsOf(world, input);
    expect(JSON.parse(String(event?.['payload']))).toMatchObject({
      type: 'payment.succeeded',
      sequence: 1,
      mode: 'TEST',
      data: {
        id: Number(input.paymentId),
        status: 'SUCCEEDED',
        checkoutUrl: expect.stringContaining('https://pages.example/'),
      },
    });
    const delivery = {
      eventId: event?.['event_id'],
      applicationId: BigInt(world.applicationId),
      mode: 'TEST',
      type: 'payment.succeeded',
      reference: input.reference,
    };
    expect(world.deliveries).toEqual([expect.objectContaining(delivery)]);
    expect(world.log).toContainEqual(
      expect.objectContaining({
        level: 'info',
        payment: input.reference,
        application: world.applicationId.toString(),
        status: 'SUCCEEDED',
      }),
    );
    world.log.length = 0;
    expect(await finalize(input, 'EXPIRED')).toBe('SUCCEEDED');
    expect(await eventsOf(world, input)).toHaveLength(1);
    expect(await world.postings(input.reference)).toHaveLength(2);
    expect(world.log).toEqual([]);
  });

  test.each(['PENDING', 'CREATED'])(
    'that is %s and finalized by fifty workers at once is posted and notified once',
    async (status) => {
      // Otherwise two workers could post a charge twice or send an event twice. If the answer about the session was lost, the payment is still CREATED.
      const { input } = await confirmed(world, { status });
      const ends = await Promise.all(Array.from({ length: 50 }, () => finalize(input, 'SUCCEEDED')));
      expect(new Set(ends)).toEqual(new Set(['SUCCEEDED']));
      expect(await world.postings(input.reference)).toEqual([
        'gateway:sslcommerz:clearing → app:payable 10000',
        'gateway:fees → gateway:sslcommerz:clearing 250',
      ]);
      const events = await eventsOf(world, input);
      expect(events).toMatchObject([{ type: 'payment.succeeded', sequence: 1, delivery_status: 'PENDING' }]);
      expect(new Set(world.deliveries.map(({ eventId }) => eventId))).toEqual(new Set([events[0]?.['event_id']]));
      expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED', event_sequence: 1, fee_minor: '250' });
    },
  );

  test('that expires at the same moment has exactly one end', async () => {
    // Only one end may win, and money is posted only if the payment succeeded.
    const { input } = await confirmed(world);
    const ends = await Promise.all(
      Array.from({ length: 20 }, (_value, index) => finalize(input, index % 2 === 0 ? 'EXPIRED' : 'SUCCEEDED')),
    );
    const [end] = ends;
    expect(new Set(ends).size).toBe(1);
    expect(await world.paymentRow(input)).toMatchObject({ status: end });
    expect(await world.postings(input.reference)).toHaveLength(end === 'SUCCEEDED' ? 2 : 0);
    expect(await eventsOf(world, input)).toHaveLength(1);
  });
});

test.each([
  ['FAILED', 'payment.failed', { failureCode: 'GATEWAY_REFUSED_SESSION' }],
  ['CANCELLED', 'payment.cancelled', {}],
  ['EXPIRED', 'payment.expired', {}],
] as const)(
  'a payment that ends as %s is notified as %s, posts nothing and keeps its reason',
  async (status, type, more) => {
    // An application must be able to tell how its payment ended.
    const input = await world.payment({ status: 'PENDING' });
    expect(await finalize(input, status, more)).toBe(status);
    expect(await world.paymentRow(input)).toMatchObject({
      status,
      failure_code: 'failureCode' in more ? more.failureCode : null,
    });
    expect(await eventsOf(world, input)).toMatchObject([{ type, delivery_status: 'PENDING' }]);
    expect(world.deliveries).toMatchObject([{ type, reference: input.reference }]);
    expect(await world.postings(input.reference)).toEqual([]);
  },
);

test.each(['CREATED', 'PENDING'])('a payment that is %s never succeeds without a confirmed charge', async (status) => {
  // Nothing is marked paid unless the gateway confirmed it. Histories are kept for months, so the error has no gateway text, row values or cause.
  const input = await world.payment({ status });
  await world.attempt(input);
  await expect(finalize(input, 'SUCCEEDED')).rejects.toMatchObject({
    type: 'INTERNAL_ERROR',
    message: 'an internal error; see the log',
    cause: undefined,
  });
  expect(await world.paymentRow(input)).toMatchObject({ status });
  expect(await world.postings(input.reference)).toEqual([]);
  expect(await eventsOf(world, input)).toEqual([]);
});

test.each(['PENDING', 'CREATED', 'REFUNDED'])('a payment cannot end as %s', async (status) => {
  // A payment can only end with a final status.
  const input = await world.payment({ status: 'PENDING' });
  await expect(finalize(input, status as never)).rejects.toMatchObject({ type: 'INTERNAL_ERROR' });
  expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
  expect(world.log).toMatchObject([
    {
      activity: 'finalizePayment',
      error: expect.objectContaining({ message: `a payment cannot end as ${status}` }),
    },
  ]);
});

test('a payment ends although its delivery cannot begin, and is left to the sweeper', async () => {
  // A repetition must not start the delivery: the run before it may still be making the first attempt.
  const { input } = await confirmed(world);
  world.startDelivery = () => Promise.reject(new Error('Temporal is away'));
  expect(await finalize(input, 'SUCCEEDED')).toBe('SUCCEEDED');
  const [event] = await eventsOf(world, input);
  expect(world.log).toContainEqual(expect.objectContaining({ level: 'warn', event: event?.['event_id'] }));
  expect(await finalize(input, 'SUCCEEDED')).toBe('SUCCEEDED');
  expect(world.deliveries.map(({ eventId }) => eventId)).toEqual([event?.['event_id']]);
  const [lease] = await world.rows(
    `select next_sweep_at - updated_at between interval '60 seconds' and interval '75 seconds' as of_a_minute from webhook_events where event_id = ?`,
    [event?.['event_id']],
  );
  expect(lease).toEqual({ of_a_minute: true });
});

test('an application without an endpoint gets no delivery', async () => {
  // The event is stored as parked, and sent when a URL is registered.
  const { applicationId } = world;
  const disabled = (at: string) =>
    world.rows(
      `update webhook_endpoints set disabled_at = ${at}, disabled_reason = case when ${at} is null then null else 'GONE' end
       where application_id = ?::bigint and mode = 'TEST' returning 1`,
      [applicationId],
    );
  await disabled('now()');
  const input = await world.payment({ status: 'PENDING' });
  expect(await finalize(input, 'EXPIRED')).toBe('EXPIRED');
  await disabled('null::timestamptz');
  expect(await eventsOf(world, input)).toMatchObject([{ delivery_status: 'PARKED' }]);
  expect(world.deliveries).toEqual([]);
});
