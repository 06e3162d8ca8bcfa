import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { bearer, openOperatorWorld, PASSWORD, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let root: string;
let rootId: bigint;
let app: bigint;
const roles = new Map<string, number>();

beforeAll(async () => {
  world = await openOperatorWorld();
  rootId = await world.addOperator({ email: 'root@example.com' });
  root = await world.logIn('root@example.com');
  app = (await world.api.register({ name: 'Shop' })).applicationId;
  const list = await world.send({ path: '/admin/roles?size=100', headers: bearer(root) });
  for (const { id, name } of z.array(z.object({ id: z.int(), name: z.string() })).parse(list.data)) {
    roles.set(name, id);
  }
});
afterAll(() => world.close());

interface Ask {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly token?: string;
}

function ask({ method, path, body, token = root }: Ask): Promise<Answer> {
  return world.send({ method, path, headers: bearer(token), ...(body === undefined ? {} : { body }) });
}

function grant(name: string, applicationId: bigint | null = null) {
  return { roleId: roles.get(name), applicationId: applicationId === null ? null : Number(applicationId) };
}

const Made = z.object({ operator: z.object({ id: z.int(), email: z.string() }), passwordLink: z.string() });
let made = 0;

async function create(grants: readonly object[], token = root) {
  made += 1;
  const body = { email: `made-${made}@example.com`, name: 'Made', grants };
  return ask({ method: 'POST', path: '/admin/users', body, token });
}

async function person(role: string, applicationId: bigint | null = null) {
  made += 1;
  const email = `person-${made}@example.com`;
  const id = await world.addOperator({ email, role, applicationId });
  return { id, email, token: await world.logIn(email) };
}

describe('a new operator', () => {
  test('has no password, no answer holds the link that sets one, and they are found in the list', async () => {
    // The creator must not be able to open the new operator's account.
    const answer = await create([grant('Support', app)]);
    expect(answer).toMatchObject({
      status: 201,
      data: { passwordLink: 'ON_SERVER', operator: { passwordSet: false } },
    });
    expect(answer.text).not.toMatch(/operator-link|token|temporary\w*Password/i);
    const { operator } = Made.parse(answer.data);
    const body = { email: operator.email, password: PASSWORD };
    const login = await world.send({ method: 'POST', path: '/auth/login', body });
    expect(login).toMatchObject({ status: 401, code: 'INVALID_CREDENTIALS' });
    const read = await ask({ method: 'GET', path: `/admin/users/${operator.id}` });
    expect(read.data).toMatchObject({ status: 'ACTIVE', roles: [{ name: 'Support', applicationId: Number(app) }] });
    expect(read.text).not.toMatch(/argon2|hash|totp_secret/i);
    const found = await ask({ method: 'GET', path: `/admin/users?email=${encodeURIComponent(operator.email)}` });
    expect(found.pagination).toEqual({ page: 0, size: 20, totalElements: 1, totalPages: 1, nextCursor: null });
  });

  test('is refused with an address that somebody has, in whatever letters', async () => {
    // One address belongs to one person.
    const body = { email: 'ROOT@example.com', name: 'Second', grants: [] };
    expect(await ask({ method: 'POST', path: '/admin/users', body })).toMatchObject({
      status: 409,
      code: 'RESOURCE_ALREADY_EXISTS',
    });
  });

  test('is refused with a role or an application that is not there, and nothing is stored', async () => {
    // Otherwise a grant could have no effect, or a different one than intended.
    for (const bad of [{ roleId: 999_999 }, grant('Viewer', 999_999n), grant('Super Admin', app)]) {
      const answer = await create([bad]);
      expect([answer.status, answer.code]).toEqual([400, 'VALIDATION_ERROR']);
      const query = `/admin/users?email=made-${made}@example.com`;
      expect((await ask({ method: 'GET', path: query })).pagination?.totalElements).toBe(0);
    }
    const twice = await create([grant('Viewer'), grant('Viewer')]);
    expect(twice.status).toBe(400);
  });
});

describe('lists', () => {
  test('have pages that together are the whole, in the order that was asked for', async () => {
    // An operator who pages through the list must not miss a row or see one twice.
    const emails = async (query: string) => {
      const answer = await ask({ method: 'GET', path: `/admin/users?${query}` });
      return z
        .array(z.object({ email: z.string() }))
        .parse(answer.data)
        .map(({ email }) => email);
    };
    const all = await emails('paginate=false&sortBy=email&order=ASC');
    expect(all).toEqual([...all].sort());
    const pages = [];
    for (let page = 0; page * 2 < all.length; page += 1) {
      pages.push(...(await emails(`page=${page}&size=2&sortBy=email&order=ASC`)));
    }
    expect(pages).toEqual(all);
    const unpaged = await ask({ method: 'GET', path: '/admin/users?paginate=false' });
    expect(unpaged.pagination).toBeNull();
  });

  test.each([
    'page=-1',
    'size=0',
    'size=101',
    'sortBy=passwordHash',
    'order=UP',
    'paginate=maybe',
    'cursor=%00',
    'page=0&page=1',
  ])('refuse %s', async (query) => {
    // A query must be bounded and use only published parameters.
    expect((await ask({ method: 'GET', path: `/admin/users?${query}` })).status).toBe(400);
  });
});

describe('disabling', () => {
  test('ends all sessions at once, and enabling brings none back', async () => {
    // An operator who leaves must lose access immediately.
    const { id, email, token } = await person('Viewer');
    expect((await ask({ method: 'POST', path: `/admin/users/${id}/disable` })).data).toMatchObject({
      status: 'DISABLED',
    });
    expect((await world.send({ path: '/auth/me', headers: bearer(token) })).code).toBe('SESSION_EXPIRED');
    expect((await world.send({ method: 'POST', path: '/auth/login', body: { email, password: PASSWORD } })).code).toBe(
      'INVALID_CREDENTIALS',
    );
    expect((await ask({ method: 'POST', path: `/admin/users/${id}/enable` })).data).toMatchObject({ status: 'ACTIVE' });
    expect((await world.send({ path: '/auth/me', headers: bearer(token) })).code).toBe('SESSION_EXPIRED');
    expect(await world.logIn(email)).toMatch(/^ops_/);
  });

  test('is not for oneself', async () => {
    // Otherwise an operator could lock themselves out by mistake.
    const answer = await ask({ method: 'POST', path: `/admin/users/${rootId}/disable` });
    expect(answer).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  test('of the last enabled Super Admin is refused, also when two disable each other at once', async () => {
    // Otherwise nobody could manage the installation.
    for (let round = 0; round < 5; round += 1) {
      const [a, b] = [await person('Super Admin'), await person('Super Admin')];
      await world.api.sql(
        `update operators set status = 'DISABLED' where id not in (?, ?) and id in
           (select operator_id from operator_grants g join roles r on r.id = g.role_id where r.everything)`,
        [a.id, b.id],
      );
      const answers = await Promise.all([
        ask({ method: 'POST', path: `/admin/users/${b.id}/disable`, token: a.token }),
        ask({ method: 'PUT', path: `/admin/users/${a.id}/roles`, token: b.token, body: { grants: [] } }),
      ]);
      const [left] = await world.api.sql<{ count: number }>(
        `select count(*)::integer as count from operator_grants g join roles r on r.id = g.role_id join operators o on o.id = g.operator_id
         where r.everything and o.status = 'ACTIVE'`,
      );
      expect(left).toEqual({ count: 1 });
      expect(answers.filter(({ status }) => status === 200).length).toBe(1);
      await world.api.sql(`update operators set status = 'ACTIVE' where id = ?`, [rootId]);
    }
  });
});

describe('roles', () => {
  test('that are taken away are gone at the next request of the same session', async () => {
    // Otherwise a removed permission would stay usable until the next login.
    const { id, token } = await person('Admin');
    expect((await ask({ method: 'GET', path: '/admin/users', token })).status).toBe(200);
    const body = { grants: [grant('Viewer')] };
    expect((await ask({ method: 'PUT', path: `/admin/users/${id}/roles`, body })).status).toBe(200);
    expect(await ask({ method: 'GET', path: '/admin/users', token })).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  test('are not changed for oneself', async () => {
    // Otherwise operators could give themselves more permissions, or remove them by mistake.
    const body = { grants: [grant('Super Admin')] };
    for (const { id, token } of [{ id: rootId, token: root }, await person('Admin')]) {
      const answer = await ask({ method: 'PUT', path: `/admin/users/${id}/roles`, body, token });
      expect(answer).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    }
  });

  test('that one does not hold oneself can neither be given nor taken', async () => {
    // Otherwise an operator could gain permissions through another operator, or remove a superior's.
    const admin = await person('Admin');
    const friend = await person('Viewer');
    const chief = await person('Super Admin');
    const token = admin.token;
    const refused: Ask[] = [
      { method: 'PUT', path: `/admin/users/${friend.id}/roles`, body: { grants: [grant('Super Admin')] } },
      { method: 'PUT', path: `/admin/users/${chief.id}/roles`, body: { grants: [] } },
      { method: 'POST', path: `/admin/users/${chief.id}/disable` },
      { method: 'POST', path: `/admin/users/${chief.id}/sessions/end` },
      {
        method: 'POST',
        path: '/admin/users',
        body: { email: 'x@example.com', name: 'X', grants: [grant('Super Admin')] },
      },
    ];
    for (const request of refused) {
      expect([request.path, (await ask({ ...request, token })).code]).toEqual([request.path, 'FORBIDDEN']);
    }
    const body = { grants: [grant('Admin')] };
    expect((await ask({ method: 'PUT', path: `/admin/users/${friend.id}/roles`, body, token })).status).toBe(200);
  });

  test('of one’s own making hold only what their maker holds, and are used like the others', async () => {
    // Otherwise a custom role would be a way around the rule above.
    const manage = { name: 'User desk', permissions: ['user:read', 'user:manage'] };
    const desk = await ask({ method: 'POST', path: '/admin/roles', body: manage });
    const { id } = z.object({ id: z.int() }).parse(desk.data);
    roles.set('User desk', id);
    const keeper = await person('User desk');
    const wider = { name: 'Wider', permissions: ['refund:approve'] };
    expect((await ask({ method: 'POST', path: '/admin/roles', body: wider, token: keeper.token })).code).toBe(
      'FORBIDDEN',
    );
    const grown = { ...manage, permissions: [...manage.permissions, 'refund:approve'] };
    expect((await ask({ method: 'PUT', path: `/admin/roles/${id}`, body: grown, token: keeper.token })).code).toBe(
      'FORBIDDEN',
    );
    expect((await ask({ method: 'PUT', path: `/admin/roles/${id}`, body: grown })).data).toMatchObject(grown);
    expect((await ask({ method: 'DELETE', path: `/admin/roles/${id}` })).code).toBe('INVALID_OPERATION_STATE');
  });

  test('that came with Lenden stay as they are', async () => {
    // Operators rely on the meaning of the seeded roles.
    const body = { name: 'Viewer', permissions: ['user:manage'] };
    const path = `/admin/roles/${roles.get('Viewer')}`;
    expect((await ask({ method: 'PUT', path, body })).code).toBe('INVALID_OPERATION_STATE');
    expect((await ask({ method: 'DELETE', path })).code).toBe('INVALID_OPERATION_STATE');
    expect((await ask({ method: 'POST', path: '/admin/roles', body })).code).toBe('RESOURCE_ALREADY_EXISTS');
    expect((await ask({ method: 'DELETE', path: '/admin/roles/999999' })).status).toBe(404);
  });

  test.each([
    ['an unknown permission', { name: 'X', permissions: ['everything'] }],
    ['a permission twice', { name: 'X', permissions: ['app:read', 'app:read'] }],
    ['a member that is the row’s', { name: 'Y', permissions: [], everything: true, seeded: true }],
  ])('take no %s', async (_name, body) => {
    // Otherwise a client could set internal columns of the row.
    const answer = await ask({ method: 'POST', path: '/admin/roles', body });
    const data = z.object({ everything: z.boolean(), seeded: z.boolean() }).safeParse(answer.data);
    expect(answer.status === 400 || (data.success && !data.data.everything && !data.data.seeded)).toBe(true);
  });

  test('in one application do not reach what belongs to all', async () => {
    // Users, roles and settings belong to all applications.
    const { token } = await person('Admin', app);
    expect((await ask({ method: 'GET', path: '/admin/users', token })).code).toBe('FORBIDDEN');
    const me = z
      .object({ permissions: z.array(z.object({ applications: z.array(z.int()).nullable() })) })
      .parse((await ask({ method: 'GET', path: '/auth/me', token })).data);
    expect(new Set(me.permissions.map(({ applications }) => JSON.stringify(applications)))).toEqual(
      new Set([JSON.stringify([Number(app)])]),
    );
  });
});

test('all sessions of an operator can be ended by who holds at least as much', async () => {
  // Another operator must be able to react to a stolen laptop while its owner is away.
  const { id, token } = await person('Finance');
  expect((await ask({ method: 'POST', path: `/admin/users/${id}/sessions/end` })).data).toEqual({ ended: 1 });
  expect((await world.send({ path: '/auth/me', headers: bearer(token) })).code).toBe('SESSION_EXPIRED');
});
