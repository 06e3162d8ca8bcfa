import type { Database } from './connection.ts';
import { instant } from './read-row.ts';
import type { Statements } from './statements.ts';

/**
 * Returns the database's time, for decisions that use no row with its own `readAt`. All processes use this clock, so they agree on what has expired
 * even if their own clocks are wrong.
 */
export async function readNow(statements: Statements): Promise<Date> {
  const [row] = await statements.execute<{ now: string }[]>('select now() as now');
  return nowIn(row);
}

function nowIn(row: { readonly now: string } | undefined): Date {
  if (row === undefined) {
    throw new Error('the database did not return its time');
  }
  return instant(row.now);
}

/** Returns the database's time before a scope is known. */
export async function queryNow(database: Database): Promise<Date> {
  const [row] = await database.lookup<{ now: string }>('select now() as now', []);
  return nowIn(row);
}

/** Returns the time of a payment, for callers without its `PaymentRecord`. */
export async function readNowOf(statements: Statements, paymentId: bigint): Promise<Date> {
  const [row] = await statements.execute<{ now: string }[]>(
    'select lenden_now(clock_offset) as now from payments where id = ?',
    [paymentId],
  );
  return row === undefined ? readNow(statements) : instant(row.now);
}
