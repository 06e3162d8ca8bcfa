import type { History } from '@temporalio/common/lib/proto-utils.js';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import { addDays } from '../../domain/plain-date.ts';
import { advanceWorkflow } from '../support/temporal.ts';
import { openInvoiceTheatre, type InvoiceTheatre } from '../workflows/staged-invoices.ts';
import { until } from '../support/until.ts';

const DAY_MS = 86_400_000;

/** Opens a recorder in which the first attempt to send an email finds no server. */
export function openInvoiceRecorder(): Promise<InvoiceTheatre> {
  let tries = 0;
  return openInvoiceTheatre({
    mailer: {
      send: () => Promise.resolve((tries += 1) === 1 ? { kind: 'unavailable', code: 'timeout' } : { kind: 'sent' }),
      close: () => undefined,
    },
  });
}

async function begun(
  theatre: InvoiceTheatre,
  ...terms: Parameters<InvoiceTheatre['world']['bill']>
): Promise<InvoiceRecord> {
  const invoice = await theatre.world.bill(...terms);
  await theatre.tell(invoice, 'issued');
  await until(async () => (await details(theatre, invoice)) !== '');
  return invoice;
}

async function details({ handleOf }: InvoiceTheatre, invoice: InvoiceRecord): Promise<string> {
  const said = await handleOf(invoice).query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return said.currentDetails ?? '';
}

async function ended({ handleOf }: InvoiceTheatre, invoice: InvoiceRecord): Promise<History> {
  await handleOf(invoice).result();
  return handleOf(invoice).fetchHistory();
}

const day = ({ world }: InvoiceTheatre, offset: number): string =>
  addDays(world.deps.calendar.today(new Date()), offset);

/** One run for each path that an invoice's workflow can take. */
export const INVOICE_BRANCHES: Readonly<Record<string, (theatre: InvoiceTheatre) => Promise<History>>> = {
  async 'invoice-paid'(theatre) {
    const invoice = await begun(theatre, {});
    await theatre.world.pay(invoice, 10_000n);
    return ended(theatre, invoice);
  },
  async 'invoice-paid-by-installments'(theatre) {
    const invoice = await begun(theatre, {
      installments: [
        { dueDate: day(theatre, 5), amountMinor: 4_000 },
        { dueDate: day(theatre, 40), amountMinor: 6_000 },
      ],
      reminders: { beforeDays: [2], overdueDays: [3] },
    });
    const { workflowId } = theatre.handleOf(invoice);
    await advanceWorkflow(theatre.temporal, { workflowId, byMs: 4 * DAY_MS });
    await theatre.world.pay(invoice, 4_000n);
    await advanceWorkflow(theatre.temporal, { workflowId, byMs: 41 * DAY_MS });
    await theatre.world.pay(invoice, 6_000n);
    return ended(theatre, invoice);
  },
  async 'invoice-email-at-second-try'(theatre) {
    const invoice = await begun(theatre, {
      customerEmail: 'jane@example.com',
      dueDate: day(theatre, -3),
      reminders: { overdueDays: [2] },
    });
    await theatre.world.rows(
      `update invoice_notices set email_due_at = now() where email_status = 'PENDING' returning 1`,
    );
    await advanceWorkflow(theatre.temporal, { workflowId: theatre.handleOf(invoice).workflowId, byMs: 120_000 });
    await sleep(500);
    await theatre.world.pay(invoice, 10_000n);
    return ended(theatre, invoice);
  },
  async 'invoice-paused-and-rescheduled'(theatre) {
    const invoice = await begun(theatre, { dueDate: day(theatre, 5) });
    await theatre.world.pause(invoice, true);
    await until(async () => (await details(theatre, invoice)).includes('Paused'));
    await theatre.world.pause(invoice, false);
    await until(async () => (await details(theatre, invoice)).includes('Next notice'));
    await theatre.world.changeDueDates(invoice, { dueDate: day(theatre, 30) });
    await theatre.world.pay(invoice, 10_000n);
    return ended(theatre, invoice);
  },
  async 'invoice-voided'(theatre) {
    const invoice = await begun(theatre, { dueDate: day(theatre, 5) });
    await theatre.world.void(invoice);
    return ended(theatre, invoice);
  },
  async 'invoice-expired'(theatre) {
    // A payer has begun when the invoice expires. The workflow waits for them, and they do not come back.
    const invoice = await begun(theatre, {}, { expiresAt: new Date(Date.now() + DAY_MS) });
    const payment = await theatre.world.begin(invoice, 10_000n);
    const { workflowId } = theatre.handleOf(invoice);
    await advanceWorkflow(theatre.temporal, { workflowId, byMs: DAY_MS + 60_000 });
    await theatre.world.activities.finalizePayment({ ...payment, status: 'EXPIRED' });
    await advanceWorkflow(theatre.temporal, { workflowId, byMs: DAY_MS });
    return ended(theatre, invoice);
  },
  async 'invoice-reopened'(theatre) {
    const invoice = await begun(theatre, {});
    const payment = await theatre.world.pay(invoice, 10_000n);
    await theatre.handleOf(invoice).result();
    await theatre.world.refund(payment, 2_500n);
    await until(async () => (await details(theatre, invoice)).startsWith('PARTIALLY_PAID'));
    await theatre.world.pay(invoice, 2_500n);
    return ended(theatre, invoice);
  },
};
