import { randomUUID } from 'node:crypto';
import type { PaymentRecord } from '../database/payments.ts';
import { refundedOf, type RefundRecord } from '../database/refunds.ts';
import { subscribedEvents } from '../database/shadhinpay-events.ts';
import { recordEvent, type NewEvent, type RecordedEvent } from '../database/webhooks.ts';
import type { Statements } from '../database/statements.ts';
import { ownpayEvent } from '../domain/ownpay.ts';
import { eventNamed, isNotified, shadhinpayEvent } from '../domain/shadhinpay.ts';

type PaymentEvent = Pick<NewEvent, 'type' | 'sequence' | 'data'> & {
  /** Of an event about a refund. */
  readonly refund?: RefundRecord;
};

/**
 * Writes an event of a payment or of one of its refunds, in the words of the contract in which the payment was made. Null where that contract has
 * no such event: its receivers could not even check the signature of another one's. Null, too, where a business has chosen not to hear it.
 */
export async function recordPaymentEvent(
  statements: Statements,
  payment: PaymentRecord,
  { refund, ...event }: PaymentEvent,
): Promise<RecordedEvent | null> {
  const { applicationId, mode, id: paymentId, contract } = payment;
  const told = await tell(statements, payment, { refund, type: event.type });
  return told === 'not told'
    ? null
    : recordEvent(statements, {
        applicationId,
        mode,
        paymentId,
        ...event,
        ...(told === 'natively' ? {} : { told: { contract, ...told } }),
      });
}

type Told = 'natively' | 'not told' | Omit<NonNullable<NewEvent['told']>, 'contract'>;

async function tell(
  statements: Statements,
  payment: PaymentRecord,
  { refund, type }: { readonly refund: RefundRecord | undefined; readonly type: NewEvent['type'] },
): Promise<Told> {
  switch (payment.contract) {
    case 'ownpay': {
      const payload = ownpayEvent(payment, type);
      return payload === null ? 'not told' : { payload };
    }
    case 'shadhinpay':
      return recordForShadhinpay(statements, payment, { refund, type });
    default:
      return 'natively';
  }
}

async function recordForShadhinpay(
  statements: Statements,
  payment: PaymentRecord,
  { refund, type }: { readonly refund: RefundRecord | undefined; readonly type: NewEvent['type'] },
): Promise<Told> {
  const event = eventNamed(type);
  // Unapplied money was never the payment's, so what becomes of it is nothing that the contract tells.
  const foreign = refund !== undefined && refund.unappliedPaymentId !== null;
  if (event === null || foreign || !isNotified(event, await subscribedEvents(statements, payment.applicationId))) {
    return 'not told';
  }
  const eventId = randomUUID();
  const refunded =
    refund === undefined ? undefined : { ...refund, refundedMinor: await refundedOf(statements, payment.id) };
  const payload = shadhinpayEvent({ eventId, event, occurredAt: new Date(), payment, refund: refunded });
  return { eventId, payload };
}
