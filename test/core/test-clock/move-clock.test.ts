import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import { reserveRefund } from '../../../core/refunds/store/new-refunds.ts';
import { refundReference } from '../../../domain/references.ts';
import { WITHOUT_REFUND_BOUNDS } from '../../../domain/refund.ts';
import type { InvoiceWorld } from '../invoices/invoice-world.ts';
import type { PaymentWorld } from '../payments/payment-world.ts';
import type { StoredPayment } from '../../support/stored.ts';
import { until } from '../../support/until.ts';
import { openClockWorld, type ClockWorld } from './clock-world.ts';

let world: ClockWorld;
let payments: PaymentWorld;
beforeAll(async () => {
  world = await openClockWorld();
  ({ payments } = world);
});
afterAll(() => world.close());
beforeEach(async () => {
  world.refused.length = 0;
  // The circuit of an endpoint has the real time.
  await payments.rows(
    'update webhook_endpoints set consecutive_failures = 0, failing_since = null, circuit_open_until = null returning 1',
  );
});

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** A payment whose workflow waits for its payer. */
async function waiting(): Promise<StoredPayment> {
  const payment = await payments.payment();
  await payments.deps.dispatch.startPayment(payments.handleOf(payment));
  await until(async () => (await payments.attemptRow(payment))['session_key']);
  return payment;
}

/** A payment that its payer has paid. */
async function paid(): Promise<StoredPayment> {
  const payment = await waiting();
  await payments.finish(await payments.attemptRow(payment));
  await ended(payment, 'SUCCEEDED');
  return payment;
}

const ended = (payment: StoredPayment, status: string) =>
  until(async () => (await payments.paymentRow(payment))['status'] === status);

async function eventOf(payment: StoredPayment): Promise<Record<string, unknown>> {
  const [event] = await payments.rows('select * from webhook_events where payment_id = ?::bigint order by id limit 1', [
    payment.paymentId,
  ]);
  return event ?? {};
}

/** Waits until this many attempts to deliver the payment's first event have failed, and returns the event. */
const failed = (payment: StoredPayment, attempts: number) =>
  until(async () => {
    const event = await eventOf(payment);
    return event['attempts'] === attempts ? event : null;
  });

const dueAt = (event: Record<string, unknown>): number => new Date(String(event['next_attempt_at'])).getTime();

const aheadOf = async (payment: StoredPayment): Promise<unknown> =>
  (
    await payments.rows(
      `select extract(epoch from clock_offset)::integer as ahead from payments where id = ?::bigint`,
      [payment.paymentId],
    )
  )[0]?.['ahead'];

const skipsLeft = (
  { database, applicationId } = { database: payments.database, applicationId: payments.app.applicationId },
) =>
  database.withScope({ applicationId, mode: 'TEST' }, (statements) =>
    statements.execute('select * from clock_skips', []),
  );

describe('a payment', () => {
  test('stays open half an hour later by less than its time, and expires at its expiry', async () => {
    // Integrators must see what their customers see: the real expiry, without waiting for it.
    const payment = await waiting();
    const half = await world.forward(payment.reference, 900);
    expect(half).toMatchObject({ movedSeconds: 900, aheadSeconds: 900, workflowsBehind: 0 });
    expect((await payments.paymentRow(payment))['status']).toBe('PENDING');
    const rest = await world.forward(payment.reference, 'expiry');
    expect(rest.movedSeconds).toBeGreaterThan(850);
    expect(rest.movedSeconds).toBeLessThanOrEqual(900);
    await ended(payment, 'EXPIRED');
    expect(await skipsLeft()).toEqual([]);
  });

  test('that has ended has no expiry to go to', async () => {
    // A clock that moved anyway would surprise whoever asks again.
    const payment = await paid();
    await expect(world.forward(payment.reference, 'expiry')).rejects.toMatchObject({
      code: 'INVALID_OPERATION_STATE',
      message: 'the payment does not expire',
    });
    expect(await aheadOf(payment)).toBe(0);
  });

  test('goes to the next month by the calendar', async () => {
    // Invoices and subscriptions count in months, not in thirty days.
    const payment = await paid();
    const before = Date.now();
    const { time, aheadSeconds } = await world.forward(payment.reference, 'month');
    const expected = new Date(before);
    expected.setUTCMonth(expected.getUTCMonth() + 1);
    expect(Math.abs(time.getTime() - expected.getTime())).toBeLessThan(60_000);
    expect(aheadSeconds).toBeGreaterThanOrEqual(28 * DAY_SECONDS);
  });

  test('is at most a year ahead', async () => {
    // The database's times end, and a clock never goes back.
    const payment = await paid();
    await world.forward(payment.reference, 366 * DAY_SECONDS);
    await expect(world.forward(payment.reference, 1)).rejects.toMatchObject({
      code: 'INVALID_OPERATION_STATE',
      message: 'a test clock is at most 366 days ahead',
    });
  });
});

