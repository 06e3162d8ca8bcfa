import { randomUUID } from 'node:crypto';
import { isNotified } from '../../../domain/shadhinpay.ts';
import { invoiceEventNamed, shadhinpayInvoiceEvent } from '../../../domain/shadhinpay-invoice.ts';
import { paymentsOf, type InvoiceRecord } from './invoices.ts';
import { subscribedEvents } from '../../contracts/shadhinpay-events.ts';
import type { Statements } from '../../../database/statements.ts';
import { recordEvent, type NewEvent, type RecordedEvent } from '../../webhooks/store/webhooks.ts';

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
  const of = { applicationId, mode, invoiceId, ...event };
  if (contract === 'native') {
    return recordEvent(statements, of);
  }
  const named = invoiceEventNamed(event.type, invoice);
  if (named === null || !isNotified(named, await subscribedEvents(statements, applicationId))) {
    return null;
  }
  const eventId = randomUUID();
  const payment = (await paymentsOf(statements, invoiceId)).at(-1) ?? null;
  const payload = shadhinpayInvoiceEvent({ eventId, event: named, occurredAt: new Date(), invoice, payment });
  return recordEvent(statements, { ...of, told: { contract, eventId, payload } });
}
