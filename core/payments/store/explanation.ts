import { readNowOf } from '../../../database/clock.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { GatewayCallback, UnappliedPayment, PaymentAttempt, type Payment } from '../../../database/entities/payment.ts';
import { Decision, Refund } from '../../../database/entities/refund.ts';
import { WebhookEvent } from '../../../database/entities/webhook.ts';
import { explain, type Situation } from '../../../domain/explanation.ts';

export interface TimelineEntry {
  readonly at: Date;
  readonly event: string;
  readonly detail: string | null;
}

const ROWS_MAX = 50;

/** Returns a payment's state in words and its timeline. Application, operator and support see the same text. */
export async function explainPayment(
  em: EntityManager,
  payment: Payment,
): Promise<Situation & { readonly timeline: readonly TimelineEntry[] }> {
  const unconsumed = await em.count(GatewayCallback, { paymentId: payment.id, consumedAt: null });
  const late = await em.find(UnappliedPayment, { paymentId: payment.id }, { fields: ['status'], limit: ROWS_MAX });
  const became = new Set(late.map(({ status }) => status));
  const situation = explain({
    status: payment.status,
    expiresAt: payment.expiresAt,
    now: await readNowOf(em, payment.id),
    reviewReason: payment.reviewReason ?? null,
    failureCode: payment.failureCode ?? null,
    asking: unconsumed > 0 || payment.cancelRequestedAt instanceof Date,
    heldLate: became.has('HELD'),
    unappliedMoney: (['REFUNDING', 'KEPT', 'REFUNDED'] as const).find((status) => became.has(status)) ?? null,
    choosing: typeof payment.gateway !== 'string',
  });
  return { ...situation, timeline: await timelineOf(em, payment) };
}

/** Returns everything stored about a payment's course, in order of time. Contains only codes and counts, no callback bodies and no payer data. */
async function timelineOf(em: EntityManager, payment: Payment): Promise<TimelineEntry[]> {
  const paymentId = payment.id;
  const page = { orderBy: { id: 'asc' }, limit: ROWS_MAX } as const;
  const attempts = await em.find(PaymentAttempt, { paymentId }, page);
  const callbacks = await em.find(GatewayCallback, { paymentId }, page);
  const late = await em.find(UnappliedPayment, { paymentId }, page);
  const events = await em.find(WebhookEvent, { paymentId }, page);
  const refunds = await em.find(Refund, { paymentId }, page);
  const decisions = await em.find(Decision, { paymentId }, page);
  const entries: (TimelineEntry | null)[] = [
    { at: payment.createdAt, event: 'payment created', detail: null },
    ...attempts.flatMap((attempt) => [
      { at: attempt.createdAt, event: `attempt ${attempt.number} created`, detail: attempt.gateway },
      at(attempt.openedAt, `attempt ${attempt.number}: checkout opened`),
      at(attempt.supersededAt, `attempt ${attempt.number}: replaced, the payer chose another gateway`),
      at(attempt.confirmedAt, `attempt ${attempt.number}: charge confirmed by the gateway`),
      attempt.status === 'FAILED' || attempt.status === 'CANCELLED'
        ? at(attempt.updatedAt, `attempt ${attempt.number} ended without a charge`, attempt.status)
        : null,
      attempt.failureCode === null
        ? null
        : at(attempt.updatedAt, `attempt ${attempt.number} refused`, attempt.failureCode ?? null),
    ]),
    ...callbacks.map((callback) => ({
      at: callback.createdAt,
      event: `callback received (${callback.kind})`,
      detail: `${callback.outcome}${callback.repeats > 0 ? `, repeated ${callback.repeats} times` : ''}`,
    })),
    at(payment.cancelRequestedAt, 'cancellation requested by the payer'),
    at(payment.reviewSince, 'put under review', payment.reviewReason ?? null),
    at(payment.endedAt, `ended: ${payment.status}`, payment.failureCode ?? null),
    ...late.map(({ createdAt, status }) => ({
      at: createdAt,
      event: 'unapplied payment posted to suspense',
      detail: status,
    })),
    ...refunds.flatMap((refund) => [
      {
        at: refund.createdAt,
        event: `refund ${refund.id} created`,
        detail: `${refund.amountMinor} ${refund.currency}`,
      },
      at(refund.acceptedAt, `refund ${refund.id} accepted by the gateway`),
      at(refund.reviewSince, `refund ${refund.id} put under review`, refund.reviewReason ?? null),
      at(refund.endedAt, `refund ${refund.id} ended: ${refund.status}`, refund.failureCode ?? null),
    ]),
    ...decisions.map(({ createdAt, kind, decision, outcome }) => ({
      at: createdAt,
      event: `an operator decided (${kind}): ${decision}`,
      detail: outcome ?? null,
    })),
    ...events.flatMap((event) => [
      { at: event.createdAt, event: `event ${event.type} recorded`, detail: event.eventId },
      at(event.deliveredAt, `event ${event.type} delivered`, `attempt ${event.attempts}`),
    ]),
  ];
  return entries.filter((entry) => entry !== null).sort((a, b) => a.at.getTime() - b.at.getTime());
}

function at(moment: Date | null | undefined, event: string, detail: string | null = null): TimelineEntry | null {
  return moment instanceof Date ? { at: moment, event, detail } : null;
}