describe('a delivery that fails', () => {
  test('gets its next attempt at once, and the one after that keeps its time', async () => {
    // Otherwise an integrator waits for hours to see what their receiver makes of a repeated event.
    const payment = await paid();
    const event = await failed(payment, 1);
    const { movedSeconds, aheadSeconds } = await world.forward(String(event['event_id']), 'next-attempt');
    expect(movedSeconds).toBeGreaterThan(0);
    expect(aheadSeconds).toBe(0);
    const again = await failed(payment, 2);
    const nextInMs = dueAt(again) - Date.now();
    expect(nextInMs).toBeGreaterThan(20_000);
    expect(world.refused.filter((id) => id === event['event_id'])).toHaveLength(2);
  });

  test('follows the clock of its payment', async () => {
    // The page of a payment shows its deliveries, and one clock.
    const payment = await paid();
    await failed(payment, 1);
    await world.forward(payment.reference, 'next-attempt');
    await failed(payment, 2);
    const { movedSeconds } = await world.forward(payment.reference, HOUR_SECONDS);
    expect(movedSeconds).toBe(HOUR_SECONDS);
    await failed(payment, 3);
  });

  test('is due sooner by less than its wait', async () => {
    // The countdown that operators see must not be later than the attempt.
    const payment = await paid();
    await failed(payment, 1);
    await world.forward(payment.reference, 'next-attempt');
    const before = dueAt(await failed(payment, 2));
    await world.forward(payment.reference, 10);
    expect(before - dueAt(await eventOf(payment))).toBe(10_000);
  });

  test('does not expire', async () => {
    // A wrong word must not move anything.
    const payment = await paid();
    const { event_id: eventId } = await failed(payment, 1);
    await expect(world.forward(String(eventId), 'expiry')).rejects.toMatchObject({
      code: 'INVALID_OPERATION_STATE',
      message: 'the delivery does not expire',
    });
  });
});

describe('a refund', () => {
  const awaiting = async (payment: StoredPayment): Promise<string> => {
    const reference = `ref_${payment.reference.slice(4)}`;
    await payments.rows(
      `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id,
         created_by_type, approval_due_at, clock_offset)
       select application_id, mode, id, ?, 'AWAITING_APPROVAL', 100, currency, gateway, 'lenden_test', gateway_txn_id, 'APP',
         lenden_now(clock_offset) + interval '72 hours', clock_offset from payments where id = ?::bigint returning id`,
      [reference, payment.paymentId],
    );
    const handle = { ...payments.handleOf(payment), reference, gateway: 'sslcommerz', awaitsApproval: true };
    await payments.deps.dispatch.startRefund(handle);
    return reference;
  };
  const rejected = (reference: string) =>
    until(async () => {
      const [refund] = await payments.rows('select status, failure_code from refunds where reference = ?', [reference]);
      return refund?.['status'] === 'REJECTED' ? refund : null;
    });

  test.each(['of a payment whose clock was moved before', 'of a payment in real time'])(
    '%s is rejected when the time for its approval is over',
    async (name) => {
      // Nobody tests a wait of three days otherwise.
      const payment = await paid();
      if (name.includes('before')) {
        await world.forward(payment.reference, DAY_SECONDS);
      }
      const reference = await awaiting(payment);
      await world.forward(payment.reference, 71 * HOUR_SECONDS);
      const { movedSeconds } = await world.forward(reference, 'expiry');
      expect(movedSeconds).toBeGreaterThan(HOUR_SECONDS - 60);
      expect(movedSeconds).toBeLessThanOrEqual(HOUR_SECONDS);
      expect(await rejected(reference)).toMatchObject({ failure_code: 'APPROVAL_EXPIRED' });
    },
  );
});

