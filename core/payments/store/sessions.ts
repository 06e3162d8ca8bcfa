import { sql } from 'kysely';
import { OPEN_STATUSES, type AttemptStatus } from '../../../domain/payment.ts';
import { constantSpan, later, latestOf, now, plus, span, timeOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { AFTER_EXPIRY } from './due.ts';

/** Statuses of an attempt whose session may still have to be opened. */
const UNOPENED = ['CREATED', 'UNKNOWN'] as const satisfies readonly AttemptStatus[];

/** Public references, because ids may belong to other rows if an older database was restored while the gateway was called. */
export interface TriedAttempt {
  readonly payment: string;
  readonly attempt: string;
}

const RECORD_CHOOSING = statement((db, $: Given<{ reference: string }>) =>
  db
    .updateTable('payments')
    .set({ status: 'PENDING', nextSweepAt: AFTER_EXPIRY, updatedAt: now })
    .where('reference', '=', $('reference'))
    .where('status', 'in', OPEN_STATUSES)
    .where('gateway', 'is', null),
);

/** Records that the payer has not chosen a gateway yet, or that the chosen one is unavailable. The page asks for a choice (again). */
export async function recordChoosing(statements: Statements, reference: string): Promise<void> {
  await RECORD_CHOOSING.all(statements, { reference });
}

const RECORD_UNAVAILABLE_CHOICE = statement((db, $: Given<TriedAttempt & { failureCode: string }>) =>
  db
    .with('refused', (q) =>
      q
        .updateTable('payment_attempts')
        .set({ status: 'REFUSED', failureCode: $('failureCode'), supersededAt: now, updatedAt: now })
        .where('reference', '=', $('attempt'))
        .where('supersededAt', 'is', null)
        .where('status', 'in', UNOPENED)
        .where('sessionKey', 'is', null)
        .returning('paymentId'),
    )
    .updateTable('payments as p')
    .from('refused')
    .set({ status: 'PENDING', gateway: null, gatewayRedirectUrl: null, nextSweepAt: AFTER_EXPIRY, updatedAt: now })
    .whereRef('p.id', '=', 'refused.paymentId')
    .where('p.reference', '=', $('payment'))
    .where('p.status', 'in', OPEN_STATUSES),
);

/** Records that the chosen gateway refuses the session for good. The payer chooses again. */
export async function recordUnavailableChoice(
  statements: Statements,
  refused: TriedAttempt & { readonly failureCode: string },
): Promise<void> {
  await RECORD_UNAVAILABLE_CHOICE.all(statements, refused);
}

export interface OpenedSession extends TriedAttempt {
  readonly sessionKey: string;
  /** Null if there is no page but ours. */
  readonly gatewayUrl: string | null;
  /** The least number of minutes that the payer has from now on, even if the payment's own time is shorter. */
  readonly payWithinMinutes: number;
}

const RECORD_SESSION = statement((db, $: Given<OpenedSession>) => {
  const payableUntil = latestOf(
    sql.ref('p.expiresAt'),
    plus(timeOf(sql.ref('p.clockOffset')), span($('payWithinMinutes'), 'minute')),
  );
  return db
    .with('opened', (q) =>
      q
        .updateTable('payment_attempts')
        .set({
          status: 'OPEN',
          sessionKey: $('sessionKey'),
          gatewayUrl: $('gatewayUrl'),
          openedAt: now,
          updatedAt: now,
        })
        .where('reference', '=', $('attempt'))
        // A stalled worker may resume after another one has opened the attempt.
        .where('status', 'in', UNOPENED)
        .where('sessionKey', 'is', null)
        .returning(['paymentId', 'supersededAt']),
    )
    .updateTable('payments as p')
    .from('opened')
    .set({
      status: 'PENDING',
      gatewayRedirectUrl: $('gatewayUrl'),
      expiresAt: payableUntil,
      nextSweepAt: latestOf(later('5 minutes'), plus(payableUntil, constantSpan('1 minute'))),
      updatedAt: now,
    })
    .whereRef('p.id', '=', 'opened.paymentId')
    .where('opened.supersededAt', 'is', null)
    .where('p.reference', '=', $('payment'))
    .where('p.status', 'in', OPEN_STATUSES)
    .returning('p.expiresAt');
});

/**
 * Records an opened session, so that the payer can go there. A payment that has ended in the meantime stays ended, and a payer who has moved on to
 * another attempt is not sent back. Page and session key are written together or not at all: if two workers opened one attempt, the page of the
 * session that is not recorded is never shown, so nobody can pay there. Returns the payment's expiry, or null if another worker was faster.
 */
export async function recordSession(statements: Statements, session: OpenedSession): Promise<Date | null> {
  return (await RECORD_SESSION.first(statements, session))?.expiresAt ?? null;
}

const RECORD_NO_SESSION = statement(
  (db, $: Given<TriedAttempt & { status: 'UNKNOWN' | 'REFUSED'; failureCode: string | null }>) =>
    db
      .with('tried', (q) =>
        q
          .updateTable('payment_attempts')
          .set({ status: $('status'), failureCode: $('failureCode'), updatedAt: now })
          .where('reference', '=', $('attempt'))
          .where('status', 'in', UNOPENED)
          .where('sessionKey', 'is', null),
      )
      .updateTable('payments')
      .set({ nextSweepAt: AFTER_EXPIRY })
      .where('reference', '=', $('payment'))
      .where('status', 'in', OPEN_STATUSES),
);

/** Records that no session is known: the gateway refused, or its answer was lost. */
export async function recordNoSession(
  statements: Statements,
  tried: TriedAttempt & { readonly status: 'UNKNOWN' | 'REFUSED'; readonly failureCode: string | null },
): Promise<void> {
  await RECORD_NO_SESSION.all(statements, tried);
}

const RECORD_UNKNOWN_SESSION = statement((db, $: Given<TriedAttempt>) =>
  db
    .with('tried', (q) =>
      q
        .updateTable('payment_attempts')
        .set({ status: 'UNKNOWN', updatedAt: now })
        .where('reference', '=', $('attempt'))
        .where('status', 'in', UNOPENED)
        .where('sessionKey', 'is', null),
    )
    .updateTable('payments')
    .set({ status: 'PENDING', nextSweepAt: AFTER_EXPIRY, updatedAt: now })
    .where('reference', '=', $('payment'))
    .where('status', 'in', OPEN_STATUSES),
);

/** Records that the gateway knows a charge of an attempt whose session is not in our rows. The workflow queries it next. */
export async function recordUnknownSession(statements: Statements, tried: TriedAttempt): Promise<void> {
  await RECORD_UNKNOWN_SESSION.all(statements, tried);
}
