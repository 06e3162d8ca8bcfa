import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { seedPayments } from '../../bench/growth/seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  await seedPayments(pool, { from: 0, to: 299, keys: 30 });
  await seedPayments(pool, { from: 300, to: 499, keys: 20 });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function numberOf(sql: string): Promise<number> {
  const { rows } = await pool.query<{ number: string }>(`select (${sql}) as number`);
  return Number(rows[0]?.number);
}

interface ForeignKey {
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly columns: string;
  readonly targets: string;
  readonly given: string;
}

const FOREIGN_KEYS = `select conname as name, conrelid::regclass::text as source, confrelid::regclass::text as target,
  (select string_agg('s.' || attname, ', ' order by n) from unnest(conkey) with ordinality k (number, n) join pg_attribute on attrelid = conrelid and attnum = number) as columns,
  (select string_agg('t.' || attname, ', ' order by n) from unnest(confkey) with ordinality k (number, n) join pg_attribute on attrelid = confrelid and attnum = number) as targets,
  (select string_agg('s.' || attname || ' is not null', ' and ') from unnest(conkey) k (number) join pg_attribute on attrelid = conrelid and attnum = number) as given
  from pg_constraint where contype = 'f'`;

describe('the payments that npm run bench -- growth writes', () => {
  test('satisfy every foreign key of the schema', async () => {
    // The rows are written with checks disabled. Rows that the service could not have produced would make the
    // measurement worthless.
    const { rows: keys } = await pool.query<ForeignKey>(FOREIGN_KEYS);
    expect(keys.length).toBeGreaterThan(15);
    for (const { name, source, target, columns, targets, given } of keys) {
      const lost = await numberOf(
        `select count(*) from ${source} s where ${given} and not exists (select from ${target} t where (${targets}) = (${columns}))`,
      );
      expect([name, lost]).toEqual([name, 0]);
    }
  });

  test('are all finished, nine of ten with a balanced ledger transaction', async () => {
    // The benchmark measures the cost of an operation among finished rows. An open row would give the sweeper work.
    expect(await numberOf(`select count(*) from payments where ended_at is not null`)).toBe(500);
    expect(await numberOf(`select count(*) from ledger_transactions`)).toBe(450);
    expect(await numberOf(`select count(*) from ledger_postings`)).toBe(900);
    expect(await numberOf(`select count(*) from gateway_callbacks where consumed_at is null`)).toBe(0);
    expect(await numberOf(`select count(*) from webhook_events where delivery_status <> 'DELIVERED'`)).toBe(0);
  });

  test('leave every index valid and in use', async () => {
    // Indexes are disabled while rows are written. An index left disabled would cause sequential scans, or would not
    // enforce uniqueness.
    expect(await numberOf(`select count(*) from pg_index where not (indisvalid and indisready)`)).toBe(0);
  });
});
