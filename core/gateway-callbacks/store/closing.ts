import { sql, type Expression, type QueryCreator, type RawBuilder } from 'kysely';
import type { Database, Scope } from '../../../database/connection.ts';
import type { CallbackOutcome } from '../../../database/entities/payment.ts';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

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
          // Callbacks are indexed by their payment.
          .where('c.paymentId', '=', (t) =>
            t.selectFrom('payment_attempts as t').select('t.paymentId').where('t.reference', '=', $('attempt')),
          )
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

const CLOSE_COVERED = statement((db, $: Given<ClosedCallbacks>) => closeCallbacks(db, $));

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
  await CLOSE_COVERED.all(statements, { attempt, outcome, newestCallbackId: upTo, unanswered });
}

const CLOSE = statement((db, $: Given<{ id: bigint; outcome: CallbackOutcome }>) =>
  db
    .updateTable('gateway_callbacks')
    .set({ outcome: $('outcome'), consumedAt: now })
    .where('id', '=', $('id'))
    .where('consumedAt', 'is', null),
);

/** Records the outcome of a callback that needs no query. */
export async function closeCallback(
  statements: Statements,
  callbackId: bigint,
  outcome: CallbackOutcome,
): Promise<void> {
  await CLOSE.all(statements, { id: callbackId, outcome });
}

const REOPEN_DOUBTED = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .updateTable('gateway_callbacks')
    .set({ outcome: 'RECEIVED', consumedAt: null, nextSweepAt: now })
    .where('paymentId', '=', $('paymentId'))
    .where('outcome', '=', 'MISMATCH'),
);

/**
 * Reopens callbacks of charges that put a payment under review and did not finalize it in the end. They must be queried again, since that money may
 * be unapplied now. The sweeper handles them, and closes the one that did finalize the payment.
 */
export async function reopenDoubted(statements: Statements, paymentId: bigint): Promise<void> {
  await REOPEN_DOUBTED.all(statements, { paymentId });
}

/** Limit of statements for one attempt. The sweeper handles what a flood leaves beyond it. */
const CONSUMING_MAX = 200;

const NEWEST_OPEN = statement((db, $: Given<{ attempt: string }>) =>
  db
    .selectFrom('gateway_callbacks as c')
    .innerJoin('payment_attempts as t', (join) =>
      join.onRef('t.paymentId', '=', 'c.paymentId').onRef('t.id', '=', 'c.attemptId'),
    )
    .select((eb) => eb.fn.max('c.id').as('id'))
    .where('t.reference', '=', $('attempt'))
    .where('c.consumedAt', 'is', null),
);

const CLOSE_AND_COUNT = statement((db, $: Given<ClosedCallbacks>) =>
  db
    .with('consumed', (q) => closeCallbacks(q, $).returning('id'))
    .selectFrom('consumed')
    .select((eb) => eb.cast<number>(eb.fn.countAll(), 'integer').as('count')),
);

/**
 * Closes all callbacks of an attempt that have arrived, read or not, because they will not lead to a query. Uses as many statements as needed, each
 * in its own transaction.
 */
export async function consumeAllCallbacks(
  database: Database,
  scope: Scope,
  { attempt, outcome }: { readonly attempt: string; readonly outcome: CallbackOutcome },
): Promise<void> {
  const newest = await database.withScope(scope, (statements) => NEWEST_OPEN.first(statements, { attempt }), {
    oneTrip: true,
  });
  const newestCallbackId = newest?.id ?? null;
  if (newestCallbackId === null) {
    return;
  }
  let closed = CONSUMED_MAX;
  for (let times = 0; closed === CONSUMED_MAX && times < CONSUMING_MAX; times += 1) {
    const consumed = await database.withScope(
      scope,
      (statements) => CLOSE_AND_COUNT.first(statements, { attempt, outcome, newestCallbackId, unanswered: [] }),
      { oneTrip: true },
    );
    closed = consumed?.count ?? 0;
  }
}
