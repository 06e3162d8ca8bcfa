import type { PaymentRecord } from '../payments/store/payments.ts';
import type { Statements } from '../../database/statements.ts';
import { numberEvents } from '../payments/store/event-numbers.ts';
import { readUnapplied } from './store/unapplied-payments.ts';
import type { RecordedEvent } from '../webhooks/store/events.ts';
import { unappliedView } from '../../domain/unapplied-payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { FollowUp } from '../follow-up.ts';
import { deliveryFollowUps } from '../webhooks/deliveries.ts';
import { recordPaymentEvent } from '../payments/payment-event.ts';

export type UnappliedEventType = `unapplied_payment.${'received' | 'refunded' | 'kept'}`;

export interface UnappliedEvent {
  readonly unappliedPaymentId: bigint;
  readonly type: UnappliedEventType;
}

/**
 * Records an event about unapplied money in the event sequence of its payment, with its state at the end of the caller's transaction. Returns the
 * follow-up that begins the delivery, or none if the payment's contract has no such event.
 */
export async function recordUnapplied(
  deps: CoreDependencies,
  statements: Statements,
  { paymentId, ...event }: UnappliedEvent & { readonly paymentId: bigint },
): Promise<FollowUp[]> {
  const payment = await numberEvents(statements, { paymentId, count: 1 });
  const recorded = await recordUnappliedEvent(statements, payment, { ...event, sequence: payment.eventSequence });
  const { applicationId, mode, reference } = payment;
  return deliveryFollowUps(deps, { applicationId, mode, type: event.type, reference }, recorded);
}

/** Does the same if the caller has already numbered the event. */
export async function recordUnappliedEvent(
  statements: Statements,
  payment: PaymentRecord,
  { unappliedPaymentId, type, sequence }: UnappliedEvent & { readonly sequence: number },
): Promise<RecordedEvent | null> {
  const data = unappliedView(await readUnapplied(statements, unappliedPaymentId), payment);
  return recordPaymentEvent(statements, payment, { type, sequence, data });
}
