import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { adminRoute, type AdminRoute } from '../../../api/admin/route.ts';
import { route } from '../../../api/http/route.ts';
import { isPermission, PERMISSIONS, viewFor, type Grant, type Permission } from '../../../domain/permissions.ts';
import { openDatabase } from '../../../database/connection.ts';
import { listRoles } from '../../../core/operators/store/roles.ts';
import { operatorRoutes } from './operator-routes.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

const table = operatorRoutes;
const guarded = table.filter(({ permission }) => isPermission(permission));
const ofAnyPermission = table.filter(({ permission }) => permission === 'any-permission');
const ofAnySession = table.filter(({ permission }) => permission === 'own-session');

const ROLES = ['Super Admin', 'Admin', 'Finance', 'Support', 'Viewer', 'Scoped', 'Nothing'] as const;
type RoleName = (typeof ROLES)[number];

let world: OperatorWorld;
const tokens = new Map<RoleName, string>();
const grantsOf = new Map<RoleName, Grant[]>();

beforeAll(async () => {
  world = await openOperatorWorld();
  const app = await world.api.register({ name: 'Theirs' });
  await world.api.register({ name: 'Others' });
  await world.api.sql(`insert into roles (name, permissions) values ('Nothing', '{}')`);
  for (const role of ROLES) {
    const email = `${role.toLowerCase().replace(' ', '-')}@example.com`;
    const scoped = role === 'Scoped';
    const applicationId = scoped ? app.applicationId : null;
    await world.addOperator({ email, role: scoped ? 'Admin' : role, applicationId });
    tokens.set(role, await world.logIn(email));
  }
  const database = await openDatabase({ url: world.api.databaseUrl, poolSize: 1 });
  const { rows } = await database.withOperator([], (em) =>
    listRoles(em, { sortBy: 'name', order: 'ASC', limit: 100, offset: 0 }),
  );
  await database.close();
  for (const role of ROLES) {
    const found = rows.find(({ name }) => name === (role === 'Scoped' ? 'Admin' : role));
    const { everything = false, permissions = [] } = found ?? {};
    grantsOf.set(role, [{ everything, permissions, applicationId: role === 'Scoped' ? app.applicationId : null }]);
  }
});
afterAll(() => world.close());

/** The test uses a new process after this many requests without a session, because each process limits them per address and minute. */
const STRANGERS_PER_PROCESS = 50;
let strangers = 0;
let door = '';

async function doorForStranger(): Promise<string> {
  if (strangers % STRANGERS_PER_PROCESS === 0) {
    door = await world.api.listen();
  }
  strangers += 1;
  return door;
}

async function knock(route: AdminRoute): Promise<Answer> {
  return send(route, {}, await doorForStranger());
}

/** Sends a request with ids and a body that match nothing. An allowed operator gets 400 or 404 and changes nothing. */
function send(route: AdminRoute, headers: Record<string, string>, origin?: string): Promise<Answer> {
  // A stream stays open.
  const query = route.response.contentType?.startsWith('text/event-stream') === true ? '?seconds=1' : '';
  const path = route.path.replace(/\{\w+\}/g, '999999999') + query;
  const { method } = route;
  const body = route.body === undefined ? {} : { body: { nothing: true } };
  const type = route.bytes === undefined ? {} : { 'content-type': 'application/octet-stream' };
  return world.send({ method, path, headers: { ...headers, ...type }, ...body }, origin);
}

function isAllowed(role: RoleName, route: AdminRoute): boolean {
  const view = isPermission(route.permission) ? viewFor(grantsOf.get(role) ?? [], route.permission) : [];
  return view === 'every-app' || (view.length > 0 && route.everyApp !== true);
}

describe.each(guarded.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', (_name, route) => {
  test.each(ROLES.map((role) => [role]))('%s', async (role) => {
    // A role must allow exactly what the table says.
    const answer = await send(route, bearer(tokens.get(role) ?? ''));
    if (isAllowed(role, route)) {
      expect([200, 201, 400, 404, 409]).toContain(answer.status);
    } else {
      expect(answer).toMatchObject({ status: 403, code: 'FORBIDDEN', data: null });
    }
  });

  test('nobody, and whoever is out', async () => {
    // Without a session, the answer must not reveal whether the object exists.
    expect(await knock(route)).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
  });
});

