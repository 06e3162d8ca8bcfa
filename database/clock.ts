import type { Database } from './connection.ts';
import { instant } from './read-row.ts';
import type { Statements } from './statements.ts';

/**
 * The database's time, for what is decided without a row that carries its own `readAt`. All processes ask the same clock, so they agree on what
 * has expired however wrong their own clocks are.
 */
export async function readNow(statements: Statements): Promise<Date> {
  const [row] = await statements.execute<{ now: string }[]>('select now() as now');
  return nowIn(row);
}

function nowIn(row: { readonly now: string } | undefined): Date {
  if (row === undefined) {
    throw new Error('the database does not say what time it is');
  }
  return instant(row.now);
}

/** The same before a scope is known. */
export async function queryNow(database: Database): Promise<Date> {
  const [row] = await database.lookup<{ now: string }>('select now() as now', []);
  return nowIn(row);
}

/** What time it is for a payment, for those who have no `PaymentRecord` of it. */
export async function readNowOf(statements: Statements, paymentId: bigint): Promise<Date> {
  const [row] = await statements.execute<{ now: string }[]>(
    'select lenden_now(clock_offset) as now from payments where id = ?',
    [paymentId],
  );
  return row === undefined ? readNow(statements) : instant(row.now);
}
