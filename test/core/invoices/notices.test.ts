import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import type { Mail } from '../../../runtime/mailer.ts';
import type { EmailOutcome } from '../../../runtime/mail/outcome.ts';
import { openInvoiceWorld, type InvoiceWorld } from './invoice-world.ts';

const mails: Mail[] = [];
let outcome: EmailOutcome | 'dies' = { kind: 'sent' };
let world: InvoiceWorld;
beforeAll(async () => {
  world = await openInvoiceWorld({
    mailer: {
      send(mail) {
        mails.push(mail);
        return outcome === 'dies' ? Promise.reject(new Error('the worker was killed')) : Promise.resolve(outcome);
      },
      close: () => undefined,
    },
  });
});
afterAll(() => world.close());
beforeEach(() => {
  mails.length = 0;
  outcome = { kind: 'sent' };
  world.calls.length = 0;
  world.log.length = 0;
});

/** A local time in Dhaka. */
const dhaka = (text: string): Date => new Date(`${text}+06:00`);
const told = async (invoice: InvoiceRecord): Promise<string[]> =>
  (await world.events(invoice)).slice(1).map(({ type, data }) => {
    const { notice } = data as typeof data & { notice?: { dueDate: string; offsetDays: number; amountMinor: number } };
    return notice === undefined ? type : `${type} ${notice.dueDate} ${notice.offsetDays} ${notice.amountMinor}`;
  });
const inParts = (reminders: { beforeDays?: number[]; overdueDays?: number[] } = {}) =>
  world.bill({
    customerEmail: 'jane@example.com',
    installments: [
      { dueDate: '2031-01-10', amountMinor: 4_000 },
      { dueDate: '2031-02-10', amountMinor: 6_000 },
    ],
    reminders,
  });

