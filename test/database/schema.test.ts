import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import { openOrm } from '../../database/connection.ts';
import { ENTITIES } from '../../database/tables.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let target: TestDatabase;
let orm: MikroORM;
beforeAll(async () => {
  target = await createTestDatabase();
  orm = await openOrm({ url: target.url, role: 'owner', poolSize: 1 });
});
afterAll(async () => {
  await orm.close();
  await target.drop();
});

/** The ORM's own table. */
const MIGRATIONS = 'mikro_orm_migrations';

interface Column {
  readonly type: string;
  readonly nullable: boolean;
}

async function databaseColumns(): Promise<Map<string, Column>> {
  const rows = await orm.em.fork().execute<(Column & { name: string })[]>(
    `select c.relname || '.' || a.attname as name, format_type(a.atttypid, null) as type, not a.attnotnull as nullable
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')`,
  );
  return new Map(rows.map(({ name, ...column }) => [name, column]));
}

/** PostgreSQL truncates longer names. */
const NAME_MAX = 63;

/** Types that have different names in the ORM and in the database. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: 'integer',
  bigserial: 'bigint',
  timestamptz: 'timestamp with time zone',
};

function entityColumns(): Map<string, Column> {
  const properties = [...orm.getMetadata().getAll().values()].flatMap(({ tableName, props }) =>
    props.map((property): [string, Column] => {
      const declared = property.columnTypes[0] ?? '';
      const column = { type: TYPE_NAMES[declared] ?? declared, nullable: property.nullable === true };
      return [`${tableName}.${property.fieldNames[0] ?? ''}`, column];
    }),
  );
  return new Map(properties);
}

describe('entities and tables', () => {
  // An entity that does not match its migration must be found here, not in production.
  test('every entity property is a column of the same type and nullability', async () => {
    const columns = await databaseColumns();
    const properties = entityColumns();
    expect(properties.size).toBeGreaterThan(100);
    const differing = [...properties].filter(([name, property]) => {
      const column = columns.get(name);
      return column === undefined || column.nullable !== property.nullable || column.type !== property.type;
    });
    expect(differing.map(([name, property]) => ({ name, property, column: columns.get(name) }))).toEqual([]);
  });

  // A column without a property is lost when a row is copied through its entity, and typed statements cannot name it.
  test('every column has a property', async () => {
    const properties = entityColumns();
    const missing = [...(await databaseColumns()).keys()].filter((name) => !properties.has(name));
    expect(missing.filter((name) => !name.startsWith(`${MIGRATIONS}.`))).toEqual([]);
  });

  // Without an entity, neither the ORM nor typed statements can use a table.
  test('every table has an entity', async () => {
    const withEntity = new Set([...entityColumns().keys()].map((name) => name.split('.')[0]));
    const tables = new Set([...(await databaseColumns()).keys()].map((name) => name.split('.')[0] ?? ''));
    expect([...tables].filter((table) => !withEntity.has(table))).toEqual([MIGRATIONS]);
    expect(withEntity.size).toBe(ENTITIES.length);
  });

  // Typed statements leave out what has a default, and take null for what the table accepts.
  test('every column with a default has one in its entity, and no other', async () => {
    const rows = await orm.em.fork().execute<{ name: string }[]>(
      `select c.relname || '.' || a.attname as name
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> '${MIGRATIONS}'
         and (a.atthasdef or a.attidentity <> '')`,
    );
    const declared = [...orm.getMetadata().getAll().values()].flatMap(({ tableName, props }) =>
      props
        .filter(
          ({ autoincrement, default: initial, defaultRaw }) =>
            autoincrement === true || (initial ?? defaultRaw) !== undefined,
        )
        .map(({ fieldNames }) => `${tableName}.${fieldNames[0] ?? ''}`),
    );
    expect(declared.sort()).toEqual(rows.map(({ name }) => name).sort());
  });
});

/** Excludes the ORM's own table. */
const OURS = `c.relnamespace = 'public'::regnamespace and c.relname not like 'mikro_orm%'`;

async function names(sql: string): Promise<string[]> {
  const rows = await orm.em.fork().execute<{ name: string }[]>(sql);
  return rows.map(({ name }) => name);
}

describe('the schema', () => {
  // The comment tells a reader in psql what the table is for.
  test('every table has a comment of one sentence', async () => {
    const tables = await names(`select c.relname || ': ' || coalesce(obj_description(c.oid), 'none') as name
      from pg_class c where ${OURS} and c.relkind = 'r'`);
    expect(tables.length).toBeGreaterThan(30);
    expect(tables.filter((table) => !/^[a-z_]+: [A-Z][^\n]{5,}[^.]\.$/.test(table) || /\. [A-Z]/.test(table))).toEqual(
      [],
    );
  });

  // Later migrations drop a constraint by its name. PostgreSQL numbers or truncates the names that it generates.
  test('every constraint and index is named after its table, without a number and whole', async () => {
    const all = await names(`select c.relname || ' ' || n.name as name from pg_class c join (
        select conrelid as relation, conname as name from pg_constraint where contype <> 'n'
        union select indrelid, i.relname from pg_index join pg_class i on i.oid = indexrelid) n on n.relation = c.oid where ${OURS}`);
    expect(all.length).toBeGreaterThan(250);
    const well = /^(?<table>[a-z_]+) \k<table>_(?:pkey|[a-z_]+[a-z]_(?:key|fkey|check|idx))$/;
    expect(all.filter((name) => !well.test(name) || (name.split(' ')[1] ?? '').length === NAME_MAX)).toEqual([]);
  });

  // Every write has to update every index.
  test('no index only repeats the beginning of another one', async () => {
    const repeated = `select a.indexrelid::regclass || ' by ' || b.indexrelid::regclass as name
      from pg_index a join pg_index b on a.indrelid = b.indrelid and a.indexrelid <> b.indexrelid join pg_class c on c.oid = a.indrelid
      where ${OURS} and not a.indisunique and a.indexprs is null and a.indpred is null and b.indpred is null
        and a.indnkeyatts = a.indnatts and a.indnkeyatts <= b.indnkeyatts
        and (string_to_array(b.indkey::text, ' '))[1:a.indnkeyatts] = string_to_array(a.indkey::text, ' ')
        and (string_to_array(b.indoption::text, ' '))[1:a.indnkeyatts] = string_to_array(a.indoption::text, ' ')
      union all
      select a.indexrelid::regclass || ' by ' || b.indexrelid::regclass
      from pg_index a join pg_index b on a.indrelid = b.indrelid and a.indexrelid > b.indexrelid join pg_class c on c.oid = a.indrelid
      where ${OURS} and a.indisunique and b.indisunique and a.indkey = b.indkey and a.indpred is null and b.indpred is null`;
    expect(await names(repeated)).toEqual([]);
    await orm.em.fork().execute('create index payments_again_idx on payments (application_id)');
    await orm.em.fork().execute('create unique index payments_again_key on payments (reference)');
    expect((await names(repeated)).join()).toMatch(/payments_again_idx.*payments_again_key/);
    await orm.em.fork().execute('drop index payments_again_idx, payments_again_key');
  });
});
