import {
  sql,
  type Compilable,
  type Expression,
  type Kysely,
  type RawBuilder,
  type SelectQueryBuilder,
  type SqlBool,
  type StringReference,
} from 'kysely';
import { keyType, readCursor, writeCursor } from './list-cursor.ts';
import type { Statements } from './statements.ts';
import type { Tables } from './tables.ts';
import { compile, type Given, type TypedStatement } from './typed-statements.ts';

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

export interface ListPage<Row> {
  readonly rows: Row[];
  readonly total: number;
  readonly nextCursor: string | null;
}

/** The maximum of `totalElements`, so that counting a list of millions costs no more than one of thousands. */
const TOTAL_MAX = 10_000;

/** The values of a filter as its conditions see them: the condition of a value that is not given is left out. */
export type ValuesOf<Filter> = { readonly [Name in keyof Filter]-?: NonNullable<Filter[Name]> };

type FilterOf<Values> = { readonly [Name in keyof Values]?: Values[Name] | null | undefined };

interface FilteredParts<DB, TB extends keyof DB, Row, Values> {
  readonly rows: SelectQueryBuilder<DB, TB, Row>;
  /** The condition of each value. */
  readonly conditions: { readonly [Name in keyof Values]: Expression<SqlBool> };
}

interface ListParts<DB, TB extends keyof DB, Row, Values, Sort extends string> extends FilteredParts<
  DB,
  TB,
  Row,
  Values
> {
  /** Columns that order the rows: time and id, or an amount and id. The last one is the id. */
  readonly orders: Readonly<Record<Sort, readonly [StringReference<DB, TB>, ...StringReference<DB, TB>[]]>>;
}

const OF_REQUEST = { isConstant: false };

type Build<Values, Parts> = (db: Kysely<Tables>, $: Given<Values>) => Parts;

/** A statement whose conditions depend on which values of a filter are given. */
export interface FilteredStatement<Values, Row> {
  all(statements: Statements, filter: FilterOf<Values>): Promise<Row[]>;
}

export interface List<Values, Sort extends string, Row> {
  page(
    statements: Statements,
    query: { readonly filter: FilterOf<Values>; readonly sortBy: Sort; readonly slice: ListSlice },
  ): Promise<ListPage<Row>>;
}

/** The members of a list's row. */
export type ListRow<Typed> =
  Typed extends List<infer _Values, infer _Sort, infer Row> ? { readonly [Name in keyof Row]: Row[Name] } : never;

/** Like `list`, for statements that return all their rows. */
export function filtered<DB, TB extends keyof DB, Row, Values>(
  build: Build<Values, FilteredParts<DB, TB, Row, Values>>,
): FilteredStatement<Values, Row> {
  const { conditions } = partsOf(build);
  return {
    all(statements, filter) {
      const given = namesGiven(conditions, filter);
      const rows: TypedStatement<FilterOf<Values>, Row> = compile(
        (db, $) => filteredBy(build(db, $), given),
        OF_REQUEST,
      );
      return rows.all(statements, filter);
    },
  };
}

/** Parameters of a page beside those of the filter, whose names have no space. */
interface PageValues {
  readonly 'page keys': readonly string[] | null;
  readonly 'page limit': number;
  readonly 'page offset': number;
}

interface TotalValues {
  readonly 'total max': number;
}

/** Where a row stands in the list's order. As text, because a Date would lose microseconds. */
interface Position {
  readonly pageKeys: readonly string[];
}

/**
 * A list with filters, as a constant of its module. Its statements are compiled for each request, because a caller chooses among thousands of sets of
 * conditions: neither the process nor a connection may remember them all. Values are passed as parameters.
 *
 *     const REFUNDS = list((db, $: Given<ValuesOf<RefundFilter>>) => {
 *       const refunds = db.selectFrom('refunds as r');
 *       const eb = expressionBuilder(refunds);
 *       return {
 *         rows: refunds.select(REFUND),
 *         conditions: { mode: eb('r.mode', '=', $('mode')), from: eb('r.createdAt', '>=', $('from')) },
 *         orders: { createdAt: ['r.createdAt', 'r.id'], amountMinor: ['r.amountMinor', 'r.id'] },
 *       };
 *     });
 *
 * A page stays stable while rows are added: it is ordered by unique columns, and continues after the last row seen.
 */
