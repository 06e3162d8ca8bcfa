import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { invoiceNumber } from '../../domain/invoice.ts';
import type { InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import type { Calendar } from '../../domain/calendar.ts';
import { addDays, type PlainDate } from '../../domain/plain-date.ts';
import type { Mailer } from '../../runtime/mailer.ts';
import type { Dispatch, InvoiceHandle } from '../../core/dispatch.ts';
import { createDispatch } from '../../temporal/dispatch.ts';
import { WORKFLOWS } from '../../worker/workflow-bundle.ts';
import type { InvoiceChange } from '../../workflows/messages/invoice.ts';
import { TASK_QUEUES, workflowIds } from '../../workflows/messages/names.ts';
import { openInvoiceWorld, type InvoiceWorld } from '../core/invoices/invoice-world.ts';
import { connectTestTemporal, createTestNamespace, type TestTemporal } from '../support/temporal.ts';

/** The invoice workflow on the real server, with the product's own activities on a real Postgres. */
export interface InvoiceTheatre {
  readonly world: InvoiceWorld;
  readonly temporal: TestTemporal;
  /** Workflows that are first signalled through it skip their timers. */
  readonly skipping: { readonly temporal: TestTemporal; readonly dispatch: Dispatch };
  readonly dispatch: Dispatch;
  handleOf(invoice: Pick<InvoiceRecord, 'reference'>): WorkflowHandle;
  tell(invoice: InvoiceRecord, change: InvoiceChange, dispatch?: Dispatch): Promise<void>;
  close(): Promise<void>;
}

export async function openInvoiceTheatre({
  calendar,
  mailer = null,
}: { readonly calendar?: Calendar; readonly mailer?: Mailer | null } = {}): Promise<InvoiceTheatre> {
  // Another file in this process may have installed it.
  try {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
  } catch {
    // Already installed.
  }
  const namespace = await createTestNamespace();
  const temporal = await connectTestTemporal({ timeSkipping: false, namespace });
  const skipping = await connectTestTemporal({ timeSkipping: true, namespace });
  const dispatch = createDispatch(temporal.client);
  const world = await openInvoiceWorld({ dispatch, mailer, ...(calendar === undefined ? {} : { calendar }) });
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace,
    taskQueue: TASK_QUEUES.payments,
    ...WORKFLOWS,
    activities: world.activities,
  });
  const running = worker.run();
  return {
    world,
    temporal,
    skipping: { temporal: skipping, dispatch: createDispatch(skipping.client) },
    dispatch,
    handleOf: ({ reference }) => temporal.client.workflow.getHandle(workflowIds.invoice(reference)),
    tell: (invoice, change, through = dispatch) => through.notifyInvoice(invoiceHandle(invoice), change),
    async close() {
      worker.shutdown();
      await running;
      await temporal.close();
      await skipping.close();
      await world.close();
    },
  };
}

export function invoiceHandle(invoice: InvoiceRecord): InvoiceHandle {
  const { reference, applicationId, mode, totalMinor: amountMinor, currency } = invoice;
  return {
    reference,
    applicationId,
    applicationName: 'Shop',
    mode,
    number: invoiceNumber(invoice),
    amount: { amountMinor, currency },
  };
}

/** Returns a calendar whose days last `dayMs`, with `first` beginning at `startMs`, which may still be moved. */
export function quickCalendar(first: PlainDate, clock: { readonly startMs: number; readonly dayMs: number }): Calendar {
  const { dayMs } = clock;
  const startOf = (date: PlainDate): Date => new Date(clock.startMs + daysBetween(first, date) * dayMs);
  return {
    timeZone: 'UTC',
    today: (at) => addDays(first, Math.floor((at.getTime() - clock.startMs) / dayMs)),
    startOf,
    morningOf: (date) => new Date(startOf(date).getTime() + (9 / 24) * dayMs),
  };
}

function daysBetween(from: PlainDate, to: PlainDate): number {
  return (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000;
}
