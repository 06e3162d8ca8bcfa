import {
  sql,
  type AliasableExpression,
  type AliasedExpression,
  type Expression,
  type Insertable,
  type RawBuilder,
} from 'kysely';
import type { Tables } from './tables.ts';

/** The time at which the transaction began. */
export const now = sql<Date>`now()`;

/** The time now, also when the transaction has waited. */
export const clock = sql<Date>`clock_timestamp()`;

/** An empty array, for rows aggregated into JSON. */
export const NO_MEMBERS = sql<never[]>`'[]'`;

type Span = `${number} ${'second' | 'minute' | 'hour' | 'day'}${'s' | ''}`;

/** Now, moved by a constant span such as `5 minutes`. */
export function later(span: Span): RawBuilder<Date> {
  return sql<Date>`now() + interval ${sql.lit(span)}`;
}

/** A constant span. */
export function constantSpan(length: Span): RawBuilder<unknown> {
  return sql`interval ${sql.lit(length)}`;
}

export function earlier(span: Span): RawBuilder<Date> {
  return sql<Date>`now() - interval ${sql.lit(span)}`;
}

/** A span of a whole number of units. */
export function span(
  count: Expression<number | null>,
  unit: 'millisecond' | 'second' | 'minute' | 'hour' | 'day',
): RawBuilder<unknown> {
  return sql`${count}::integer * interval ${sql.lit(`1 ${unit}`)}`;
}

export function plus(time: Expression<Date>, added: Expression<unknown>): RawBuilder<Date> {
  return sql<Date>`${time} + ${added}`;
}

export function minus(time: Expression<Date>, taken: Expression<unknown>): RawBuilder<Date> {
  return sql<Date>`${time} - ${taken}`;
}

/** The time of a row by the database, moved by its test clock. */
export function timeOf(clockOffset: Expression<string>): RawBuilder<Date> {
  return sql<Date>`lenden_now(${clockOffset})`;
}

/** The seconds by which a row's test clock is ahead. */
export function aheadSecondsOf(clockOffset: Expression<string>): RawBuilder<number> {
  return sql<number>`extract(epoch from ${clockOffset})::integer`;
}

/** The latest of several times. */
export function latestOf(...times: readonly Expression<Date>[]): RawBuilder<Date> {
  return sql<Date>`greatest(${sql.join(times)})`;
}

/** The values that a row of a table needs; those with a default may be left out. */
type Given<Table> = {
  [Column in keyof Insertable<Table>]: AliasableExpression<Exclude<Insertable<Table>[Column], undefined>>;
};

/**
 * Columns and values of `insert … select`. Kysely does not check them itself:
 *
 *     db.insertInto('ledger_accounts').columns(row.columns).expression(db.selectFrom('made').select(row.values))
 */
export function rowOf<Name extends keyof Tables>(_table: Name, given: Given<Tables[Name]>) {
  const entries = Object.entries<AliasableExpression<unknown>>(given);
  return {
    columns: entries.map(([name]) => name as keyof Tables[Name] & string),
    values: entries.map(([name, value]): AliasedExpression<unknown, string> => value.as(name)),
  };
}

interface MemberTypes {
  readonly integer: number;
  readonly bigint: bigint;
  readonly text: string;
  readonly date: string;
  readonly jsonb: unknown;
}

/**
 * The objects of a JSON array as rows of `alias`, so that one parameter carries many rows. Members need names of a single lower-case word, since a
 * longer one is written differently in the statement.
 */
export function recordsOf<Alias extends string, const Members extends Readonly<Record<string, keyof MemberTypes>>>(
  json: Expression<string>,
  alias: Alias,
  members: Members,
) {
  const columns = sql.join(Object.entries(members).map(([name, type]) => sql`${sql.ref(name)} ${sql.raw(type)}`));
  return sql<{
    [Name in keyof Members]: MemberTypes[Members[Name]];
  }>`jsonb_to_recordset(${json}::jsonb)`.as<Alias>(sql`${sql.ref(alias)}(${columns})`);
}
