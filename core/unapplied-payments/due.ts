import { later, now } from '../../database/expressions.ts';
import type { Statements } from '../../database/statements.ts';
import { statement, type Given } from '../../database/typed-statements.ts';
import { SWEPT_PAYMENT, sweptPaymentOf, type SweptPayment } from '../payments/store/due.ts';

/** An attempt whose money may belong to no open payment. */
export interface SweptAttempt {
  readonly payment: SweptPayment;
  readonly attemptReference: string;
}

/** An attempt that may still be charged, although nothing will notify us. */
export interface LateAttempt extends SweptAttempt {
  readonly gateway: string;
  /** When its page was opened; null if it was not. */
  readonly openedAt: Date | null;
  /** How often it was queried since it ended. */
  readonly queries: number;
  /** The database's time. */
  readonly readAt: Date;
}

const TAKE_LATE = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('payment_attempts')
        .select('id')
        .where('queryAgainAt', '<=', now)
        .orderBy('queryAgainAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .with('moved', (q) =>
      q
        .updateTable('payment_attempts as t')
        .from('due')
        .set({ queryAgainAt: later('10 minutes') })
        .whereRef('t.id', '=', 'due.id')
        .returning(['t.paymentId', 't.reference', 't.gateway', 't.openedAt', 't.queriedAgain']),
    )
    .selectFrom('moved')
    .innerJoin('payments as p', 'p.id', 'moved.paymentId')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(SWEPT_PAYMENT)
    .select([
      'moved.reference as attemptReference',
      'moved.gateway as attemptGateway',
      'moved.openedAt',
      'moved.queriedAgain',
      now.as('readAt'),
    ]),
);

/** Takes attempts that are due for another query, and postpones the next one by ten minutes. */
export async function takeLateAttempts(statements: Statements, max: number): Promise<LateAttempt[]> {
  return (await TAKE_LATE.all(statements, { max })).map((row) => ({
    payment: sweptPaymentOf(row),
    attemptReference: row.attemptReference,
    gateway: row.attemptGateway,
    openedAt: row.openedAt,
    queries: row.queriedAgain,
    readAt: row.readAt,
  }));
}

const RECORD_LATE_QUERY = statement(
  (db, $: Given<{ attemptReference: string; queries: number; nextAt: Date | null }>) =>
    db
      .updateTable('payment_attempts')
      .set({ queriedAgain: $('queries'), queryAgainAt: $('nextAt') })
      .where('reference', '=', $('attemptReference')),
);

/** Records a query of an ended attempt and when the next one is due; null if there is none. */
export async function recordLateQuery(
  statements: Statements,
  query: { attemptReference: string; queries: number; nextAt: Date | null },
): Promise<void> {
  await RECORD_LATE_QUERY.all(statements, query);
}

const TAKE_HELD = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('unapplied_payments')
        .select('id')
        .where('status', '=', 'HELD')
        .where('nextSweepAt', '<=', now)
        .orderBy('nextSweepAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .with('moved', (q) =>
      q
        .updateTable('unapplied_payments as l')
        .from('due')
        .set({ nextSweepAt: later('10 minutes') })
        .whereRef('l.id', '=', 'due.id')
        .returning(['l.paymentId', 'l.attemptId']),
    )
    .selectFrom('moved')
    .innerJoin('payment_attempts as t', 't.id', 'moved.attemptId')
    .innerJoin('payments as p', 'p.id', 'moved.paymentId')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(SWEPT_PAYMENT)
    .select('t.reference as attemptReference'),
);

/** Takes held money that is due for a check, and postpones its next one by ten minutes. */
export async function takeHeldMoney(statements: Statements, max: number): Promise<SweptAttempt[]> {
  return (await TAKE_HELD.all(statements, { max })).map((row) => ({
    payment: sweptPaymentOf(row),
    attemptReference: row.attemptReference,
  }));
}

const READ_ATTEMPTS = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .selectFrom('payment_attempts as t')
    .innerJoin('payments as p', 'p.id', 't.paymentId')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(SWEPT_PAYMENT)
    .select('t.reference as attemptReference')
    .where('t.reference', '=', (eb) => eb.fn.any($('references'))),
);

export async function readSweptAttempts(
  statements: Statements,
  attemptReferences: readonly string[],
): Promise<SweptAttempt[]> {
  return (await READ_ATTEMPTS.all(statements, { references: attemptReferences })).map((row) => ({
    payment: sweptPaymentOf(row),
    attemptReference: row.attemptReference,
  }));
}
