import type { PaymentRecord } from './store/payments.ts';
import { contractOf } from '../contracts/contracts.ts';
import type { RefundRecord } from '../refunds/store/refunds.ts';
import { recordEvent, type NewEvent, type RecordedEvent } from '../webhooks/store/events.ts';
import type { Statements } from '../../database/statements.ts';

type PaymentEvent = Pick<NewEvent, 'type' | 'sequence' | 'data'> & {
  /** Only for an event about a refund. */
  readonly refund?: RefundRecord;
};

/**
 * Returns an event of a payment or of one of its refunds in the payment's contract. Returns null if that contract has no such event, since its
 * receivers could not verify another contract's signature, or if the business has not subscribed to it.
 */
export async function newPaymentEvent(
  statements: Statements,
  payment: PaymentRecord,
  { refund, ...event }: PaymentEvent,
): Promise<NewEvent | null> {
  const { applicationId, mode, id: paymentId } = payment;
  const body = await contractOf(payment.contract).events.ofPayment(statements, { payment, type: event.type, refund });
  return body === null ? null : { applicationId, mode, paymentId, ...event, ...body };
}

/** Records an event as `newPaymentEvent` returns it, or returns null if there is none. */
export async function recordPaymentEvent(
  statements: Statements,
  payment: PaymentRecord,
  about: PaymentEvent,
): Promise<RecordedEvent | null> {
  const event = await newPaymentEvent(statements, payment, about);
  return event === null ? null : recordEvent(statements, event);
}
