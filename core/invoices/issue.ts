import { issueDraft } from './store/issue-draft.ts';
import type { InvoiceRecord } from './store/invoices.ts';
import type { Statements } from '../../database/statements.ts';
import { contractOf } from '../contracts/contracts.ts';
import type { RecordedEvent } from '../webhooks/store/events.ts';
import { DomainError } from '../../domain/errors.ts';
import { nextDueDateOf, isPastExpiry } from '../../domain/invoice-due.ts';
import { invoiceEventView, invoiceView, NUMBER_TO_COME } from '../../domain/invoice-view.ts';
import { invoiceHandleOf } from '../dispatch.ts';
import type { InvoiceChange } from '../../workflows/messages/invoice.ts';
import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';

/** A change of an invoice, to be announced after its transaction commits. */
export interface ChangedInvoice {
  readonly invoice: InvoiceRecord;
  readonly change: InvoiceChange;
  /** Null when nothing is published. */
  readonly event: (RecordedEvent & { readonly type: string }) | null;
}

/**
 * Gives a draft its number. Must be the last statement of the caller's transaction, which holds the draft's lock.
 * @throws DomainError INVALID_OPERATION_STATE for an invoice that would have expired already
 */
export async function issue(
  deps: CoreDependencies,
  statements: Statements,
  draft: InvoiceRecord,
): Promise<ChangedInvoice> {
  const issuedAt = draft.readAt;
  if (isPastExpiry(draft, issuedAt)) {
    throw new DomainError('INVALID_OPERATION_STATE', 'the expiry of the invoice has passed');
  }
  const today = deps.calendar.today(issuedAt);
  const eventSequence = draft.eventSequence + 1;
  const issued = { ...draft, status: 'ISSUED' as const, issuedAt, updatedAt: issuedAt, eventSequence };
  const nextDueDate = nextDueDateOf(issued, today);
  const view = invoiceView({ ...issued, nextDueDate }, { webUrl: deps.webUrl, today, payments: [] });
  const { number, event } = await issueDraft(statements, {
    scope: draft,
    invoiceId: draft.id,
    reference: draft.reference,
    issuedAt,
    nextDueDate,
    eventSequence,
    data: { ...invoiceEventView(view), number: NUMBER_TO_COME },
    publishes: contractOf(draft.contract).events.invoiceIssued,
  });
  return {
    invoice: { ...issued, nextDueDate, number },
    change: 'issued',
    event: event === null ? null : { ...event, type: 'invoice.issued' },
  };
}

/** Wakes or starts the invoice's workflow and the delivery of the event. The sweeper repeats what fails here. */
export async function recordChange(
  deps: CoreDependencies,
  applicationName: string,
  { invoice, change, event }: ChangedInvoice,
): Promise<void> {
  const { applicationId, mode, reference } = invoice;
  const warn = (error: unknown): void => {
    deps.log.warn(
      { invoice: reference, error: describeError(error) },
      'invoice change not signalled; the sweeper retries',
    );
  };
  await deps.dispatch.notifyInvoice(invoiceHandleOf(invoice, applicationName), change).catch(warn);
  if (event !== null && !event.parked) {
    const { eventId, type, first } = event;
    await deps.deliveries.begin({ eventId, applicationId, mode, type, reference, first }).catch(warn);
  }
}
