import { sql, type Expression, type QueryCreator, type RawBuilder } from 'kysely';
import type { CallbackOutcome } from '../../database/entities/payment.ts';
import { now } from '../../database/expressions.ts';
import type { Statements } from '../../database/statements.ts';
import type { Tables } from '../../database/tables.ts';
import { statement, type Given } from '../../database/typed-statements.ts';

/** A limit, since the payment is locked during the statement. */
export const CONSUMED_MAX = 500;

/** Callbacks of an attempt that a query covers. */
export interface ClosedCallbacks {
  /** The attempt's public reference. */
  readonly attempt: string;
  readonly outcome: CallbackOutcome;
  /** The newest callback to close. */
  readonly newestCallbackId: bigint;
  /** Those that stay open. */
  readonly unanswered: readonly bigint[];
}

/** The outcome of a callback. One without a valid signature proves nothing, whatever the query says. */
export function outcomeOf(outcome: Expression<CallbackOutcome>): RawBuilder<CallbackOutcome> {
  return sql`case when ${sql.ref('signatureValid')} then ${outcome} else 'FORGED' end`;
}

/** Members of a query as one array, so that the limit of the query holds while rows are locked. */
export function anyOf<Value>(query: Expression<Record<string, Value>>): RawBuilder<Value> {
  return sql`any(array${query})`;
}

/** Callbacks beyond the limit wait for the next query, which the sweeper triggers. */
export function closeCallbacks(q: QueryCreator<Tables>, $: Given<ClosedCallbacks>) {
  return q
    .updateTable('gateway_callbacks')
    .set({ outcome: outcomeOf($('outcome')), consumedAt: now })
    .where('id', '=', (eb) =>
      anyOf(
        eb
          .selectFrom('gateway_callbacks as c')
          .select('c.id')
          .where('c.attemptId', '=', (t) =>
            t.selectFrom('payment_attempts as t').select('t.id').where('t.reference', '=', $('attempt')),
          )
          .where('c.consumedAt', 'is', null)
          .where('c.id', '<=', $('newestCallbackId'))
          .where('c.id', '<>', (c) => c.fn<bigint>('all', [c.cast($('unanswered'), sql`bigint[]`)]))
          .limit(CONSUMED_MAX),
      ),
    );
}

const CLOSE = statement((db, $: Given<ClosedCallbacks>) => closeCallbacks(db, $));

export interface ConsumedCallbacks {
  /** Its public reference. */
  readonly attempt: string;
  readonly upTo: bigint;
  readonly unanswered?: readonly bigint[];
}

/**
 * Closes the callbacks of an attempt that had arrived before the query, read or not, except those that the answer does not cover. Later ones wait for
 * the next query.
 */
export async function consumeCallbacks(
  statements: Statements,
  { attempt, upTo, unanswered = [] }: ConsumedCallbacks,
  outcome: CallbackOutcome,
): Promise<void> {
  await CLOSE.all(statements, { attempt, outcome, newestCallbackId: upTo, unanswered });
}