describe('notices', () => {
  // Without reminders, the application gets events only for overdue amounts.
  test('without reminders are of what is overdue alone, from the day after', async () => {
    const invoice = await inParts();
    expect(await world.drive(invoice, dhaka('2031-01-10T23:59:59'))).toMatchObject({
      status: 'ISSUED',
      nextNoticeAtMs: dhaka('2031-01-11T00:00:00').getTime(),
      ended: false,
    });
    expect(await told(invoice)).toEqual([]);
    expect(await world.drive(invoice, dhaka('2031-01-11T00:00:00'))).toMatchObject({
      status: 'OVERDUE',
      nextNoticeAtMs: dhaka('2031-02-11T00:00:00').getTime(),
    });
    expect(await told(invoice)).toEqual(['invoice.overdue 2031-01-10 1 4000']);
  });

  test('go out at nine in the morning, before and after each due date, once', async () => {
    const invoice = await inParts({ beforeDays: [3, 0], overdueDays: [7] });
    const times = ['2031-01-07', '2031-01-10', '2031-01-17', '2031-02-07'];
    for (const day of times) {
      await world.drive(invoice, dhaka(`${day}T08:59:59`));
      await world.drive(invoice, dhaka(`${day}T09:00:00`));
      await world.drive(invoice, dhaka(`${day}T09:00:01`));
    }
    expect(await told(invoice)).toEqual([
      'invoice.reminder 2031-01-10 -3 4000',
      'invoice.reminder 2031-01-10 0 4000',
      'invoice.overdue 2031-01-10 1 4000',
      'invoice.reminder 2031-01-10 7 4000',
      'invoice.reminder 2031-02-10 -3 6000',
    ]);
    const sequences = (await world.events(invoice)).map(({ sequence }) => sequence);
    expect(sequences).toEqual([1, 2, 3, 4, 5, 6]);
  });

  // After an outage of weeks, a customer must not get three emails at once, but the application must learn what is overdue.
  test('that were missed are overtaken by the newest about the same due date', async () => {
    const invoice = await inParts({ beforeDays: [7, 3, 0], overdueDays: [2] });
    await world.drive(invoice, dhaka('2031-01-20T12:00:00'));
    expect(await told(invoice)).toEqual(['invoice.overdue 2031-01-10 1 4000', 'invoice.reminder 2031-01-10 2 4000']);
    const rows = await world.rows<{ offset_days: number; skipped: boolean }>(
      'select offset_days, skipped from invoice_notices where invoice_id = ? order by offset_days',
      [invoice.id],
    );
    expect(rows).toEqual([
      { offset_days: -7, skipped: true },
      { offset_days: -3, skipped: true },
      { offset_days: 0, skipped: true },
      { offset_days: 1, skipped: false },
      { offset_days: 2, skipped: false },
    ]);
  });

  test('are of what is not paid: a part that is paid is not reminded of, one that is paid in part by its rest', async () => {
    const invoice = await inParts({ beforeDays: [0] });
    await world.pay(invoice, 5_500n);
    await world.drive(invoice, dhaka('2031-02-10T10:00:00'));
    expect(await told(invoice)).toEqual(['invoice.reminder 2031-02-10 0 4500']);
  });

  test('stop while it is paused, and go on with what is still so', async () => {
    const invoice = await inParts({ beforeDays: [3], overdueDays: [5] });
    await world.pause(invoice, true);
    expect(await world.drive(invoice, dhaka('2031-01-12T12:00:00'))).toMatchObject({
      paused: true,
      nextNoticeAtMs: null,
    });
    expect(await told(invoice)).toEqual([]);
    await world.pause(invoice, false);
    await world.drive(invoice, dhaka('2031-01-12T12:00:00'));
    // By then a reminder that the invoice is due in three days is outdated.
    expect(await told(invoice)).toEqual(['invoice.overdue 2031-01-10 1 4000']);
  });

  test('follow new due dates, and nothing is told of the old ones', async () => {
    const invoice = await inParts({ beforeDays: [1] });
    await world.changeDueDates(invoice, { dueDate: '2031-06-01' });
    expect(await world.drive(invoice, dhaka('2031-03-01T12:00:00'))).toMatchObject({
      installments: 0,
      nextDueDate: '2031-06-01',
      nextNoticeAtMs: dhaka('2031-05-31T09:00:00').getTime(),
    });
    expect(await told(invoice)).toEqual([]);
    expect(world.calls.map(([name]) => name)).toContain('rescheduleInvoice');
  });

  test('end with the invoice', async () => {
    const paid = await inParts({ beforeDays: [0] });
    await world.pay(paid, 10_000n);
    const voided = await inParts({ beforeDays: [0] });
    await world.void(voided);
    for (const [invoice, status] of [
      [paid, 'PAID'],
      [voided, 'VOID'],
    ] as const) {
      expect(await world.drive(invoice, dhaka('2032-01-01T00:00:00'))).toMatchObject({ ended: true, status });
    }
    expect((await told(paid)).concat(await told(voided))).toEqual(['invoice.paid', 'invoice.voided']);
  });

  // A worker that dies after the commit leaves the rest to the next run.
  test('looked for by many at once are told once', async () => {
    const invoice = await inParts({ beforeDays: [0] });
    await Promise.all(Array.from({ length: 6 }, () => world.drive(invoice, dhaka('2031-01-12T00:00:00'))));
    expect(await told(invoice)).toEqual(['invoice.overdue 2031-01-10 1 4000']);
  });

  // If the workflow was terminated, the sweeper starts it again when a notice is due.
  test('are looked after by the sweeper, soon after a change and soon after a notice that did not go out', async () => {
    const invoice = await inParts();
    const dueIn = async (): Promise<number> =>
      Number(
        (
          await world.rows(
            'select extract(epoch from next_sweep_at - now())::integer as s from invoices where id = ?',
            [invoice.id],
          )
        )[0]?.['s'],
      );
    expect(await dueIn()).toBeLessThanOrEqual(30);
    await world.drive(invoice, dhaka('2031-01-10T23:00:00'));
    expect(await dueIn()).toBeGreaterThan(3_600);
    expect(await dueIn()).toBeLessThanOrEqual(3_900);
    await world.drive(invoice, dhaka('2031-01-11T00:00:00'));
    expect(await dueIn()).toBeGreaterThan(6 * 86_400);
  });
});