export function list<DB, TB extends keyof DB, Row, Values, Sort extends string>(
  build: Build<Values, ListParts<DB, TB, Row, Values, Sort>>,
): List<Values, Sort, Row> {
  const { conditions, orders } = partsOf(build);
  return {
    async page(statements, { filter, sortBy, slice }) {
      const { order, limit, offset, cursor, countTo = TOTAL_MAX } = slice;
      const given = namesGiven(conditions, filter);
      const columns: readonly string[] = orders[sortBy];
      const keys = cursor === null ? null : readCursor(cursor, columns);
      const page: TypedStatement<FilterOf<Values> & PageValues, Row & Position> = compile((db, $) => {
        const all = filteredBy(build(db, $), given).select(keysOf(columns).as('pageKeys'));
        const rest = keys === null ? all : all.where(isBeyond({ columns, order }, $('page keys')));
        return columns
          .reduce((rows, column) => rows.orderBy(sql.ref(column), order === 'ASC' ? 'asc' : 'desc'), rest)
          .limit($<number>('page limit'))
          .offset($<number>('page offset'));
      }, OF_REQUEST);
      const total: TypedStatement<FilterOf<Values> & TotalValues, { readonly total: number }> = compile((db, $) => {
        const matching = filteredBy(build(db, $), given).clearSelect().select(sql.lit(1).as('one'));
        return db
          .selectFrom(matching.limit($<number>('total max')).as('matching'))
          .select((eb) => eb.cast<number>(eb.fn.countAll(), 'integer').as('total'));
      }, OF_REQUEST);
      const rows = await page.all(statements, {
        ...filter,
        'page keys': keys,
        'page limit': limit,
        'page offset': offset,
      });
      const counted = await total.first(statements, { ...filter, 'total max': countTo });
      const last = rows.length === limit ? rows.at(-1) : undefined;
      return {
        rows,
        total: counted?.total ?? 0,
        nextCursor: last === undefined ? null : writeCursor(last.pageKeys),
      };
    },
  };
}

/** Runs the builder when its module is loaded, so that an error in it shows at once. */
function partsOf<Values, Parts extends { readonly rows: Compilable }>(build: Build<Values, Parts>): Parts {
  let parts: Parts | undefined;
  compile((db, $) => (parts = build(db, $)).rows, OF_REQUEST);
  if (parts === undefined) {
    throw new Error('a statement was not built');
  }
  return parts;
}

/** Names come from the conditions, since a filter may have members that are none of this statement's. */
function namesGiven<Values>(
  conditions: { readonly [Name in keyof Values]: unknown },
  filter: FilterOf<Values>,
): readonly (keyof Values)[] {
  return (Object.keys(conditions) as (keyof Values)[]).filter(
    (name) => filter[name] !== undefined && filter[name] !== null,
  );
}

function filteredBy<DB, TB extends keyof DB, Row, Values>(
  { rows, conditions }: FilteredParts<DB, TB, Row, Values>,
  names: readonly (keyof Values)[],
): SelectQueryBuilder<DB, TB, Row> {
  return names.reduce((query, name) => query.where(conditions[name]), rows);
}

function keysOf(columns: readonly string[]): RawBuilder<string[]> {
  return sql<string[]>`array[${sql.join(columns.map((column) => sql`${sql.ref(column)}::text`))}]`;
}

/** Whether a row comes after the one whose keys are given. */
function isBeyond(
  { columns, order }: { readonly columns: readonly string[]; readonly order: ListSlice['order'] },
  keys: Expression<unknown>,
): Expression<SqlBool> {
  const row = sql.join(columns.map((column) => sql.ref(column)));
  const last = sql.join(
    columns.map((column, index) => sql`(${keys}::text[])[${sql.lit(index + 1)}]::${sql.raw(keyType(column))}`),
  );
  return order === 'ASC' ? sql<boolean>`(${row}) > (${last})` : sql<boolean>`(${row}) < (${last})`;
}
