import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AdminRoute } from '../../../api/admin/route.ts';
import { call } from '../contract-client.ts';
import { operatorRoutes } from './operator-routes.ts';
import { longTest } from '../../support/long.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';
import { fillEveryList, type Filled } from './every-list.ts';

/** The routes that return rows. They are taken from the route table, so a new list is covered without a new test. */
const lists = operatorRoutes.filter(({ response, path }) => response.list === true && !path.includes('{'));
/** Without the stream of updates, which stays open and contains no object. */
const readable = operatorRoutes.filter(
  ({ method, permission, operationId }) =>
    method === 'GET' && permission !== 'public' && operationId !== 'followUpdates',
);

const SESSIONS = 20;

let world: OperatorWorld;
const tokens: string[] = [];
let filled: Filled;
beforeAll(async () => {
  world = await openOperatorWorld();
  await world.addOperator({ email: 'owner@example.com' });
  // The limit per session is not under test.
  for (let number = 0; number < SESSIONS; number += 1) {
    tokens.push(await world.logIn('owner@example.com'));
  }
  filled = await fillEveryList(world, token());
});
afterAll(() => world.close());

let turn = 0;
const token = (): string => tokens[(turn += 1) % tokens.length] ?? '';
const get = (path: string): Promise<Answer> => world.send({ path, headers: bearer(token()) });

function parametersOf(route: AdminRoute): string[] {
  const shape: unknown = route.query === undefined ? {} : (route.query as { shape?: unknown }).shape;
  return Object.keys(typeof shape === 'object' && shape !== null ? shape : {});
}

const takes = (name: string) =>
  operatorRoutes.filter((route) => parametersOf(route).includes(name)).map((route) => [route.path, route] as const);

describe.each(takes('cursor'))('%s', (path, route) => {
  test('answers each cursor that was tampered with by 400 or by rows, never by a failure', async () => {
    // Hostile case 7: a cursor is input from outside, and a bad one must not cause an error in Postgres.
    const paged = filled.paged(path);
    const first = await get(`${paged}size=1`);
    const cursor = first.pagination?.nextCursor ?? null;
    expect(cursor).not.toBeNull();
    expect((await get(`${paged}size=1&cursor=${cursor ?? ''}`)).status).toBe(200);
    const sorts = parametersOf(route).includes('sortBy') ? ['', 'sortBy=amountMinor&'] : [''];
    const refused = new Set<number>();
    for (const tampered of tamperings(cursor ?? '')) {
      for (const sort of sorts) {
        const { status, text } = await get(`${paged}size=1&${sort}cursor=${encodeURIComponent(tampered)}`);
        expect({ tampered, status: status === 200 || status === 400 ? 'fine' : `${status} ${text}` }).toEqual({
          tampered,
          status: 'fine',
        });
        refused.add(status);
      }
    }
    expect(refused).toContain(400);
  });
});

/** Returns cursors with flipped bits in every byte, and invented ones. */
function tamperings(cursor: string): string[] {
  const bytes = Buffer.from(cursor, 'base64url');
  const flipped = [...bytes].flatMap((byte, at) =>
    [1, 2, 8].map((bits) => {
      const other = Buffer.from(bytes);
      other[at] = byte ^ bits;
      return other.toString('base64url');
    }),
  );
  const madeUp = [
    ['9999-99-99 99:99:99+99', '1'],
    ['2026-02-30 00:00:00+00', '1'],
    ['2026-01-01 24:00:00+00', '1'],
    ['2026-01-01 00:00:60+00', '1'],
    ['0000-01-01 00:00:00+00', '1'],
    ['2026-01-01 00:00:00+16', '1'],
    ['2026-01-01 00:00:00+00:60', '1'],
    ['1', '2026-01-01 00:00:00+00'],
    ['1', '1'],
    ['999999999999999999', '999999999999999999'],
    ['9'.repeat(19), '1'],
    [null, {}],
    [],
    'text',
  ].map((keys) => Buffer.from(JSON.stringify(keys)).toString('base64url'));
  return [...flipped, ...madeUp, 'a', '%', 'a'.repeat(200), `audit ${'9'.repeat(18)}`, cursor.slice(1)];
}

const FAR_AWAY = [
  '0000-01-01',
  '0000-12-31',
  '0001-01-01',
  '9999-12-31',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00+23:59',
  '9999-12-31T23:59:59Z',
  '9999-12-31T23:59:59.999999999-23:59',
  '1970-01-01',
  '2026-02-30',
  '10000-01-01',
  '-0001-01-01',
  '2026-06-30T23:59:60Z',
  '',
  'now',
];

