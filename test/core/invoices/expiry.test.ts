import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createPaymentActivities } from '../../../activities/payments.ts';
import { updateApplication } from '../../../core/applications/store/applications.ts';
import { noteViewed } from '../../../core/invoices/store/invoice-changes.ts';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import { shadhinpayInvoiceStatus } from '../../../domain/shadhinpay-invoice.ts';
import { openInvoiceWorld, type InvoiceWorld } from './invoice-world.ts';

let world: InvoiceWorld;
beforeAll(async () => {
  world = await openInvoiceWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  await hear(null);
  await world.set({ unappliedPaymentPolicy: 'REVIEW', refundedInvoices: 'REOPEN' });
  world.calls.length = 0;
});

const HOUR_MS = 3_600_000;
const inAnHour = (): Date => new Date(Date.now() + HOUR_MS);
const billed = (expiresAt: Date | null = inAnHour()): Promise<InvoiceRecord> => world.bill({}, { expiresAt });
const statusOf = async (invoice: InvoiceRecord): Promise<string> => shadhinpayInvoiceStatus(await world.read(invoice));
const hear = (shadhinpayEvents: string[] | null) =>
  updateApplication(
    { database: world.database },
    { applicationId: world.caller.scope.applicationId, shadhinpayEvents },
  );

/** Returns the request bodies as they are sent. */
async function told({ id }: InvoiceRecord): Promise<Record<string, unknown>[]> {
  const rows = await world.rows<{ payload: string; contract: string; event_id: string }>(
    'select payload, contract, event_id from webhook_events where invoice_id = ? order by id',
    [id],
  );
  return rows.map(({ payload, contract, event_id: eventId }) => {
    const body = JSON.parse(payload) as Record<string, unknown>;
    expect([contract, body['eventId']]).toEqual(['shadhinpay', eventId]);
    return body;
  });
}

const typesOf = async (invoice: InvoiceRecord): Promise<unknown[]> =>
  (await told(invoice)).map(({ eventType }) => eventType);

/** Moves the expiry of an invoice into the past, for every reader. */
async function lapse({ id }: InvoiceRecord): Promise<Date> {
  await world.rows(`update invoices set expires_at = now() - interval '1 second' where id = ? returning 1`, [id]);
  return new Date();
}