describe('a move', () => {
  test('whose process died after its transaction is finished by asking again, and counts once', async () => {
    // The answer was lost, so the integrator asks again and must not be an hour further than they asked for.
    const payment = await waiting();
    const died = new Error('the process dies');
    await expect(
      world.forward(payment.reference, 600, {
        dispatch: { skipTime: () => new Promise((_resolve, reject) => setTimeout(reject, 50, died)) },
      }),
    ).resolves.toMatchObject({ workflowsBehind: 2 });
    expect(await skipsLeft()).toHaveLength(2);
    expect(await world.forward(payment.reference, 600)).toMatchObject({
      movedSeconds: 0,
      aheadSeconds: 600,
      workflowsBehind: 0,
    });
    expect(await skipsLeft()).toEqual([]);
    expect(await world.forward(payment.reference, 600)).toMatchObject({ movedSeconds: 600, aheadSeconds: 1_200 });
  });

  test('that Temporal had made before the process died is not made twice', async () => {
    // A workflow ahead of its row would query and give up too early.
    const payment = await waiting();
    const first = await world.forward(payment.reference, 600, {
      dispatch: {
        async skipTime(workflow, skip) {
          await payments.deps.dispatch.skipTime(workflow, skip);
          throw new Error('the answer is lost');
        },
      },
    });
    expect(first).toMatchObject({ workflowsBehind: 2 });
    await world.forward(payment.reference, 600);
    await world.forward(payment.reference, 900);
    expect((await payments.paymentRow(payment))['status']).toBe('PENDING');
    await world.forward(payment.reference, 'expiry');
    await ended(payment, 'EXPIRED');
  });

  test('waits for another one of the same clock', async () => {
    // Two people press the button at once: each hour counts, and both workflows and rows agree.
    const payment = await waiting();
    const moved = await Promise.all([300, 300, 300].map((seconds) => world.forward(payment.reference, seconds)));
    expect(moved.map(({ aheadSeconds }) => aheadSeconds).toSorted((a, b) => a - b)).toEqual([300, 600, 900]);
    expect((await payments.paymentRow(payment))['status']).toBe('PENDING');
    expect(await skipsLeft()).toEqual([]);
  });

  test('waits for the lease of a process that has died', async () => {
    // Nobody releases what it held.
    const payment = await waiting();
    await world.forward(payment.reference, 600, {
      dispatch: { skipTime: () => Promise.reject(new Error('the process dies')) },
    });
    await payments.database.withScope({ applicationId: payments.app.applicationId, mode: 'TEST' }, (statements) =>
      statements.execute(`update clock_skips set claimed_until = clock_timestamp() + interval '3 seconds'`, []),
    );
    expect(await world.forward(payment.reference, 600)).toMatchObject({ movedSeconds: 0, aheadSeconds: 600 });
    expect(await skipsLeft()).toEqual([]);
  });

  test('to one target is made once, however many ask', async () => {
    // A target is a time, not an amount.
    const payment = await waiting();
    const moved = await Promise.all([1, 2].map(() => world.forward(payment.reference, 'expiry').catch(() => null)));
    await ended(payment, 'EXPIRED');
    expect(await aheadOf(payment)).toBeLessThanOrEqual(1_800);
    expect(moved.filter((one) => one !== null && one.movedSeconds > 100)).toHaveLength(1);
  });

  test('leaves everything as it is where the server cannot skip time', async () => {
    // Otherwise rows would be ahead of workflows that never follow.
    const payment = await waiting();
    await expect(
      world.forward(payment.reference, 600, { dispatch: { skipsTime: () => Promise.resolve(false) } }),
    ).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
    expect(await aheadOf(payment)).toBe(0);
    expect(await skipsLeft()).toEqual([]);
  });

  test('says that Temporal is away', async () => {
    // Nothing was moved, so asking again is right.
    const payment = await payments.payment();
    await expect(
      world.forward(payment.reference, 600, { dispatch: { skipsTime: () => Promise.reject(new Error('away')) } }),
    ).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryAfterSeconds: 5 });
    expect(await aheadOf(payment)).toBe(0);
  });

  test('of LIVE is refused by the code and by the database', async () => {
    // A payer must never be refused because somebody moved a clock.
    const payment = await payments.payment({ mode: 'LIVE' });
    await expect(world.forward(payment.reference, 600, { mode: 'LIVE' })).rejects.toMatchObject({
      code: 'INVALID_OPERATION_STATE',
    });
    await expect(world.forward(payment.reference, 600)).rejects.toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
    await expect(
      payments.rows(`update payments set clock_offset = interval '1 hour' where id = ?::bigint returning 1`, [
        payment.paymentId,
      ]),
    ).rejects.toThrow('payments_clock_offset_check');
  });
});