describe.each(ofAnyPermission.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s',
  (_name, route) => {
    test.each(ROLES.map((role) => [role]))('%s', async (role) => {
      const answer = await send(route, bearer(tokens.get(role) ?? ''));
      // 400: the route needs a query or a body. 404: nobody has an object with this id.
      const allowed = route.path.includes('{') ? [400, 404] : [200, 400];
      expect(role === 'Nothing' ? [403] : allowed).toContain(answer.status);
    });

    test('serves no one without a session', async () => {
      expect(await knock(route)).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
    });
  },
);

describe.each(ofAnySession.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', (_name, route) => {
  test('serves no one without a session', async () => {
    expect(await knock(route)).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
  });
});

test('a session that has ended is refused on every route', async () => {
  // Otherwise an ended session could be used on a route that does not check it.
  const token = await world.logIn('viewer@example.com');
  await world.send({ method: 'POST', path: '/auth/logout', headers: bearer(token) });
  await world.api.sql(`update login_throttles set failures = 1`);
  for (const route of table.filter(({ permission }) => permission !== 'public')) {
    const origin = await doorForStranger();
    const path = `/api/v1${route.path.replace(/\{\w+\}/g, '1')}`;
    const answer = await fetch(origin + path, { method: route.method, headers: bearer(token) });
    const { meta } = z.object({ meta: z.object({ errorCode: z.string() }) }).parse(await answer.json());
    expect([route.operationId, answer.status, meta.errorCode]).toEqual([route.operationId, 401, 'SESSION_EXPIRED']);
  }
});

test('what was refused is written down with who asked for what', async () => {
  // An auditor has to see who tried which routes.
  const rows = await world.api.sql<{ actor: string; target_id: string }>(
    `select actor, target_id from audit_logs where action = 'permission.refused' and actor = 'nothing@example.com'`,
  );
  expect(rows.map(({ target_id: target }) => target).sort()).toEqual(
    [...guarded, ...ofAnyPermission].map(({ method, path }) => `${method} ${path}`).sort(),
  );
});

test('every sensitive route refuses a session whose password was shown long ago', async () => {
  // The step-up must be in the table too, so that no sensitive route lacks it.
  await world.makeStale();
  const sensitive = table.filter((route) => route.sensitive === true);
  expect(sensitive.length).toBeGreaterThan(8);
  for (const route of sensitive) {
    const answer = await send(route, bearer(tokens.get('Super Admin') ?? ''));
    expect([route.operationId, answer.code]).toEqual([route.operationId, 'REAUTH_REQUIRED']);
  }
});

describe('the table', () => {
  test('has a row for every route, or nothing builds', () => {
    // The compiler rejects a route without a permission. The two `@ts-expect-error` lines below test that.
    const spec = {
      method: 'GET',
      path: '/admin/forgotten',
      operationId: 'forgotten',
      tag: 'Forgotten',
      summary: 'A route whose permission was forgotten',
      response: { status: 200, schema: z.null() },
      errors: [],
      handler: () => Promise.resolve({ status: 200, data: null }),
    } as const;
    // @ts-expect-error: the permission is missing
    const forgotten = (): AdminRoute => adminRoute(spec);
    // @ts-expect-error: a route of another surface has none
    const foreign = (): AdminRoute => route({ ...spec, auth: 'none' });
    expect([forgotten().permission, foreign().permission]).toEqual([undefined, undefined]);
    expect(table.filter(({ permission }) => permission === undefined)).toEqual([]);
  });

  test('has the seeded roles as documented', () => {
    // Dashboards and operators rely on these roles.
    const held = (role: RoleName): Permission[] =>
      PERMISSIONS.filter((permission) => viewFor(grantsOf.get(role) ?? [], permission) === 'every-app');
    expect(held('Super Admin')).toEqual(PERMISSIONS);
    expect(held('Admin')).toEqual(PERMISSIONS);
    expect(held('Finance')).toEqual([
      'app:read',
      'payment:read',
      'payment:export',
      'payment:review',
      'refund:read',
      'refund:approve',
      'report:read',
      'reconciliation:manage',
    ]);
    expect(held('Support')).toEqual(['app:read', 'payment:read', 'refund:read', 'refund:create']);
    expect(held('Viewer')).toEqual(['app:read', 'payment:read', 'report:read']);
  });

  test('has two public routes, and every change of operators, roles and settings is sensitive', () => {
    // A new public route must be a deliberate decision.
    expect(table.filter(({ permission }) => permission === 'public').map(({ path }) => path)).toEqual([
      '/auth/login',
      '/auth/forgotten-password',
    ]);
    const changes = table.filter(({ permission, method }) => permission === 'user:manage' && method !== 'GET');
    expect(changes.filter(({ sensitive, everyApp }) => sensitive !== true || everyApp !== true)).toEqual([]);
  });
});
