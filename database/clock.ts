import type { Database } from './connection.ts';
import { now, timeOf } from './expressions.ts';
import type { Statements } from './statements.ts';
import { statement, type Given, type RowOf } from './typed-statements.ts';

const NOW = statement((db) => db.selectNoFrom(now.as('now')));

/**
 * Returns the database's time, for decisions that use no row with its own `readAt`. All processes use this clock, so they agree on what has expired
 * even if their own clocks are wrong.
 */
export async function readNow(statements: Statements): Promise<Date> {
  return nowIn(await NOW.first(statements, {}));
}

function nowIn(row: RowOf<typeof NOW> | undefined): Date {
  if (row === undefined) {
    throw new Error('the database did not return its time');
  }
  return row.now;
}

/** Returns the database's time before a scope is known. */
export async function queryNow(database: Database): Promise<Date> {
  return nowIn(await NOW.lookup(database, {}));
}

const NOW_OF = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('payments')
    .select((eb) => timeOf(eb.ref('clockOffset')).as('now'))
    .where('id', '=', $('paymentId')),
);

/** Returns the time of a payment, for callers without its `PaymentRecord`. */
export async function readNowOf(statements: Statements, paymentId: bigint): Promise<Date> {
  return (await NOW_OF.first(statements, { paymentId }))?.now ?? readNow(statements);
}
