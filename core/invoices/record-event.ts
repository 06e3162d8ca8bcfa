import type { InvoiceRecord } from './store/invoices.ts';
import { contractOf } from '../contracts/contracts.ts';
import type { Statements } from '../../database/statements.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { FollowUp } from '../follow-up.ts';
import { deliveryFollowUps } from '../webhooks/deliveries.ts';
import { recordEvent, type NewEvent, type RecordedEvent } from '../webhooks/store/events.ts';

type InvoiceEvent = Pick<NewEvent, 'type' | 'sequence' | 'data'>;

/**
 * Records an event of an invoice in its current state, in the invoice's contract. Returns null if that contract has no such event, or if the business
 * has not subscribed to it.
 */
export async function recordInvoiceEvent(
  statements: Statements,
  invoice: InvoiceRecord,
  event: InvoiceEvent,
): Promise<RecordedEvent | null> {
  const { applicationId, mode, id: invoiceId, contract } = invoice;
  const body = await contractOf(contract).events.ofInvoice(statements, { invoice, type: event.type });
  return body === null ? null : recordEvent(statements, { applicationId, mode, invoiceId, ...event, ...body });
}

/** Records an event of an invoice. Returns the follow-up that begins its delivery, or none if there is no event to send or it is parked. */
export async function recordAndDeliver(
  deps: CoreDependencies,
  statements: Statements,
  invoice: InvoiceRecord,
  event: InvoiceEvent,
): Promise<FollowUp[]> {
  const recorded = await recordInvoiceEvent(statements, invoice, event);
  const { applicationId, mode, reference } = invoice;
  return deliveryFollowUps(deps, { applicationId, mode, type: event.type, reference }, recorded);
}
