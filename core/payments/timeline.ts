import type { Payment } from '../../database/entities/payment.ts';
import { toDecimalText } from '../../domain/money.ts';
import { statusAtEnd } from '../../domain/payment.ts';
import type { Course } from './store/course.ts';

export interface TimelineEntry {
  readonly at: Date;
  readonly event: string;
  readonly detail: string | null;
}

/** What the timeline needs of a payment's row. */
export type TimedPayment = Pick<
  Payment,
  'status' | 'reviewReason' | 'reviewSince' | 'failureCode' | 'cancelRequestedAt' | 'createdAt' | 'endedAt'
>;

/** Returns everything stored about a payment's course, in order of time. Contains only codes and counts, no callback bodies and no payer data. */
export function timelineOf(payment: TimedPayment, course: Course): TimelineEntry[] {
  const entries = [
    { at: payment.createdAt, event: 'payment created', detail: null },
    ...course.attempts.flatMap(attemptEntries),
    ...course.callbacks.map((callback) => ({
      at: callback.createdAt,
      event: `callback received (${callback.kind})`,
      detail: `${callback.outcome}${callback.repeats > 0 ? `, repeated ${callback.repeats} times` : ''}`,
    })),
    at(payment.cancelRequestedAt, 'cancellation requested by the payer'),
    at(payment.reviewSince, 'put under review', payment.reviewReason ?? null),
    at(payment.endedAt, `ended: ${statusAtEnd(payment.status)}`, payment.failureCode ?? null),
    ...course.unapplied.map(({ createdAt, status }) => ({
      at: createdAt,
      event: 'unapplied payment posted to suspense',
      detail: status,
    })),
    ...course.refunds.flatMap(refundEntries),
    ...course.disputes.flatMap(disputeEntries),
    ...course.decisions.flatMap(decisionEntries),
    ...course.events.flatMap((event) => eventEntries(event, course)),
  ];
  return entries.filter((entry) => entry !== null).sort((a, b) => a.at.getTime() - b.at.getTime());
}

type Entries = (TimelineEntry | null)[];

function at(moment: Date | null | undefined, event: string, detail: string | null = null): TimelineEntry | null {
  return moment instanceof Date ? { at: moment, event, detail } : null;
}

function attemptEntries(attempt: Course['attempts'][number]): Entries {
  const { number, gateway, status, failureCode, updatedAt } = attempt;
  return [
    { at: attempt.createdAt, event: `attempt ${number} created`, detail: gateway },
    at(attempt.openedAt, `attempt ${number}: checkout opened`),
    at(attempt.supersededAt, `attempt ${number}: replaced, the payer chose another gateway`),
    at(attempt.confirmedAt, `attempt ${number}: charge confirmed by the gateway`),
    status === 'FAILED' || status === 'CANCELLED'
      ? at(updatedAt, `attempt ${number} ended without a charge`, status)
      : null,
    failureCode === null ? null : at(updatedAt, `attempt ${number} refused`, failureCode),
  ];
}

function refundEntries(refund: Course['refunds'][number]): Entries {
  const { id, status, createdAt, acceptedAt, reviewSince, reviewReason, endedAt, failureCode } = refund;
  return [
    { at: createdAt, event: `refund ${id} created`, detail: `${toDecimalText(refund)} ${refund.currency}` },
    at(acceptedAt, `refund ${id} accepted by the gateway`),
    at(reviewSince, `refund ${id} put under review`, reviewReason),
    at(endedAt, `refund ${id} ended: ${status}`, failureCode),
  ];
}

function disputeEntries(dispute: Course['disputes'][number]): Entries {
  const { id, status, reason, createdAt, endedAt } = dispute;
  return [
    { at: createdAt, event: `dispute ${id} opened`, detail: `${toDecimalText(dispute)} ${dispute.currency}` },
    at(endedAt, `dispute ${id} ended: ${status}`, reason),
  ];
}

function decisionEntries({ kind, decision, outcome, createdAt, secondedAt }: Course['decisions'][number]): Entries {
  return [
    { at: createdAt, event: `an operator decided (${kind}): ${decision}`, detail: outcome },
    at(secondedAt, `a second operator decided the same (${kind}): ${decision}`),
  ];
}

type EventRow = Course['events'][number];
type DeliveryAttempt = Course['deliveryAttempts'][number];

function eventEntries(event: EventRow, { deliveryAttempts }: Course): Entries {
  const { id, type, eventId, deliveryStatus, lastError, createdAt, deliveredAt } = event;
  const attempts = deliveryAttempts.filter(({ webhookEventId }) => webhookEventId === id);
  const isDeliveryKnown = attempts.some(({ error }) => error === null);
  return [
    { at: createdAt, event: `event ${type} recorded`, detail: eventId },
    // The attempts of old deliveries are deleted.
    isDeliveryKnown ? null : at(deliveredAt, `event ${type} delivered`),
    ...attempts.map((attempt) => deliveryEntry(type, attempt)),
    deliveryStatus === 'PARKED' ? at(parkedAt(event, attempts), `event ${type} parked`, lastError) : null,
  ];
}

/** Rows of one transaction have the times of several clocks, and an event is parked after all that led to it. */
function parkedAt({ createdAt, updatedAt }: EventRow, attempts: readonly DeliveryAttempt[]): Date {
  const answers = attempts.map((attempt) => answeredAt(attempt).getTime());
  return new Date(Math.max(createdAt.getTime(), updatedAt.getTime(), ...answers));
}

function answeredAt({ createdAt, durationMs }: DeliveryAttempt): Date {
  return new Date(createdAt.getTime() + durationMs);
}

/** An attempt has an error exactly if it failed. */
function deliveryEntry(type: string, attempt: DeliveryAttempt): TimelineEntry {
  const { number, error } = attempt;
  return error === null
    ? { at: answeredAt(attempt), event: `event ${type} delivered`, detail: `attempt ${number}` }
    : { at: answeredAt(attempt), event: `event ${type}: attempt ${number} failed`, detail: error };
}