describe('an invoice with an expiry', () => {
  test('ends by the database’s clock, whatever the workflow’s says', async () => {
    // Temporal's server clock may be an hour ahead. A payer must not be refused on an invoice that has an hour left.
    const invoice = await billed();
    const stand = await createPaymentActivities(world.deps).driveInvoice({
      ...world.inputOf(invoice),
      nowMs: Date.now() + 2 * HOUR_MS,
    });
    expect(stand).toMatchObject({ ended: false });
    expect((stand.expiryAtMs ?? 0) - stand.nowMs).toBeLessThanOrEqual(HOUR_MS);
    expect((stand.expiryAtMs ?? 0) - stand.nowMs).toBeGreaterThan(HOUR_MS / 2);
    expect(await statusOf(invoice)).toBe('SENT');
  });

  test('is money when it is real, and has no clock but the database’s', async () => {
    // A test clock that moved a LIVE row could expire what a payer is about to pay.
    for (const table of ['payments', 'invoices', 'refunds']) {
      const [check] = await world.rows<{ sql: string }>(
        `select pg_get_constraintdef(oid) as sql from pg_constraint where conname = ?`,
        [`${table}_clock_offset_check`],
      );
      expect(check?.sql).toMatch(/mode = 'TEST'.* OR .*clock_offset = '00:00:00'/);
    }
  });

  test('is looked at when it expires, and ends then, once', async () => {
    // The shop must get one event, however often the workflow checks the expiry.
    const expiresAt = inAnHour();
    const invoice = await billed(expiresAt);
    const before = await world.drive(invoice, new Date());
    expect(before).toMatchObject({ ended: false, expiryAtMs: expiresAt.getTime(), nextNoticeAtMs: null });
    expect(await statusOf(invoice)).toBe('SENT');
    const at = new Date(expiresAt.getTime() + 1);
    const stands = await Promise.all([world.drive(invoice, at), world.drive(invoice, at), world.drive(invoice, at)]);
    expect(stands.map(({ ended, status }) => [ended, status])).toEqual(Array.from({ length: 3 }, () => [true, 'VOID']));
    expect(await statusOf(invoice)).toBe('EXPIRED');
    const { number } = await world.read(invoice);
    expect(await told(invoice)).toEqual([
      {
        eventId: expect.any(String),
        eventType: 'invoice.expired',
        businessId: Number(invoice.applicationId),
        occurredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        payload: {
          invoiceId: invoice.reference,
          invoiceNumber: `INV-HB_71c4-${String(number).padStart(5, '0')}`,
          amount: '100.00',
          currency: 'BDT',
          status: 'EXPIRED',
          paymentId: null,
          vendor: null,
        },
      },
    ]);
    expect(world.calls.filter(([name]) => name === 'startDelivery')).toHaveLength(1);
    expect((await world.verify()).findings).toEqual([]);
  });

  test('without one never ends by itself, and a paused one ends all the same', async () => {
    const never = await billed(null);
    expect(await world.drive(never, new Date(Date.now() + 50 * 365 * 24 * HOUR_MS))).toMatchObject({ ended: false });
    const paused = await billed();
    await world.pause(paused, true);
    const stand = await world.drive(paused, new Date(Date.now() + 2 * HOUR_MS));
    expect([stand.ended, await statusOf(paused)]).toEqual([true, 'EXPIRED']);
  });

  test('takes no payment that begins after it', async () => {
    const invoice = await billed();
    await lapse(invoice);
    await expect(world.begin(invoice, 10_000n)).rejects.toMatchObject({ code: 'INVALID_OPERATION_STATE' });
  });

  test('waits for whoever has begun in time; he pays it', async () => {
    // The payer began in time, so the payment counts even if the money arrives at the last moment.
    const invoice = await billed();
    const payment = await world.begin(invoice, 10_000n);
    const now = await lapse(invoice);
    const stand = await world.drive(invoice, now);
    expect([stand.ended, (stand.expiryAtMs ?? 0) > now.getTime()]).toEqual([false, true]);
    expect(await statusOf(invoice)).toBe('SENT');
    await world.confirm(payment);
    expect(await world.drive(invoice, new Date())).toMatchObject({ ended: true, status: 'PAID' });
    expect([await statusOf(invoice), await typesOf(invoice)]).toEqual(['PAID', ['invoice.paid']]);
    expect((await told(invoice))[0]?.['payload']).toMatchObject({ status: 'PAID', paymentId: payment.reference });
    expect((await world.verify()).findings).toEqual([]);
  });

  test('ends when he has not paid, as soon as that is known', async () => {
    // The end of the payment wakes the workflow that waits for it.
    const invoice = await billed();
    const payment = await world.begin(invoice, 10_000n);
    await world.drive(invoice, await lapse(invoice));
    world.calls.length = 0;
    await world.activities.finalizePayment({ ...payment, status: 'CANCELLED' });
    expect(world.calls).toContainEqual([
      'notifyInvoice',
      expect.objectContaining({ reference: invoice.reference }),
      'payment',
    ]);
    await world.drive(invoice, new Date());
    expect([await statusOf(invoice), await typesOf(invoice)]).toEqual(['EXPIRED', ['invoice.expired']]);
  });

  test('and money at the same moment: never is there money in what has expired', async () => {
    // The transaction that takes the lock first decides, and the other one sees the result.
    for (let round = 0; round < 8; round += 1) {
      const invoice = await billed();
      const payment = await world.begin(invoice, 10_000n);
      await world.charge(payment);
      const now = await lapse(invoice);
      await Promise.all([
        world.drive(invoice, now),
        world.activities.finalizePayment({ ...payment, status: 'SUCCEEDED' }),
        world.drive(invoice, now),
      ]);
      expect([await statusOf(invoice), await typesOf(invoice)]).toEqual(['PAID', ['invoice.paid']]);
    }
    expect((await world.verify()).findings).toEqual([]);
  });

  test('and a payer who begins at the same moment: he is refused, or waited for', async () => {
    // A payment must not begin between the check for open payments and the end of the invoice.
    for (let round = 0; round < 8; round += 1) {
      const invoice = await billed();
      const at = new Date(Date.now() + 2 * HOUR_MS);
      const [begun] = await Promise.allSettled([world.begin(invoice, 10_000n), world.drive(invoice, at)]);
      expect(await statusOf(invoice)).toBe(begun.status === 'fulfilled' ? 'SENT' : 'EXPIRED');
    }
  });

  test('keeps money that comes after it in suspense, for the policy to decide', async () => {
    // Unapplied money must not be lost, and must not reopen an ended invoice.
    const invoice = await billed();
    const payment = await world.begin(invoice, 10_000n);
    await world.activities.finalizePayment({ ...payment, status: 'EXPIRED' });
    await world.drive(invoice, await lapse(invoice));
    expect(await statusOf(invoice)).toBe('EXPIRED');
    await world.rows(
      `insert into unapplied_payments (application_id, mode, payment_id, attempt_id, gateway, validation_id, gateway_txn_id, evidence, gross_minor,
         fee_minor, currency)
       select application_id, mode, payment_id, id, gateway, 'L' || reference, 'B' || reference, '{}', 10000, 0, 'BDT'
       from payment_attempts where payment_id = ?::bigint returning 1`,
      [payment.paymentId],
    );
    await world.rows(
      `with boss as (insert into operators (email, name, password_hash) values ('boss@example.com', 'Boss', 'x') returning id)
       insert into decisions (application_id, mode, kind, payment_id, unapplied_payment_id, decision, operator_id)
       select l.application_id, l.mode, 'unapplied-payment', l.payment_id, l.id, 'keep', boss.id from unapplied_payments l, boss
       where l.payment_id = ?::bigint returning 1`,
      [payment.paymentId],
    );
    const [attempt] = await world.rows<{ reference: string }>(
      'select reference from payment_attempts where payment_id = ?::bigint',
      [payment.paymentId],
    );
    await world.activities.decideUnappliedPayment({
      ...payment,
      attemptReference: attempt?.reference ?? '',
      decisionIds: [],
    });
    const late = await world.rows('select status, applied_minor from unapplied_payments where payment_id = ?::bigint', [
      payment.paymentId,
    ]);
    expect(late).toEqual([{ status: 'KEPT', applied_minor: '0' }]);
    expect([await statusOf(invoice), (await world.read(invoice)).paidMinor]).toEqual(['EXPIRED', 0n]);
  });

  test('of which a part is paid stays open', async () => {
    // A payer's partial payment must not be lost.
    const invoice = await billed();
    await world.pay(invoice, 4_000n);
    await lapse(invoice);
    expect(await world.drive(invoice, new Date())).toMatchObject({ ended: false, status: 'PARTIALLY_PAID' });
    await world.pay(invoice, 6_000n);
    expect([await statusOf(invoice), await typesOf(invoice)]).toEqual(['PAID', ['invoice.paid']]);
  });
});

