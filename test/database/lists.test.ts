import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { expressionBuilder } from 'kysely';
import { openDatabase, type PooledDatabase } from '../../database/connection.ts';
import { filtered, list, type ListRow, type ListSlice, type ValuesOf } from '../../database/lists.ts';
import type { Statements } from '../../database/statements.ts';
import type { Tables } from '../../database/tables.ts';
import type { Given } from '../../database/typed-statements.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

interface ApplicationFilter {
  readonly name?: string | undefined;
  readonly receipts?: boolean | undefined;
  readonly least?: bigint | null;
}

function conditionsOf($: Given<ValuesOf<ApplicationFilter>>) {
  const eb = expressionBuilder<Tables & { a: Tables['applications'] }, 'a'>();
  return {
    name: eb('a.name', '=', $('name')),
    receipts: eb('a.receiptsEnabled', '=', $('receipts')),
    least: eb('a.minAmountMinor', '>=', $('least')),
  };
}

const APPLICATIONS = list((db, $: Given<ValuesOf<ApplicationFilter>>) => ({
  rows: db.selectFrom('applications as a').select(['a.id', 'a.name', 'a.createdAt']),
  conditions: conditionsOf($),
  orders: { createdAt: ['a.createdAt', 'a.id'], minAmountMinor: ['a.minAmountMinor', 'a.id'] },
}));
const NAMES = filtered((db, $: Given<ValuesOf<ApplicationFilter>>) => ({
  rows: db.selectFrom('applications as a').select('a.name').groupBy('a.name'),
  conditions: conditionsOf($),
}));

const ALL: ListSlice = { order: 'ASC', limit: 10, offset: 0, cursor: null };

describe('a list', () => {
  let target: TestDatabase;
  let database: PooledDatabase;
  beforeAll(async () => {
    target = await createTestDatabase();
    database = await openDatabase({ url: target.url });
    // Two rows were created in the same microsecond, and another a microsecond later.
    await database.withSystem((em) =>
      em.execute(
        `insert into applications (name, receipts_enabled, min_amount_minor, created_at) values
           ('one', true, 10, '2026-11-23 10:00:00.000001+00'), ('two', false, 20, '2026-11-23 10:00:00.000001+00'),
           ('three', true, 9007199254740993, '2026-11-23 10:00:00.000002+00')`,
      ),
    );
  });
  afterAll(async () => {
    await database.close();
    await target.drop();
  });

  const named = async (
    filter: ApplicationFilter,
    slice: Partial<ListSlice> = {},
    sortBy: 'createdAt' | 'minAmountMinor' = 'createdAt',
  ) => {
    const page = await database.withSystem((em) =>
      APPLICATIONS.page(em, { filter, sortBy, slice: { ...ALL, ...slice } }),
    );
    return { ...page, rows: page.rows.map(({ name }) => name) };
  };

  test('leaves nothing on the connection, whatever conditions a caller chooses', async () => {
    // Each prepared statement stays in the server's memory. With thousands of sets of conditions, one caller could fill it.
    const prepared = await database.withSystem(async (em) => {
      await APPLICATIONS.page(em, { filter: { name: 'one' }, sortBy: 'createdAt', slice: ALL });
      await APPLICATIONS.page(em, { filter: { receipts: true }, sortBy: 'minAmountMinor', slice: ALL });
      await NAMES.all(em, { least: 10n });
      return em.execute<object[]>(
        `select statement from pg_prepared_statements where statement like '%"applications" as "a"%'`,
      );
    });
    expect(prepared).toEqual([]);
  });

  test.each([
    [{}, ['one', 'two', 'three']],
    [{ name: undefined, least: null }, ['one', 'two', 'three']],
    [{ name: 'two' }, ['two']],
    [{ receipts: false }, ['two']],
    [{ receipts: true, least: 9007199254740993n }, ['three']],
    [{ name: "two' or true --" }, []],
  ] as const)('has the rows that all given values demand: %j', async (filter, names) => {
    // A condition without a value must not hide rows, and one with a value must never be dropped.
    expect(await named(filter)).toEqual({ rows: names, total: names.length, nextCursor: null });
    const rows = await database.withSystem((em) => NAMES.all(em, filter));
    expect(rows.map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  test('ignores members of a filter that are none of its conditions', async () => {
    // Routes pass their whole query.
    const filter = { page: 0, size: 10, name: 'one' };
    expect(await named(filter)).toMatchObject({ rows: ['one'] });
  });

  test.each(['ASC', 'DESC'] as const)('continues after the last row seen, to the microsecond: %s', async (order) => {
    // A time as Date would show rows twice or leave them out.
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await named({}, { order, limit: 1, cursor });
      seen.push(...page.rows);
      expect(page.total).toBe(3);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(order === 'ASC' ? ['one', 'two', 'three'] : ['three', 'two', 'one']);
  });

  test('has an order of its own for each field, and its cursor fits no other', async () => {
    // Otherwise the first key of one order would be compared with the columns of another.
    const byAmount = await named({}, { order: 'DESC', limit: 2 }, 'minAmountMinor');
    expect(byAmount.rows).toEqual(['three', 'two']);
    await expect(named({}, { cursor: byAmount.nextCursor })).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    expect(await named({}, { order: 'DESC', cursor: byAmount.nextCursor }, 'minAmountMinor')).toMatchObject({
      rows: ['one'],
    });
  });

  test('counts no further than it is told', async () => {
    // Counting millions of rows must not cost more than counting thousands.
    expect(await named({}, { limit: 1, countTo: 2 })).toMatchObject({ rows: ['one'], total: 2 });
  });

  test('sends every value as a parameter', async () => {
    // A text with values would show them in the server's log, and could be another statement.
    const sent: [string, readonly unknown[]][] = [];
    await database.withSystem(async (em) => {
      const statements: Statements = {
        execute: (text, values = []) => {
          sent.push([typeof text === 'string' ? text : text.sql, values]);
          return em.execute(text, values);
        },
      };
      await APPLICATIONS.page(statements, { filter: { name: 'secret-name' }, sortBy: 'createdAt', slice: ALL });
      await NAMES.all(statements, { name: 'secret-name' });
    });
    expect(sent).toHaveLength(3);
    for (const [text, values] of sent) {
      expect(text).not.toContain('secret-name');
      expect(values).toContain('secret-name');
    }
  });

  test('does not compile without a condition for each value, or with a column that does not exist', () => {
    // tsc fails for an expectation of an error that does not exist.
    const build = (): unknown[] => [
      // @ts-expect-error `receipts` and `least` have no condition.
      list((db, $: Given<ValuesOf<ApplicationFilter>>) => ({
        rows: db.selectFrom('applications as a').select('a.id'),
        conditions: { name: conditionsOf($).name },
        orders: { id: ['a.id'] },
      })),
      list((db) => ({
        rows: db.selectFrom('applications as a').select('a.id'),
        conditions: {},
        // @ts-expect-error The column does not exist.
        orders: { number: ['a.number'] },
      })),
    ];
    expect(build).toBeInstanceOf(Function);
    const row: ListRow<typeof APPLICATIONS> = { id: 1n, name: 'a', createdAt: new Date(0) };
    // @ts-expect-error The row has only the selected columns.
    expect(row.status).toBeUndefined();
  });
});
