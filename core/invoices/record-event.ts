import { recordInvoiceEvent } from './store/invoice-events.ts';
import type { InvoiceRecord } from './store/invoices.ts';
import type { Statements } from '../../database/statements.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { FollowUp } from '../follow-up.ts';

/** Records an event of an invoice. Returns the follow-up that starts its delivery, or none if there is no event to send or it is parked. */
export async function recordAndDeliver(
  { dispatch }: CoreDependencies,
  statements: Statements,
  invoice: InvoiceRecord,
  event: Parameters<typeof recordInvoiceEvent>[2],
): Promise<FollowUp[]> {
  const recorded = await recordInvoiceEvent(statements, invoice, event);
  if (recorded === null || recorded.parked) {
    return [];
  }
  const { eventId } = recorded;
  const { applicationId, mode, reference } = invoice;
  const delivery = { eventId, applicationId, mode, type: event.type, reference };
  return [{ what: 'delivery', about: { event: eventId }, start: () => dispatch.startDelivery(delivery) }];
}