describe('what a business hears of an invoice', () => {
  test('is what is on by default: paid and expired, not cancelled', async () => {
    // The three events of the contract, with their defaults.
    const cancelled = await billed();
    await world.void(cancelled);
    expect([await statusOf(cancelled), await typesOf(cancelled)]).toEqual(['CANCELLED', []]);
    await hear(['invoice.cancelled']);
    const heard = await billed();
    await world.void(heard);
    expect((await told(heard)).map(({ eventType, payload }) => [eventType, payload])).toEqual([
      ['invoice.cancelled', expect.objectContaining({ status: 'CANCELLED', paymentId: null })],
    ]);
    const paid = await billed();
    await world.pay(paid, 10_000n);
    const expired = await billed();
    await world.drive(expired, await lapse(expired));
    expect([await typesOf(paid), await typesOf(expired)]).toEqual([[], []]);
  });

  test('has no issue, no reminder and nothing overdue', async () => {
    // A receiver written for three events must not get a fourth.
    const { calendar } = world.deps;
    const invoice = await world.bill(
      { dueDate: calendar.today(new Date()), reminders: { beforeDays: [1], overdueDays: [1] } },
      { expiresAt: null },
    );
    await world.drive(invoice, new Date(Date.now() + 3 * 24 * HOUR_MS));
    expect(await typesOf(invoice)).toEqual([]);
  });

  test('stays PAID after a refund, whatever the application wants of native ones', async () => {
    // A final status of the contract stays final.
    const invoice = await billed();
    const payment = await world.pay(invoice, 10_000n);
    await world.refund(payment, 10_000n);
    expect([await statusOf(invoice), await typesOf(invoice)]).toEqual(['PAID', ['invoice.paid']]);
    expect((await world.verify()).findings.filter(({ check }) => check === 'invoice')).toEqual([]);
  });
});

describe('an invoice that was opened', () => {
  test('counts as sent again after an attempt to pay that came to nothing', async () => {
    // The shop must see that its customer has to be asked again.
    const invoice = await billed();
    const scope = world.caller.scope;
    const view = () => world.database.inTransaction(scope, (statements) => noteViewed(statements, invoice.id));
    for (const status of ['FAILED', 'CANCELLED', 'EXPIRED'] as const) {
      await view();
      expect(await statusOf(invoice)).toBe('VIEWED');
      const payment = await world.begin(invoice, 10_000n);
      await world.activities.finalizePayment({ ...payment, status });
      expect([status, await statusOf(invoice)]).toEqual([status, 'SENT']);
    }
    await view();
    await world.pay(invoice, 10_000n);
    expect(await statusOf(invoice)).toBe('PAID');
  });
});
