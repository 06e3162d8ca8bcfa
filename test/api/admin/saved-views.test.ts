import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { SAVED_VIEWS_MAX } from '../../../core/operators/store/saved-views.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
const tokens = { first: '', second: '' };
const VIEW = { page: 'payments', mode: 'LIVE', name: 'Failed today', query: 'status=FAILED&from=2026-06-04' };

beforeAll(async () => {
  world = await openOperatorWorld();
  await world.addOperator({ email: 'first@example.com' });
  await world.addOperator({ email: 'second@example.com', role: 'Viewer' });
  for (const name of ['first', 'second'] as const) {
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());

interface Ask {
  readonly as?: keyof typeof tokens;
  readonly method?: string;
  readonly id?: number;
  readonly body?: object;
}

const ask = ({ as = 'first', method = 'GET', id, body }: Ask): Promise<Answer> =>
  world.send({
    method,
    path: `/admin/views${id === undefined ? '' : `/${id}`}`,
    headers: bearer(tokens[as]),
    ...(body === undefined ? {} : { body }),
  });

const Rows = z.array(
  z.object({ id: z.int(), name: z.string(), query: z.string(), page: z.string(), mode: z.string() }),
);
const rowsOf = async (as: keyof typeof tokens): Promise<z.infer<typeof Rows>> => Rows.parse((await ask({ as })).data);

async function saved(body: object = VIEW): Promise<number> {
  const answer = await ask({ method: 'POST', body });
  expect(answer.status).toBe(201);
  return z.object({ id: z.int() }).parse(answer.data).id;
}

test('a view is saved, renamed, changed and deleted', async () => {
  const id = await saved();
  expect(await rowsOf('first')).toMatchObject([{ id, ...VIEW }]);
  expect((await ask({ method: 'PATCH', id, body: { name: 'Failed' } })).data).toMatchObject({
    ...VIEW,
    name: 'Failed',
  });
  const query = 'status=EXPIRED';
  expect((await ask({ method: 'PATCH', id, body: { query } })).data).toMatchObject({ name: 'Failed', query });
  expect((await ask({ method: 'DELETE', id })).status).toBe(200);
  expect(await rowsOf('first')).toEqual([]);
  expect((await ask({ method: 'DELETE', id })).status).toBe(404);
});

test('nobody sees, changes or deletes the view of somebody else', async () => {
  // A query may name a customer.
  const id = await saved();
  expect(await rowsOf('second')).toEqual([]);
  expect((await ask({ as: 'second', method: 'PATCH', id, body: { name: 'Mine' } })).status).toBe(404);
  expect((await ask({ as: 'second', method: 'DELETE', id })).status).toBe(404);
  expect(await rowsOf('first')).toMatchObject([{ id, name: VIEW.name }]);
  await ask({ method: 'DELETE', id });
});

test('a name is there once for each list, mode and person', async () => {
  const id = await saved();
  expect(await ask({ method: 'POST', body: VIEW })).toMatchObject({ status: 409 });
  const others = [await saved({ ...VIEW, mode: 'TEST' }), await saved({ ...VIEW, page: 'refunds' })];
  const other = await saved({ ...VIEW, name: 'Another' });
  expect(await ask({ method: 'PATCH', id: other, body: { name: VIEW.name } })).toMatchObject({ status: 409 });
  expect((await ask({ as: 'second', method: 'POST', body: VIEW })).status).toBe(201);
  for (const one of [id, other, ...others]) {
    await ask({ method: 'DELETE', id: one });
  }
});

test.each<[string, object]>([
  ['a page that no address has', { ...VIEW, page: '../logout' }],
  ['a name that is too long', { ...VIEW, name: 'x'.repeat(61) }],
  ['a query that is too long', { ...VIEW, query: 'x'.repeat(2_001) }],
  ['a query that no address has', { ...VIEW, query: 'find=a b' }],
])('%s is refused', async (_name, body) => {
  expect((await ask({ method: 'POST', body })).status).toBe(400);
});

test('a person has so many views and no more, however many come at once', async () => {
  await world.api.sql(
    `insert into saved_views (operator_id, page, mode, name, query)
     select (select id from operators where email = 'first@example.com'), 'payments', 'LIVE', 'view ' || n, '' from generate_series(1, ?::int) n`,
    [SAVED_VIEWS_MAX - 1],
  );
  const answers = await Promise.all(['a', 'b', 'c'].map((name) => ask({ method: 'POST', body: { ...VIEW, name } })));
  expect(answers.map(({ status }) => status).sort((one, other) => one - other)).toEqual([201, 409, 409]);
  expect(await rowsOf('first')).toHaveLength(SAVED_VIEWS_MAX);
});
