import type { Scope } from '../../database/connection.ts';
import { recordInvoiceEvent } from './record-event.ts';
import { voidInvoice } from './store/invoice-changes.ts';
import { lockInvoice, type InvoiceRecord } from './store/invoices.ts';
import { openPaymentsOf } from './store/payments-of-invoice.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { invoiceEventView, invoiceView } from '../../domain/invoice-view.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { issue, recordChange, type ChangedInvoice } from './issue.ts';

export interface InvoiceToChange {
  readonly scope: Scope;
  readonly applicationName: string;
  readonly invoiceId: bigint;
}

/**
 * Issues a draft. Returns an invoice that is already issued unchanged, because its number is assigned only once.
 * @throws DomainError RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE
 */
export function issueKnown(deps: CoreDependencies, of: InvoiceToChange): Promise<InvoiceRecord> {
  return changeInvoice(deps, of, async (statements, invoice) => {
    if (invoice.status === 'VOID') {
      throw new DomainError('INVALID_OPERATION_STATE', 'the invoice is void');
    }
    return invoice.status === 'DRAFT' ? issue(deps, statements, invoice) : null;
  });
}

/**
 * Voids an invoice if nothing is paid and no payment is in progress, because money must not arrive for a void invoice. Returns one that is already
 * void unchanged.
 * @throws DomainError RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE
 */
export function voidKnown(deps: CoreDependencies, of: InvoiceToChange): Promise<InvoiceRecord> {
  return changeInvoice(deps, of, async (statements, invoice) => {
    if (invoice.status === 'VOID') {
      return null;
    }
    if (invoice.status === 'DRAFT') {
      throw new DomainError('INVALID_OPERATION_STATE', 'a draft cannot be voided: delete it instead');
    }
    if (invoice.paidMinor > 0n) {
      throw new DomainError('INVALID_OPERATION_STATE', 'part of the invoice has been paid; refund it first');
    }
    const [open] = await openPaymentsOf(statements, invoice.id);
    if (open !== undefined) {
      const until = open.expiresAt.toISOString();
      throw new DomainError(
        'INVALID_OPERATION_STATE',
        `a payment of the invoice is in progress; it expires at ${until}`,
      );
    }
    const voided = await voidInvoice(statements, invoice, { expired: false });
    const today = deps.calendar.today(voided.readAt);
    const type = 'invoice.voided';
    const event = await recordInvoiceEvent(statements, voided, {
      type,
      sequence: voided.eventSequence,
      data: invoiceEventView(invoiceView(voided, { webUrl: deps.webUrl, today, payments: [] })),
    });
    return { invoice: voided, change: 'voided', event: event === null ? null : { ...event, type } };
  });
}

/** Returns null to leave the invoice unchanged. */
type Change = (statements: Statements, invoice: InvoiceRecord) => Promise<ChangedInvoice | null>;

/** Changes a locked invoice in one transaction, then notifies its workflow and starts the delivery of its event. */
export async function changeInvoice(deps: CoreDependencies, of: InvoiceToChange, work: Change): Promise<InvoiceRecord> {
  const { before, changed } = await deps.database.inTransaction(of.scope, async (statements) => {
    const invoice = await lockOrMiss(statements, of);
    return { before: invoice, changed: await work(statements, invoice) };
  });
  if (changed !== null) {
    await recordChange(deps, of.applicationName, changed);
  }
  return changed?.invoice ?? before;
}

/** @throws DomainError RESOURCE_NOT_FOUND */
export async function lockOrMiss(
  statements: Statements,
  { scope, invoiceId }: Pick<InvoiceToChange, 'scope' | 'invoiceId'>,
): Promise<InvoiceRecord> {
  const invoice = await lockInvoice(statements, scope, invoiceId);
  if (invoice === null) {
    throw notFound('invoice');
  }
  return invoice;
}
