import { sql, type Expression, type RawBuilder } from 'kysely';

/** When a row is due again after so many sweeps: in 30 seconds, then after twice as long each time, up to an hour. */
export function dueAgain(sweeps: Expression<number>): RawBuilder<Date> {
  return sql<Date>`now() + least(interval '1 hour', interval '30 seconds' * power(2, least(${sweeps}, 10)))`;
}
