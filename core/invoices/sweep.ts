import type { CoreDependencies } from '../dependencies.ts';
import type { InvoiceHandle } from '../dispatch.ts';
import { attempt, BATCH_MAX, type Sweep } from '../sweep/engine.ts';
import { readOpenInvoices, takeDueInvoices } from './store/due.ts';

/**
 * Notifies the workflows of invoices that have not read a change, or that should have sent a notice by now. A workflow that is not running is
 * started.
 */
export function dueInvoices(deps: CoreDependencies): Sweep<InvoiceHandle> {
  return {
    due: (em) => takeDueInvoices(em, BATCH_MAX),
    drive: (invoice) => notify(deps, invoice),
  };
}

export async function resumeEndedInvoices(deps: CoreDependencies, references: readonly string[]): Promise<number> {
  if (references.length === 0) {
    return 0;
  }
  const invoices = await deps.database.withSystem((em) => readOpenInvoices(em, references));
  for (const invoice of invoices) {
    await notify(deps, invoice);
  }
  return invoices.length;
}

function notify(deps: CoreDependencies, invoice: InvoiceHandle): Promise<boolean> {
  return attempt(deps, { invoice: invoice.reference, what: 'invoice not signalled' }, () =>
    deps.dispatch.notifyInvoice(invoice, 'swept'),
  );
}
