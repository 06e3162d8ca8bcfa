import type { Statements } from '../../../database/statements.ts';
import { now } from '../../../database/expressions.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { StatedDisputeStatus } from '../../../domain/dispute.ts';

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

const UNAPPLIED = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('unapplied_payments')
    .select(['status', 'createdAt'])
    .where('paymentId', '=', $('paymentId'))
    .orderBy('id')
    .limit(ROWS_MAX),
);

/** Undelivered events first, so that the limit leaves none of them out before a delivered one. */
const EVENTS = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('webhook_events as e')
    .leftJoin('webhook_endpoints as w', (join) =>
      join.onRef('w.applicationId', '=', 'e.applicationId').onRef('w.mode', '=', 'e.mode'),
    )
    .select([
      'e.id',
      'e.type',
      'e.eventId',
      'e.deliveryStatus',
      'e.attempts',
      'e.lastError',
      'e.nextAttemptAt',
      'e.nextSweepAt',
      'e.createdAt',
      'e.updatedAt',
      'e.deliveredAt',
      'w.url',
      'w.disabledAt',
      'w.circuitOpenUntil',
      now.as('readAt'),
    ])
    .where('e.paymentId', '=', $('paymentId'))
    .orderBy((eb) => eb('e.deliveryStatus', '=', 'DELIVERED'))
    .orderBy('e.id')
    .limit(ROWS_MAX),
);

/** The newest attempts say where an event stands, so the limit leaves out the oldest. */
const DELIVERY_ATTEMPTS = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('webhook_attempts as a')
    .innerJoin('webhook_events as e', 'e.id', 'a.webhookEventId')
    .select(['a.webhookEventId', 'a.number', 'a.error', 'a.durationMs', 'a.createdAt'])
    .where('e.paymentId', '=', $('paymentId'))
    .orderBy('a.createdAt', 'desc')
    .orderBy('a.webhookEventId', 'desc')
    .orderBy('a.number', 'desc')
    .limit(ROWS_MAX),
);

/** Open refunds first, so that the limit leaves none of them out before an ended one. The same holds for decisions. */
const REFUNDS = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('refunds')
    .select([
      'id',
      'unappliedPaymentId',
      'amountMinor',
      'currency',
      'status',
      'reviewReason',
      'failureCode',
      'approvalDueAt',
      'createdAt',
      'acceptedAt',
      'reviewSince',
      'endedAt',
    ])
    .where('paymentId', '=', $('paymentId'))
    .orderBy((eb) => eb.and([eb('endedAt', 'is not', null), eb('reviewReason', 'is', null)]))
    .orderBy('id')
    .limit(ROWS_MAX),
);

const DECISIONS = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('decisions')
    .select(['kind', 'refundId', 'decision', 'needsSecond', 'secondedAt', 'consumedAt', 'outcome', 'createdAt'])
    .where('paymentId', '=', $('paymentId'))
    .orderBy((eb) => eb('consumedAt', 'is not', null))
    .orderBy('id')
    .limit(ROWS_MAX),
);

/** As far as the gateway has confirmed them. Open ones first, as with refunds. */
const DISPUTES = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('disputes')
    .select((eb) => [
      'id',
      eb.ref('status').$castTo<StatedDisputeStatus>().as('status'),
      'reason',
      eb.ref('amountMinor').$notNull().as('amountMinor'),
      eb.ref('currency').$notNull().as('currency'),
      'respondBy',
      'createdAt',
      'endedAt',
    ])
    .where('paymentId', '=', $('paymentId'))
    .where('status', '<>', 'NOTICED')
    .orderBy((eb) => eb('endedAt', 'is not', null))
    .orderBy('id')
    .limit(ROWS_MAX),
);

/** What is stored about the course of a payment, at most 50 rows of each kind. */
export interface Course {
  readonly attempts: readonly RowOf<typeof ATTEMPTS>[];
  readonly callbacks: readonly RowOf<typeof CALLBACKS>[];
  readonly unapplied: readonly RowOf<typeof UNAPPLIED>[];
  readonly refunds: readonly RowOf<typeof REFUNDS>[];
  readonly disputes: readonly RowOf<typeof DISPUTES>[];
  readonly decisions: readonly RowOf<typeof DECISIONS>[];
  readonly events: readonly RowOf<typeof EVENTS>[];
  readonly deliveryAttempts: readonly RowOf<typeof DELIVERY_ATTEMPTS>[];
}

export async function readCourse(statements: Statements, paymentId: bigint): Promise<Course> {
  const ofPayment = { paymentId };
  return {
    attempts: await ATTEMPTS.all(statements, ofPayment),
    callbacks: await CALLBACKS.all(statements, ofPayment),
    unapplied: await UNAPPLIED.all(statements, ofPayment),
    refunds: await REFUNDS.all(statements, ofPayment),
    disputes: await DISPUTES.all(statements, ofPayment),
    decisions: await DECISIONS.all(statements, ofPayment),
    events: await EVENTS.all(statements, ofPayment),
    deliveryAttempts: await DELIVERY_ATTEMPTS.all(statements, ofPayment),
  };
}
