import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { openOrm, type EntityManager } from '../../database/connection.ts';
import { parameterize } from '../../database/parameters.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let target: TestDatabase;
let em: EntityManager;
let close: () => Promise<void>;

beforeAll(async () => {
  target = await createTestDatabase();
  const orm = await openOrm({ url: target.url, role: 'owner', poolSize: 1 });
  em = orm.em.fork();
  close = () => orm.close();
});
afterAll(async () => {
  await close();
  await target.drop();
});

describe('a statement', () => {
  test.each([
    ['text', 'select ?', ["it's ?"], 'select $1', ["it's ?"]],
    ['whole numbers', 'select ?, ?', [1, 2 ** 40], 'select $1::integer, $2::bigint', [1, 2 ** 40]],
    ['other numbers', 'select ?', [0.5], 'select $1::numeric', [0.5]],
    ['truth', 'select ?', [false], 'select $1::boolean', [false]],
    ['bigints', 'select ?', [9_007_199_254_740_993n], 'select $1', ['9007199254740993']],
    ['lists', 'select 1 where 1 in (?)', [[1, 2]], 'select 1 where 1 in ($1::integer, $2::integer)', [1, 2]],
    ['objects', 'select ?::jsonb', [{ a: 'b' }], 'select $1::jsonb', ['{"a":"b"}']],
    ['nothing', 'select ?, ?', [null, undefined], 'select null, null', []],
    ['names', 'select ??', ['t.a"b'], 'select "t"."a""b"', []],
    ['question marks', String.raw`select ? \? ?`, ['a', 'b'], 'select $1 ? $2', ['a', 'b']],
    ['fragments', 'select ?, ?', [raw('upper(?)', ['a']), 'b'], 'select upper($1), $2', ['a', 'b']],
  ])('carries %s beside its text', (_what, query, values, text, carried) => {
    // A value inside the text of a statement would appear in the server's log when the statement fails.
    expect(parameterize(query, values)).toEqual({ text, values: carried });
  });

  test('without values stays as it is', () => {
    // A migration has many statements in one text, and may contain `?` as an operator.
    expect(parameterize(`select '{"a":1}'::jsonb ? 'a'`)).toEqual({
      text: `select '{"a":1}'::jsonb ? 'a'`,
      values: [],
    });
  });

  test('brings the server the values that were given, in their types', async () => {
    const at = new Date('9999-12-31T23:59:59.999Z');
    const ancient = new Date('0000-01-01T00:00:00Z');
    const [row] = await em.execute<object[]>(
      `select pg_typeof(?)::text as whole, pg_typeof(?)::text as broken, pg_typeof(?)::text as truth, ? as text,
         ?::timestamptz = '9999-12-31T23:59:59.999Z' as at, ?::timestamptz = '0001-01-01T00:00:00Z BC' as ancient,
         encode(?, 'hex') as bytes, ?::bigint::text as big, ?::jsonb ->> 'a' as member, now() + ? * interval '1 hour' > now() as later`,
      [1, 0.5, true, "it's \\ $1 ?", at, ancient, Buffer.from([0, 255]), 2n ** 62n, { a: 'ক' }, 2],
    );
    expect(row).toEqual({
      whole: 'integer',
      broken: 'numeric',
      truth: 'boolean',
      text: "it's \\ $1 ?",
      at: true,
      ancient: true,
      bytes: '00ff',
      big: (2n ** 62n).toString(),
      member: 'ক',
      later: true,
    });
  });
});
