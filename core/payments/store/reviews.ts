import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { OPEN_STATUSES, type ReviewReason } from '../../../domain/payment.ts';

interface Review {
  readonly reference: string;
  readonly reason: ReviewReason;
}

const NOTE_REVIEW = statement((db, $: Given<Review>) =>
  db
    .updateTable('payments')
    .set({ reviewReason: $('reason'), reviewSince: now, status: 'PENDING', updatedAt: now })
    .where('reference', '=', $('reference'))
    .where('status', 'in', OPEN_STATUSES)
    .where('reviewReason', 'is', null)
    .returning('id'),
);

/** Puts an open payment under review. Returns false if it was already, or has ended. */
export async function noteReview(statements: Statements, review: Review): Promise<boolean> {
  return (await NOTE_REVIEW.first(statements, review)) !== undefined;
}

const ID_OF = statement((db, $: Given<{ reference: string }>) =>
  db.selectFrom('payments').select('id').where('reference', '=', $('reference')),
);

export async function paymentExists(statements: Statements, reference: string): Promise<boolean> {
  return (await ID_OF.first(statements, { reference })) !== undefined;
}

const ATTEMPTS_WITH_MONEY = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom('payment_attempts as t')
    .innerJoin('applications as a', 'a.id', 't.applicationId')
    .select(['t.reference as attemptReference', 'a.name as applicationName'])
    .where('t.paymentId', '=', (eb) => eb.selectFrom('payments').select('id').where('reference', '=', $('reference')))
    .where('t.status', 'in', ['CREATED', 'OPEN', 'UNKNOWN', 'CONFIRMED'])
    .orderBy('t.number'),
);

export type AttemptWithMoney = RowOf<typeof ATTEMPTS_WITH_MONEY>;

/** Returns the attempts of a payment that may hold money: all that have not ended without a charge, oldest first. */
export function attemptsWithMoney(statements: Statements, reference: string): Promise<AttemptWithMoney[]> {
  return ATTEMPTS_WITH_MONEY.all(statements, { reference });
}
