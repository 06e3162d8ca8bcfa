import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSweepActivities } from '../../activities/sweep.ts';
import type { InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import { addDays, type PlainDate } from '../../domain/plain-date.ts';
import { invoiceProgressQuery } from '../../workflows/messages/invoice.ts';
import { advanceWorkflow } from '../support/temporal.ts';
import { openInvoiceTheatre, quickCalendar, type InvoiceTheatre } from './staged-invoices.ts';
import { longTest } from '../support/long.ts';
import { until } from '../support/until.ts';

const DAY_MS = 86_400_000;

let theatre: InvoiceTheatre;
beforeAll(async () => {
  theatre = await openInvoiceTheatre();
});
afterAll(() => theatre.close());

const today = (): PlainDate => theatre.world.deps.calendar.today(new Date());
const details = async (invoice: InvoiceRecord): Promise<string> =>
  (await theatre.handleOf(invoice).query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails ??
  '';
/** Returns sequence and type of each event, the due date that it is about, and the amount paid. */
async function told({ world }: InvoiceTheatre, invoice: InvoiceRecord): Promise<string[]> {
  return (await world.events(invoice)).map(({ type, sequence, data }) => {
    const { notice } = data as typeof data & { notice?: { dueDate: string; offsetDays: number; amountMinor: number } };
    const about = notice === undefined ? '' : ` ${notice.dueDate} ${notice.offsetDays} ${notice.amountMinor}`;
    return `${sequence} ${type}${about}, paid ${data.amountPaidMinor}`;
  });
}

describe('a plan of four months', () => {
  const TERMS = {
    lineItems: [{ description: 'Tuition', qty: 12, unitAmountMinor: 10_001 }],
    reminders: { beforeDays: [5], overdueDays: [10] },
  };
  const startedOn = (first: PlainDate) => ({
    ...TERMS,
    plan: { count: 4, every: 'MONTH' as const, firstDueDate: addDays(first, 12) },
  });
  /** Every second installment is paid on time, the others after they are overdue and reminded of. */
  const paidOn = (invoice: InvoiceRecord) =>
    invoice.installments.map(({ dueDate, amountMinor }, index) => {
      const overdue = index % 2 !== 0;
      return { day: addDays(dueDate, overdue ? 14 : -8), dueDate, amountMinor, overdue };
    });

  /** Runs the whole plan on skipped time, moving the workflow's clock to each payment. */
  async function skipped(first: PlainDate): Promise<string[]> {
    const { world, temporal, handleOf } = theatre;
    const invoice = await world.bill(startedOn(first));
    await theatre.tell(invoice, 'issued');
    const { workflowId } = handleOf(invoice);
    let now = Date.now();
    for (const { day, amountMinor } of paidOn(invoice)) {
      const at = world.deps.calendar.morningOf(day).getTime() + 3 * 3_600_000;
      await advanceWorkflow(temporal, { workflowId, byMs: at - now });
      now = at;
      await world.pay(invoice, amountMinor);
    }
    expect(await handleOf(invoice).result()).toBe('PAID');
    return told(theatre, invoice);
  }

  /**
   * Runs the same in real time, where a day lasts `dayMs`. Returns null if a payment came too late for the events that it must
   * precede, because then the load of the machine decides which events are sent.
   */
  async function livedInDaysOf(dayMs: number, first: PlainDate): Promise<string[] | null> {
    const clock = { startMs: Date.now(), dayMs };
    const calendar = quickCalendar(first, clock);
    const quick = await openInvoiceTheatre({ calendar });
    try {
      clock.startMs = Date.now() + 500;
      const invoice = await quick.world.bill(startedOn(first));
      await quick.tell(invoice, 'issued');
      for (const { day, amountMinor, overdue, dueDate } of paidOn(invoice)) {
        await sleep(Math.max(0, calendar.morningOf(day).getTime() + dayMs / 8 - Date.now()));
        if (overdue) {
          // This payment must follow the reminder, even on a machine that is busy for longer than a quick day.
          await until(async () => (await told(quick, invoice)).at(-1)?.includes(` ${dueDate} 10 `) === true);
        }
        await quick.world.pay(invoice, amountMinor);
        // The next reminder: five days before this due date, or before the next one.
        const before = calendar.startOf(addDays(dueDate, overdue ? 23 : -5));
        if (Date.now() >= before.getTime()) {
          return null;
        }
      }
      expect(await quick.handleOf(invoice).result()).toBe('PAID');
      return await told(quick, invoice);
    } finally {
      await quick.close();
    }
  }

  async function lived(first: PlainDate): Promise<string[]> {
    for (const dayMs of [250, 500, 1_000, 2_000]) {
      const lines = await livedInDaysOf(dayMs, first);
      if (lines !== null) {
        return lines;
      }
    }
    throw new Error('This machine was late for a payment although a day lasted two seconds.');
  }

  // A test cannot wait for months. Skipped time must produce the same events as real time.
  longTest(
    'tells on skipped time what it tells on the wall clock, to its end',
    async () => {
      const first = today();
      const [quickly, patiently] = await Promise.all([skipped(first), lived(first)]);
      expect(quickly).toEqual(patiently);
      expect(quickly).toHaveLength(1 + 2 * 3 + 1);
      expect(quickly.at(-1)).toMatch(/^8 invoice\.paid, paid 120012$/);
      expect(quickly.filter((line) => line.includes('invoice.overdue'))).toHaveLength(2);
    },
    900_000,
  );
});

describe('an invoice that runs', () => {
  test('says in words what is due and what comes next, and ends when it is paid', async () => {
    const invoice = await theatre.world.bill({ dueDate: addDays(today(), 30), reminders: { beforeDays: [3] } });
    await theatre.tell(invoice, 'issued');
    await until(async () => (await details(invoice)).startsWith('ISSUED'));
    expect(await details(invoice)).toMatch(
      /^ISSUED: 100\.00 BDT of 100\.00 BDT is due, the next installment on \d{4}-\d\d-\d\d\. Next notice at \d{4}-\d\d-\d\d 03:00 UTC\.$/,
    );
    const { staticSummary } = (await theatre.handleOf(invoice).describe()) as { staticSummary?: () => Promise<string> };
    expect(await staticSummary?.()).toBe(
      `Invoice INV-${String(invoice.number).padStart(6, '0')}: 100.00 BDT for Shop (TEST)`,
    );
    await theatre.world.pay(invoice, 10_000n);
    expect(await theatre.handleOf(invoice).result()).toBe('PAID');
    expect(await details(invoice)).toBe('Ended: PAID.');
  });

  test('takes up new due dates before their change is answered', async () => {
    const invoice = await theatre.world.bill({ dueDate: addDays(today(), 30) });
    await theatre.tell(invoice, 'issued');
    const later = addDays(today(), 90);
    await theatre.world.changeDueDates(invoice, { dueDate: later });
    const progress = await theatre.handleOf(invoice).query(invoiceProgressQuery);
    expect(progress.nextNoticeAt).toBe(theatre.world.deps.calendar.startOf(addDays(later, 1)).toISOString());
    await theatre.world.void(invoice);
    expect(await theatre.handleOf(invoice).result()).toBe('VOID');
  });

  test('is silent while it is paused, and goes on when it is resumed', async () => {
    const { world, temporal, handleOf } = theatre;
    const invoice = await world.bill({ dueDate: addDays(today(), 10) });
    await theatre.tell(invoice, 'issued');
    await world.pause(invoice, true);
    await until(async () => (await details(invoice)).includes('Paused'));
    const { workflowId } = handleOf(invoice);
    await advanceWorkflow(temporal, { workflowId, byMs: 20 * DAY_MS });
    expect((await told(theatre, invoice)).slice(1)).toEqual([]);
    await world.pause(invoice, false);
    await until(async () => (await told(theatre, invoice)).length === 2);
    expect((await told(theatre, invoice)).slice(1)).toEqual([
      `2 invoice.overdue ${invoice.dueDate ?? ''} 1 10000, paid 0`,
    ]);
  });

  // A signal sent by hand must change nothing by itself.
  test('believes its row, whatever it is told', async () => {
    const invoice = await theatre.world.bill();
    await theatre.tell(invoice, 'voided');
    await theatre.tell(invoice, 'paid');
    await until(async () => (await details(invoice)).startsWith('ISSUED'));
    expect((await theatre.handleOf(invoice).describe()).status.name).toBe('RUNNING');
    expect((await theatre.world.read(invoice)).status).toBe('ISSUED');
  });

  test('runs again when a refund makes it due again, until that is paid', async () => {
    const { world, handleOf } = theatre;
    const invoice = await world.bill();
    await theatre.tell(invoice, 'issued');
    const payment = await world.pay(invoice, 10_000n);
    expect(await handleOf(invoice).result()).toBe('PAID');
    await world.refund(payment, 2_500n);
    await until(async () => (await details(invoice)).startsWith('PARTIALLY_PAID: 25.00 BDT of 100.00 BDT is due'));
    await world.pay(invoice, 2_500n);
    expect(await handleOf(invoice).result()).toBe('PAID');
  });

  // After a click in the Temporal UI or a restore, the row must bring the workflow back.
  test('that was terminated is started again by the sweeper, and tells what it missed once', async () => {
    const { world, handleOf } = theatre;
    const invoice = await world.bill({ dueDate: addDays(today(), -3) });
    await theatre.tell(invoice, 'issued');
    await until(async () => (await told(theatre, invoice)).length === 2);
    // Waits until the workflow is idle, so that no step still writes when the row is checked next.
    await until(async () => (await details(invoice)).startsWith('OVERDUE'));
    await handleOf(invoice).terminate('by hand');
    await world.rows('update invoices set next_sweep_at = now() where id = ? returning 1', [invoice.id]);
    const { sweep } = createSweepActivities(world.deps);
    // The sweeper finds either the row that is due or the workflow that was terminated, whichever it checks first.
    const { invoicesNotified = 0, paymentsStarted = 0 } = (await sweep()).actions;
    expect(invoicesNotified + paymentsStarted).toBeGreaterThanOrEqual(1);
    await until(async () => (await handleOf(invoice).describe()).status.name === 'RUNNING');
    await until(async () => (await details(invoice)).startsWith('OVERDUE'));
    expect(await told(theatre, invoice)).toHaveLength(2);
  });
});

describe('a schedule of years', () => {
  const runsOf = async (invoice: InvoiceRecord): Promise<number[]> => {
    const lengths: number[] = [];
    const query = `WorkflowId = '${theatre.handleOf(invoice).workflowId}'`;
    for await (const { historyLength } of theatre.temporal.client.workflow.list({ query })) {
      lengths.push(Number(historyLength));
    }
    return lengths;
  };

  // Histories end at 51,200 events. Ten years of monthly installments with the most possible reminders are 1,320 notices.
  test('costs a few events for each notice', async () => {
    const { world, skipping, handleOf } = theatre;
    const invoice = await world.bill({
      plan: { count: 20, every: 'MONTH', firstDueDate: addDays(today(), 10) },
      reminders: { beforeDays: [5], overdueDays: [7] },
    });
    await theatre.tell(invoice, 'issued', skipping.dispatch);
    for (let tries = 0; tries < 200 && (await world.events(invoice)).length < 61; tries += 1) {
      await sleep(200);
    }
    await sleep(500);
    const { historyLength } = await handleOf(invoice).describe();
    expect((await world.events(invoice)).length).toBe(61);
    expect(historyLength / 60).toBeLessThan(10);
    expect((historyLength / 60) * 1_320).toBeLessThan(51_200 / 2);
  });

  // However often it is signalled, it must continue in a new history without losing state.
  test('goes on in a new history when one has become long', async () => {
    const { world, handleOf } = theatre;
    const invoice = await world.bill({ dueDate: addDays(today(), 10) });
    await theatre.tell(invoice, 'issued');
    // With a hundred signals waiting for one workflow task, the server fails that task. Real senders are not that fast.
    for (let batches = 0; batches < 200 && (await runsOf(invoice)).length < 2; batches += 1) {
      await Promise.all(Array.from({ length: 50 }, () => theatre.tell(invoice, 'swept')));
      // The query returns once the worker has caught up. A run that is signalled without a pause has no time to continue as new.
      await handleOf(invoice).query(invoiceProgressQuery);
      await sleep(120);
    }
    expect((await runsOf(invoice)).length).toBeGreaterThanOrEqual(2);
    await world.pay(invoice, 10_000n);
    expect(await handleOf(invoice).result()).toBe('PAID');
    expect((await told(theatre, invoice)).map((line) => line.split(',')[0])).toEqual([
      '1 invoice.issued',
      '2 invoice.paid',
    ]);
  });
});