describe('emails', () => {
  const emails = (invoice: InvoiceRecord) => world.activities.sendInvoiceEmails(world.inputOf(invoice));
  const rows = (invoice: InvoiceRecord) =>
    world.rows<{ email_status: string; email_tries: number; email_error: string | null }>(
      `select email_status, email_tries, email_error from invoice_notices where invoice_id = ? and kind = 'reminder' order by id`,
      [invoice.id],
    );

  test('of reminders go to the customer, in the invoice’s language, and none for what is only overdue', async () => {
    const invoice = await inParts({ overdueDays: [2] });
    await world.drive(invoice, dhaka('2031-01-13T12:00:00'));
    expect(await emails(invoice)).toEqual({ againInMs: null });
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatchObject({ to: 'jane@example.com', language: 'en' });
    expect(mails[0]?.subject).toContain('INV-');
    expect(mails[0]?.text).toContain(`https://pages.example/pay/${invoice.reference}`);
    expect(await rows(invoice)).toEqual([{ email_status: 'SENT', email_tries: 1, email_error: null }]);
    await emails(invoice);
    expect(mails).toHaveLength(1);
  });

  // The link opens without a login, and every server on the way may log headers. So the link must not be in them.
  test('carry an id that does not change over tries and does not tell the link', async () => {
    const invoice = await inParts({ overdueDays: [2] });
    await world.drive(invoice, dhaka('2031-01-13T12:00:00'));
    outcome = { kind: 'unavailable', code: 'timeout' };
    const { againInMs } = await emails(invoice);
    expect(againInMs).toBeGreaterThan(50_000);
    expect(againInMs).toBeLessThanOrEqual(60_000);
    await world.rows(`update invoice_notices set email_due_at = now() where email_status = 'PENDING' returning 1`);
    outcome = { kind: 'sent' };
    expect(await emails(invoice)).toEqual({ againInMs: null });
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1);
    expect(mails[0]?.messageId).not.toContain(invoice.reference);
    expect(await rows(invoice)).toEqual([{ email_status: 'SENT', email_tries: 2, email_error: null }]);
  });

  test('that a server refuses for good are not tried again, and somebody is told', async () => {
    const invoice = await inParts({ overdueDays: [2] });
    await world.drive(invoice, dhaka('2031-01-13T12:00:00'));
    outcome = { kind: 'refused', code: 'recipient-refused' };
    expect(await emails(invoice)).toEqual({ againInMs: null });
    expect(await rows(invoice)).toEqual([
      { email_status: 'REFUSED', email_tries: 1, email_error: 'recipient-refused' },
    ]);
    expect(world.log).toContainEqual(expect.objectContaining({ level: 'error', alert: 'invoice-mail-not-sent' }));
    expect(JSON.stringify(world.log)).not.toContain('jane@example.com');
  });

  test('are given up after three days of trying', async () => {
    const invoice = await inParts({ overdueDays: [2] });
    await world.drive(invoice, dhaka('2031-01-13T12:00:00'));
    outcome = { kind: 'unavailable', code: 'no-connection' };
    let waitedMs = 0;
    for (;;) {
      const { againInMs } = await emails(invoice);
      if (againInMs === null) {
        break;
      }
      waitedMs += againInMs;
      await world.rows(`update invoice_notices set email_due_at = now() where email_status = 'PENDING' returning 1`);
    }
    expect(await rows(invoice)).toEqual([
      { email_status: 'GIVEN_UP', email_tries: mails.length, email_error: 'no-connection' },
    ]);
    expect(waitedMs / 86_400_000).toBeGreaterThan(2.5);
    expect(waitedMs / 86_400_000).toBeLessThan(4);
  });

  // The attempt is recorded before the email is sent. A worker that dies may cause a second email under the same id,
  // but never a lost one.
  test('of a worker that dies with one are tried again later', async () => {
    const invoice = await inParts({ overdueDays: [2] });
    await world.drive(invoice, dhaka('2031-01-13T12:00:00'));
    outcome = 'dies';
    await expect(emails(invoice)).rejects.toThrow();
    expect(await rows(invoice)).toEqual([{ email_status: 'PENDING', email_tries: 1, email_error: null }]);
    outcome = { kind: 'sent' };
    expect((await emails(invoice)).againInMs).toBeGreaterThan(0);
    expect(mails).toHaveLength(1);
    await world.rows(`update invoice_notices set email_due_at = now() where email_status = 'PENDING' returning 1`);
    await emails(invoice);
    expect(mails).toHaveLength(2);
  });

  test('about what was paid meanwhile are not sent', async () => {
    const invoice = await inParts({ overdueDays: [2] });
    await world.drive(invoice, dhaka('2031-01-13T12:00:00'));
    await world.pay(invoice, 10_000n);
    expect(await emails(invoice)).toEqual({ againInMs: null });
    expect(mails).toEqual([]);
    expect(await rows(invoice)).toMatchObject([{ email_status: 'NONE' }]);
  });

  test('are not written for a customer without an address', async () => {
    const invoice = await world.bill({ dueDate: '2031-01-10', reminders: { overdueDays: [2] } });
    expect(await world.drive(invoice, dhaka('2031-01-13T12:00:00'))).toMatchObject({ emailWaits: false });
    expect(await rows(invoice)).toMatchObject([{ email_status: 'NONE' }]);
  });
});
