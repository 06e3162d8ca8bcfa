import { readNowOf } from '../../../database/clock.ts';
import type { Payment } from '../../../database/entities/payment.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { explain, type Situation } from '../../../domain/explanation.ts';

export interface TimelineEntry {
  readonly at: Date;
  readonly event: string;
  readonly detail: string | null;
}

/** What the explanation needs of a payment's row. */
type Explained = Pick<
  Payment,
  | 'id'
  | 'status'
  | 'gateway'
  | 'expiresAt'
  | 'reviewReason'
  | 'reviewSince'
  | 'failureCode'
  | 'cancelRequestedAt'
  | 'createdAt'
  | 'endedAt'
>;

const ROWS_MAX = 50;

interface OfPayment {
  readonly paymentId: bigint;
}

const ATTEMPTS = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('payment_attempts')
    .select([
      'number',
      'gateway',
      'status',
      'failureCode',
      'createdAt',
      'updatedAt',
      'openedAt',
      'supersededAt',
      'confirmedAt',
    ])
    .where('paymentId', '=', $('paymentId'))
    .orderBy('id')
    .limit(ROWS_MAX),
);

const CALLBACKS = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('gateway_callbacks')
    .select(['kind', 'outcome', 'repeats', 'createdAt'])
    .where('paymentId', '=', $('paymentId'))
    .orderBy('id')
    .limit(ROWS_MAX),
);

const UNCONSUMED = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('gateway_callbacks')
    .select('id')
    .where('paymentId', '=', $('paymentId'))
    .where('consumedAt', 'is', null)
    .limit(1),
);

const UNAPPLIED = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('unapplied_payments')
    .select(['status', 'createdAt'])
    .where('paymentId', '=', $('paymentId'))
    .orderBy('id')
    .limit(ROWS_MAX),
);

const EVENTS = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('webhook_events')
    .select(['type', 'eventId', 'attempts', 'createdAt', 'deliveredAt'])
    .where('paymentId', '=', $('paymentId'))
    .orderBy('id')
    .limit(ROWS_MAX),
);

const REFUNDS = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('refunds')
    .select([
      'id',
      'amountMinor',
      'currency',
      'status',
      'reviewReason',
      'failureCode',
      'createdAt',
      'acceptedAt',
      'reviewSince',
      'endedAt',
    ])
    .where('paymentId', '=', $('paymentId'))
    .orderBy('id')
    .limit(ROWS_MAX),
);

const DECISIONS = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('decisions')
    .select(['kind', 'decision', 'outcome', 'createdAt'])
    .where('paymentId', '=', $('paymentId'))
    .orderBy('id')
    .limit(ROWS_MAX),
);

/** Returns a payment's state in words and its timeline. Application, operator and support see the same text. */
export async function explainPayment(
  statements: Statements,
  payment: Explained,
): Promise<Situation & { readonly timeline: readonly TimelineEntry[] }> {
  const ofPayment = { paymentId: payment.id };
  const unconsumed = await UNCONSUMED.first(statements, ofPayment);
  const unapplied = await UNAPPLIED.all(statements, ofPayment);
  const became = new Set(unapplied.map(({ status }) => status));
  const situation = explain({
    status: payment.status,
    expiresAt: payment.expiresAt,
    now: await readNowOf(statements, payment.id),
    reviewReason: payment.reviewReason ?? null,
    failureCode: payment.failureCode ?? null,
    asking: unconsumed !== undefined || payment.cancelRequestedAt instanceof Date,
    heldLate: became.has('HELD'),
    unappliedMoney: (['REFUNDING', 'KEPT', 'REFUNDED'] as const).find((status) => became.has(status)) ?? null,
    choosing: typeof payment.gateway !== 'string',
  });
  return { ...situation, timeline: await timelineOf(statements, payment, unapplied) };
}

/** Returns everything stored about a payment's course, in order of time. Contains only codes and counts, no callback bodies and no payer data. */
async function timelineOf(
  statements: Statements,
  payment: Explained,
  unapplied: readonly RowOf<typeof UNAPPLIED>[],
): Promise<TimelineEntry[]> {
  const ofPayment = { paymentId: payment.id };
  const attempts = await ATTEMPTS.all(statements, ofPayment);
  const callbacks = await CALLBACKS.all(statements, ofPayment);
  const events = await EVENTS.all(statements, ofPayment);
  const refunds = await REFUNDS.all(statements, ofPayment);
  const decisions = await DECISIONS.all(statements, ofPayment);
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
    ...unapplied.map(({ createdAt, status }) => ({
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