// Reports cover at most so many days at once, so they refuse all of them.
describe.each([...takes('from'), ...takes('to')].map(([path]) => [path]))('%s', (path) => {
  test.each(['from', 'to'])('takes any %s, however far away, or refuses it', async (name) => {
    // Hostile case 8: each value must be bounded and must not cause a 500.
    for (const at of FAR_AWAY) {
      const { status } = await get(`${filled.paged(path)}${name}=${encodeURIComponent(at)}`);
      expect([at, [200, 400].includes(status)]).toEqual([at, true]);
    }
    const everything = `${filled.paged(path)}from=0001-01-01&to=9999-12-31`;
    expect((await get(everything)).status).toBe(path.startsWith('/admin/reports/payments') ? 400 : 200);
  });
});

test('whatever was made is between the first and the last day that there are', async () => {
  // A bound beyond the database's range means the same as no bound.
  const all = await get('/admin/payments?from=0001-01-01&to=9999-12-31');
  expect(all.pagination?.totalElements).toBe((await get('/admin/payments')).pagination?.totalElements);
  const none = await get('/admin/payments?from=9999-12-31');
  expect(none.data).toEqual([]);
});

test('a time far away in what is recovered is no failure', async () => {
  // The same values in a body.
  for (const since of FAR_AWAY) {
    const path = `/admin/apps/${filled.applicationId}/webhooks/recover`;
    const { status } = await world.send({ method: 'POST', path, headers: bearer(token()), body: { since } });
    expect([since, [200, 400].includes(status)]).toEqual([since, true]);
  }
});

describe.each(operatorRoutes.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s',
  (_name, route) => {
    test('refuses a query parameter that it does not know', async () => {
      // `?email=` must not return every payment.
      const path = route.path
        .replace(/\{mode\}/g, 'TEST')
        .replace(/\{gateway\}/g, 'sslcommerz')
        .replace(/\{\w+\}/g, '1');
      const answer = await world.send({
        method: route.method,
        path: `${path}?emial=x%40example.com`,
        headers: {
          ...bearer(token()),
          ...(route.bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
        },
        ...(route.body === undefined ? {} : { body: {} }),
      });
      expect(answer.status).toBe(400);
      expect(answer.code).toBe('VALIDATION_ERROR');
    });
  },
);

/** The paths of every list and every object: those of operators, and those of the native contract. */
function everyPath(): Path[] {
  const ofOperators = new Set([...lists, ...readable].flatMap(({ path }) => filled.path(path) ?? []));
  expect(ofOperators.size).toBeGreaterThan(20);
  return [
    ...[...ofOperators].map((path) => ({ path, of: 'operators' as const })),
    ...filled.nativePaths.map((path) => ({ path, of: 'native' as const })),
  ];
}

interface Path {
  readonly path: string;
  readonly of: 'operators' | 'native';
}

/** Returns the answer without its time. Fails unless the status is 200. */
async function read({ path, of }: Path, when: object): Promise<string> {
  const { status, text } =
    of === 'native' ? await call({ origin: world.origin, path, credentials: filled.credentials }) : await get(path);
  expect({ ...when, path, status: status === 200 ? 200 : text }).toMatchObject({ status: 200 });
  return text.replace(/"timestamp":"[^"]*"/, '');
}

/** Reads the paths while the columns are null. Returns false if the database does not allow the nulls. */
function readWithNulls(table: string, columns: readonly string[], paths: readonly Path[]): Promise<boolean> {
  return filled.withNulls(table, columns, async () => {
    for (const path of paths) {
      await read(path, { table, columns });
    }
  });
}

/** Returns the paths whose answers change when all of the table's columns are null. Without them, a single column takes minutes. */
async function pathsOf(
  table: string,
  columns: readonly string[],
  untouched: ReadonlyMap<Path, string>,
): Promise<readonly Path[]> {
  const changed: Path[] = [];
  let isComplete = false;
  await filled.withNulls(table, columns, async ({ inEveryRow }) => {
    isComplete = inEveryRow;
    for (const [path, before] of untouched) {
      if ((await read(path, { table, columns })) !== before) {
        changed.push(path);
      }
    }
  });
  return isComplete ? changed : [...untouched.keys()];
}

describe('with every nullable member null, each list and each object is still answered', () => {
  // A payment without a chosen gateway has none. Every column that can be null in a row must be allowed to be null in an answer.
  test('all columns of a table together', async () => {
    const tried: string[] = [];
    for (const { table, columns } of await filled.nullable()) {
      tried.push(...((await readWithNulls(table, columns, everyPath())) ? [table] : []));
    }
    expect(tried).toEqual(expect.arrayContaining(['payment_attempts', 'gateway_callbacks', 'pending_changes']));
  }, 300_000);

  longTest(
    'one column after the other',
    async () => {
      const tried: string[] = [];
      const untouched = new Map<Path, string>();
      for (const path of everyPath()) {
        untouched.set(path, await read(path, {}));
      }
      for (const { table, columns } of await filled.nullable()) {
        const paths = await pathsOf(table, columns, untouched);
        for (const column of columns) {
          tried.push(...((await readWithNulls(table, [column], paths)) ? [`${table}.${column}`] : []));
        }
      }
      expect(tried).toContain('payments.gateway');
    },
    300_000,
  );
});
