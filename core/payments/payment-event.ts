import { randomUUID } from 'node:crypto';
import type { PaymentRecord } from './store/payments.ts';
import { refundedOf, type RefundRecord } from '../refunds/store/refunds.ts';
import { subscribedEvents } from '../contracts/shadhinpay-events.ts';
import { recordEvent, type NewEvent, type RecordedEvent } from '../webhooks/store/webhooks.ts';
import type { Statements } from '../../database/statements.ts';
import { ownpayEvent } from '../../domain/ownpay.ts';
import { eventNamed, isNotified, shadhinpayEvent } from '../../domain/shadhinpay.ts';

type PaymentEvent = Pick<NewEvent, 'type' | 'sequence' | 'data'> & {
  /** Only for an event about a refund. */
  readonly refund?: RefundRecord;
};

/**
 * Records an event of a payment or of one of its refunds in the payment's contract. Returns null if that contract has no such event, since its
 * receivers could not verify another contract's signature, or if the business has not subscribed to it.
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
  // Unapplied money was never part of the payment, and the contract has no events for it.
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
