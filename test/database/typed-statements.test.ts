import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { openDatabase, type PooledDatabase, type Scope } from '../../database/connection.ts';
import { statement, type Given, type RowOf } from '../../database/typed-statements.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const APPLICATION = statement((db, $: Given<{ id: bigint; name: string }>) =>
  db
    .selectFrom('applications as a')
    .select(['a.id', 'a.name', 'a.minAmountMinor', 'a.createdAt', 'a.returnOrigins', 'a.customerDefaults'])
    .select((eb) => [
      eb.fn.countAll<bigint>().over().as('rowsFound'),
      sql<string>`date '2026-11-23'`.as('day'),
      eb('a.name', '=', $('name')).as('sameName'),
    ])
    .where('a.id', '=', $('id'))
    .where('a.status', 'in', ['ACTIVE', 'DISABLED'])
    .where((eb) => eb.or([eb('a.name', '=', $('name')), eb('a.name', '=', "it's")])),
);
const DISABLE = statement((db, $: Given<{ id: bigint; reason: string }>) =>
  db
    .updateTable('webhook_endpoints')
    .set({ disabledReason: $('reason') })
    .where('applicationId', '=', $('id')),
);
const BY_IDS = statement((db, $: Given<{ ids: readonly bigint[] }>) =>
  db
    .selectFrom('applications')
    .select('name')
    .where('id', '=', (eb) => eb.fn.any($('ids'))),
);

describe('a compiled statement', () => {
  test('has constants in its text, and each parameter once', () => {
    // A partial index is used only if the planner sees the constants of its condition.
    expect(APPLICATION.compiled.sql).toContain(`"a"."status" in ('ACTIVE', 'DISABLED')`);
    expect(APPLICATION.compiled.sql).toContain(`"a"."name" = 'it''s'`);
    expect(APPLICATION.compiled.sql.match(/\$\d/g)).toEqual(['$1', '$2', '$1']);
  });

  test('does not compile with a wrong name, type or status', () => {
    // tsc fails for an expectation of an error that does not exist.
    const build = (): unknown[] => [
      // @ts-expect-error The column does not exist.
      statement((db) => db.selectFrom('payments').select('amount')),
      // @ts-expect-error The table does not exist.
      statement((db) => db.selectFrom('payment').select('id')),
      // @ts-expect-error An amount is a bigint.
      statement((db, $: Given<{ amount: number }>) => db.updateTable('payments').set({ amountMinor: $('amount') })),
      // @ts-expect-error There is no such status.
      statement((db) => db.selectFrom('payments').select('id').where('status', '=', 'SETTLED')),
      statement((db, $: Given<{ status: string }>) =>
        // @ts-expect-error Not every text is a status.
        db.updateTable('payments').set({ status: $('status') }),
      ),
      // @ts-expect-error The column is never null.
      statement((db) => db.updateTable('payments').set({ reference: null })),
      // @ts-expect-error The statement does not declare this parameter.
      statement((db, $: Given<{ id: bigint }>) => db.selectFrom('payments').select('id').where('id', '=', $('key'))),
      // @ts-expect-error A column without a default is missing.
      statement((db) => db.insertInto('ledger_accounts').values({ name: 'a', currency: 'BDT', mode: 'TEST' })),
      // @ts-expect-error A value is missing.
      DISABLE.all({ execute: () => Promise.reject(new Error('never sent')) }, { id: 1n }),
    ];
    expect(build).toBeInstanceOf(Function);
    const row: RowOf<typeof BY_IDS> = { name: 'a' };
    // @ts-expect-error The row has only the selected columns.
    expect(row.id).toBeUndefined();
  });
});

describe('a typed statement on the server', () => {
  let target: TestDatabase;
  let database: PooledDatabase;
  let scope: Scope;
  beforeAll(async () => {
    target = await createTestDatabase();
    database = await openDatabase({ url: target.url, poolSize: 1 });
    const made = await database.withSystem((em) =>
      em.execute<{ id: string }[]>(
        `insert into applications (name, min_amount_minor, customer_defaults) values ('one', 9007199254740993, '{"postcode":"1"}'), ('other', null, '{}') returning id`,
      ),
    );
    scope = { applicationId: BigInt(made[0]?.id ?? 0), mode: 'TEST' };
  });
  afterAll(async () => {
    await database.close();
    await target.drop();
  });

  const read = { name: 'one' };

  test('returns bigints, Dates and plain values under their property names', async () => {
    // Money must not lose a digit, and a date must not depend on the process's time zone.
    const row = await database.withScope(
      scope,
      (statements) => APPLICATION.first(statements, { ...read, id: scope.applicationId }),
      { oneTrip: true },
    );
    expect(row).toEqual({
      id: scope.applicationId,
      name: 'one',
      minAmountMinor: 9007199254740993n,
      createdAt: expect.any(Date),
      returnOrigins: [],
      customerDefaults: { postcode: '1' },
      rowsFound: 1n,
      day: '2026-11-23',
      sameName: true,
    });
  });

  test('returns the same through every way into a transaction', async () => {
    // A store does not know which of them its caller has opened.
    const values = { ...read, id: scope.applicationId };
    const rows = await Promise.all([
      database.withScope(scope, (statements) => APPLICATION.all(statements, values), { oneTrip: true }),
      database.withScope(scope, (statements) => APPLICATION.all(statements, values)),
      database.withScope(scope, (em) => APPLICATION.all(em, values)),
      database.withSystem((em) => APPLICATION.all(em, values)),
      database.withOperator('every-app', (em) => APPLICATION.all(em, values)),
    ]);
    expect(rows[0]).toHaveLength(1);
    expect(new Set(rows.map((found) => JSON.stringify(found, (_key, value: unknown) => String(value))))).toHaveProperty(
      'size',
      1,
    );
  });

  test('shares a round trip with others, is prepared once, and sees only the rows of its scope', async () => {
    // The path of every payment depends on all three.
    const ids = [scope.applicationId, scope.applicationId + 1n];
    const [disabled, seen] = await database.withScope(
      scope,
      (statements) =>
        Promise.all([
          DISABLE.all(statements, { id: scope.applicationId, reason: 'tried' }),
          BY_IDS.all(statements, { ids }),
        ]),
      { oneTrip: true },
    );
    expect(disabled).toEqual([]);
    expect(seen).toEqual([{ name: 'one' }]);
    const prepared = await database.withScope(scope, async (statements) => {
      await BY_IDS.all(statements, { ids });
      return statements.execute<{ name: string }[]>('select name from pg_prepared_statements where name = ?', [
        BY_IDS.compiled.name,
      ]);
    });
    expect(prepared).toEqual([{ name: BY_IDS.compiled.name }]);
  });
});
