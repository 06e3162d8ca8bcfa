import { DomainError } from '../domain/errors.ts';
import type { Statements } from './statements.ts';

/** The requested page of a list. */
export interface ListSlice {
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  readonly offset: number;
  /** Where the previous page ended; `offset` is then 0. */
  readonly cursor: string | null;
  /** The maximum number of rows counted, `TOTAL_MAX` by default. */
  readonly countTo?: number;
}

/** A condition and its value. It is left out if the value is `null` or `undefined`. */
export type Condition = readonly [sql: string, value: unknown];

export interface ListQuery {
  /** Select list. It must contain the row's id as `id`. */
  readonly columns: string;
  /** What follows `from`, without its conditions. */
  readonly from: string;
  readonly conditions: readonly Condition[];
  /** Columns that order the rows: time and id, or an amount and id. The last one is the id. */
  readonly orderBy: readonly [string, ...string[]];
  readonly slice: ListSlice;
}

export interface ListPage<Row> {
  readonly rows: Row[];
  readonly total: number;
  readonly nextCursor: string | null;
}

/** The maximum of `totalElements`, so that counting a list of millions costs no more than one of thousands. */
const TOTAL_MAX = 10_000;

/**
 * Returns a page of a list that stays stable while rows are added: it is ordered by unique columns, and continues after the last row seen. The text
 * of conditions and columns must be our own; values are passed as parameters.
 */
export async function listRows<Row extends object>(statements: Statements, query: ListQuery): Promise<ListPage<Row>> {
  const { columns, from, orderBy, slice } = query;
  const given = query.conditions.filter(([, value]) => value !== undefined && value !== null);
  const where = given.map(([sql]) => sql);
  const values = given.map(([, value]) => value);
  const keys = orderBy.map((column, index) => `${column}::text as key_${index}`).join(', ');
  const beyond = slice.cursor === null ? null : readCursor(slice.cursor, orderBy);
  const compare = slice.order === 'ASC' ? '>' : '<';
  const rows = await statements.execute<(Row & Record<string, unknown>)[]>(
    `select ${columns}, ${keys} from ${from}${clause([
      ...where,
      ...(beyond === null ? [] : [`(${orderBy.join(', ')}) ${compare} (${casts(orderBy)})`]),
    ])}
     order by ${orderBy.map((column) => `${column} ${slice.order}`).join(', ')} limit ? offset ?`,
    [...values, ...(beyond ?? []), slice.limit, slice.offset],
  );
  const [counted] = await statements.execute<{ total: number }[]>(
    `select count(*)::integer as total from (select 1 from ${from}${clause(where)} limit ?) counted`,
    [...values, slice.countTo ?? TOTAL_MAX],
  );
  const last = rows.length === slice.limit ? rows.at(-1) : undefined;
  return {
    rows,
    total: counted?.total ?? 0,
    nextCursor: last === undefined ? null : writeCursor(orderBy.map((_, index) => String(last[`key_${index}`]))),
  };
}

function clause(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
}

/** Lists are ordered by a time, an amount or an id. The column's name tells which. */
function isTime(column: string): boolean {
  return column.endsWith('_at');
}

function casts(columns: readonly string[]): string {
  return columns.map((column) => (isTime(column) ? '?::timestamptz' : '?::bigint')).join(', ');
}

function writeCursor(keys: readonly string[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url');
}

/**
 * Parses a cursor. It comes from outside, so each key must be a valid value of its column: Postgres would reject anything else, and a client's
 * mistake must not look like our failure.
 */
function readCursor(cursor: string, columns: readonly string[]): string[] {
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(keys) && keys.length === columns.length && keys.every(isText)) {
      if (columns.every((column, index) => (isTime(column) ? isTimestamp : isInteger)(keys[index] ?? ''))) {
        return keys;
      }
    }
  } catch {
    // Not valid JSON.
  }
  throw new DomainError('VALIDATION_ERROR', 'the request is not valid', {
    fields: { cursor: 'is not a cursor of this list' },
  });
}

function isText(key: unknown): key is string {
  return typeof key === 'string';
}

/** Ids and amounts are never negative or longer. A bigint holds every number of 18 digits. */
function isInteger(key: string): boolean {
  return /^\d{1,18}$/.test(key);
}

/** Accepts a `timestamptz` as Postgres writes it in ISO style. Rejects days and hours that do not exist. */
function isTimestamp(key: string): boolean {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d{1,6})?([+-])(\d\d)(?::(\d\d))?$/.exec(key);
  if (match === null) {
    return false;
  }
  const [, day = '', time = '', , hours = '', minutes = '00'] = match;
  const written = `${day}T${time}.000Z`;
  const at = new Date(written);
  // Postgres has no year 0 and no zone offset beyond 15:59.
  return (
    !day.startsWith('0000') &&
    !Number.isNaN(at.getTime()) &&
    at.toISOString() === written &&
    Number(hours) <= 15 &&
    Number(minutes) <= 59
  );
}