describe('an invoice', () => {
  const daysOn = (days: number): string => new Date(Date.now() + days * DAY_SECONDS * 1_000).toISOString().slice(0, 10);
  const issued = async (...given: Parameters<InvoiceWorld['bill']>): Promise<InvoiceRecord> => {
    const invoice = await world.invoices.bill({ ...given[0], issue: false }, given[1]);
    await world.invoices.issue(invoice);
    return invoice;
  };
  const typesOf = async (invoice: InvoiceRecord): Promise<string[]> =>
    (await world.invoices.events(invoice)).map(({ type }) => type);
  const overdue = (invoice: InvoiceRecord, times: number) =>
    until(async () => (await typesOf(invoice)).filter((type) => type === 'invoice.overdue').length === times);

  test('has its installments due month by month', async () => {
    // A schedule of a year is tested in a minute.
    const invoice = await issued({
      installments: [
        { dueDate: daysOn(10), amountMinor: 4_000 },
        { dueDate: daysOn(45), amountMinor: 6_000 },
      ],
    });
    await world.forwardInvoice(invoice, 'month');
    await overdue(invoice, 1);
    await world.forwardInvoice(invoice, 'month');
    await overdue(invoice, 2);
    const { database, caller } = world.invoices;
    expect(await skipsLeft({ database, applicationId: caller.scope.applicationId })).toEqual([]);
  });

  test('expires at its expiry', async () => {
    // The page of an expired invoice is part of an integration.
    const invoice = await issued({}, { expiresAt: new Date(Date.now() + 7 * DAY_SECONDS * 1_000) });
    await world.forwardInvoice(invoice, 'expiry');
    await until(async () => (await world.invoices.read(invoice)).status === 'VOID');
    await expect(world.forwardInvoice(invoice, 'expiry')).rejects.toMatchObject({
      message: 'the invoice does not expire',
    });
  });

  test('takes its payments with it, those that come later, too', async () => {
    // A payment in another time than its invoice could expire before it begins.
    const invoice = await world.invoices.bill();
    const before = await world.invoices.begin(invoice, 1_000n);
    await world.forwardInvoice(invoice, 7 * DAY_SECONDS);
    const after = await world.invoices.begin(invoice, 1_000n);
    const rows = await world.invoices.rows(
      `select reference, extract(epoch from clock_offset)::integer as ahead,
         round(extract(epoch from expires_at - lenden_now(clock_offset)) / 60)::integer as minutes
       from payments where reference = any(string_to_array(?, ',')) order by id`,
      [[before.reference, after.reference].join(',')],
    );
    expect(rows).toEqual([
      { reference: before.reference, ahead: 7 * DAY_SECONDS, minutes: 30 - 7 * 24 * 60 },
      { reference: after.reference, ahead: 7 * DAY_SECONDS, minutes: 30 },
    ]);
  });
});

describe('what starts after the clock was moved', () => {
  test('has the time that its row has left', async () => {
    // A new workflow begins in real time: by the payment's expiry alone it would wait a month longer.
    const payment = await payments.payment();
    await world.forward(payment.reference, 'month');
    await payments.rows(
      `update payments set expires_at = lenden_now(clock_offset) + interval '30 minutes' where id = ?::bigint returning 1`,
      [payment.paymentId],
    );
    await payments.deps.dispatch.startPayment(payments.handleOf(payment));
    await until(async () => (await payments.attemptRow(payment))['session_key']);
    await world.forward(payment.reference, 900);
    expect((await payments.paymentRow(payment))['status']).toBe('PENDING');
    await world.forward(payment.reference, 'expiry');
    await ended(payment, 'EXPIRED');
  });

  test('counts a refund from the clock of its payment', async () => {
    // Its approval would else be over before it begins.
    const payment = await paid();
    await world.forward(payment.reference, 30 * DAY_SECONDS);
    const refund = await payments.database.withScope(
      { applicationId: payments.app.applicationId, mode: 'TEST' },
      (statements) =>
        reserveRefund(statements, {
          scope: { applicationId: payments.app.applicationId, mode: 'TEST' },
          paymentId: BigInt(payment.paymentId),
          reference: refundReference(),
          amountMinor: 100n,
          reason: null,
          creator: { type: 'APP' },
          boundsOf: () => WITHOUT_REFUND_BOUNDS,
        }),
    );
    expect(Math.round((refund.readAt.getTime() - Date.now()) / 1_000 / DAY_SECONDS)).toBe(30);
  });
});
