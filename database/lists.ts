import { DomainError } from '../domain/errors.ts';
import type { Statements } from './statements.ts';

/** One page of rows. */
export interface ListSlice {
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  readonly offset: number;
  /** Where the former page ended; the offset is then 0. */
  readonly cursor: string | null;
  /** So many rows are counted at most; `TOTAL_MAX` unless told. */
  readonly countTo?: number;
}

/** A condition with its values, where `null` and `undefined` values leave it out. */
export type Condition = readonly [sql: string, value: unknown];

export interface ListQuery {
  /** Select list. The row's id must be among it as `id`. */
  readonly columns: string;
  /** What follows `from`, without its conditions. */
  readonly from: string;
  readonly conditions: readonly Condition[];
  /** Columns that order the rows: time and id, or an amount and id. The last is the id. */
  readonly orderBy: readonly [string, ...string[]];
  readonly slice: ListSlice;
}

export interface ListPage<Row> {
  readonly rows: Row[];
  readonly total: number;
  readonly nextCursor: string | null;
}

/** Rows counted for `totalElements`: beyond it the count stands still, so that a list of millions costs no more than one of thousands. */
const TOTAL_MAX = 10_000;

/**
 * A list that stays the same while rows are added: ordered by unique columns, and gone on with from the last row that was seen. The text
 * of conditions and columns is our own; values are parameters.
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

/** What is ordered by is a time, an amount or an id, told by its name. */
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
 * A cursor comes back from outside, so each of its keys must be what the column that it is compared with can hold: Postgres
 * would refuse anything else, and a client's mistake must not look like our failure.
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
    // Not even JSON.
  }
  throw new DomainError('VALIDATION_ERROR', 'the request is not valid', {
    fields: { cursor: 'is no cursor of this list' },
  });
}

function isText(key: unknown): key is string {
  return typeof key === 'string';
}

/** No id and no amount is negative or longer; a bigint holds every number of 18 digits. */
function isInteger(key: string): boolean {
  return /^\d{1,18}$/.test(key);
}

/** As Postgres writes a `timestamptz` in ISO style. A day or an hour that does not exist is none. */
function isTimestamp(key: string): boolean {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d{1,6})?([+-])(\d\d)(?::(\d\d))?$/.exec(key);
  if (match === null) {
    return false;
  }
  const [, day = '', time = '', , hours = '', minutes = '00'] = match;
  const written = `${day}T${time}.000Z`;
  const at = new Date(written);
  // Postgres knows no year 0 and no zone further than 15:59.
  return (
    !day.startsWith('0000') &&
    !Number.isNaN(at.getTime()) &&
    at.toISOString() === written &&
    Number(hours) <= 15 &&
    Number(minutes) <= 59
  );
}
