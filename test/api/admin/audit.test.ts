import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { openOrm, type DatabaseRole } from '../../../database/connection.ts';
import { recordAudit, SYSTEM_ACTOR } from '../../../core/operators/store/audit.ts';
import { bearer, openOperatorWorld, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let root: string;
let app: bigint;
let other: bigint;

beforeAll(async () => {
  world = await openOperatorWorld();
  await world.addOperator({ email: 'root@example.com' });
  root = await world.logIn('root@example.com');
  app = (await world.api.register({ name: 'Shop' })).applicationId;
  other = (await world.api.register({ name: 'Other' })).applicationId;
  for (const id of [app, other]) {
    await world.database.withOperator([id], (em) =>
      recordAudit(em, {
        actor: SYSTEM_ACTOR,
        action: 'credential.rotated',
        target: { type: 'credential', id },
        application: { id, mode: 'TEST' },
      }),
    );
  }
});
afterAll(() => world.close());

const Entries = z.array(
  z.object({
    id: z.int(),
    actorType: z.string(),
    actorId: z.int().nullable(),
    actor: z.string(),
    action: z.string(),
    targetType: z.string(),
    targetId: z.string(),
    applicationId: z.int().nullable(),
    address: z.string().nullable(),
    requestId: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
  }),
);

async function entries(query: string, token = root) {
  const answer = await world.send({ path: `/admin/audit-logs?${query}`, headers: bearer(token) });
  return { ...answer, rows: Entries.parse(answer.data) };
}

describe('the audit log', () => {
  test('says who did what to whom, from where, in which request, before and after', async () => {
    // An auditor must not have to guess.
    const body = { name: 'Desk', permissions: ['app:read'] };
    const created = await world.send({ method: 'POST', path: '/admin/roles', headers: bearer(root), body });
    const { id } = z.object({ id: z.int() }).parse(created.data);
    await world.send({
      method: 'PUT',
      path: `/admin/roles/${id}`,
      headers: bearer(root),
      body: { ...body, permissions: [] },
    });
    const { rows } = await entries(`targetType=role&targetId=${id}`);
    expect(rows.map(({ action }) => action)).toEqual(['role.changed', 'role.created']);
    expect(rows[0]).toMatchObject({
      actorType: 'USER',
      actor: 'root@example.com',
      address: '127.0.0.1',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      details: {
        before: { name: 'Desk', permissions: ['app:read'] },
        after: { name: 'Desk', permissions: [] },
      },
    });
    expect(rows[0]?.requestId).not.toBe(created.headers['x-request-id']);
    expect(rows[1]?.requestId).toBe(created.headers['x-request-id']);
  });

  test('finds by each filter, page after page and by cursor', async () => {
    // An auditor who pages through a filter must not miss an entry.
    const all = (await entries('paginate=false')).rows;
    expect(all.length).toBeGreaterThan(4);
    expect((await entries('action=session.opened')).rows.every(({ action }) => action === 'session.opened')).toBe(true);
    expect(
      (await entries('actorType=SYSTEM&action=credential.rotated')).rows.map(({ targetId }) => targetId).sort(),
    ).toEqual([String(app), String(other)].sort());
    const ofSubject = (await entries('action=credential&paginate=false')).rows.map(({ action }) => action);
    expect(ofSubject).toEqual(['credential.rotated', 'credential.rotated']);
    // The word before the dot, not any beginning.
    expect((await entries('action=creden')).rows).toEqual([]);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    expect((await entries(`from=${tomorrow}&paginate=false`)).rows).toEqual([]);
    expect((await entries(`to=${tomorrow}&paginate=false`)).rows.length).toBeGreaterThanOrEqual(all.length);
    const actorId = all.find(({ actor }) => actor === 'root@example.com')?.actorId;
    expect((await entries(`actorId=${actorId}&paginate=false`)).rows.length).toBe(
      all.filter((row) => row.actorId === actorId).length,
    );
    const walked = [];
    for (let cursor: string | null = null, page = 0; page < 50; page += 1) {
      const answer = await entries(`size=2${cursor === null ? '' : `&cursor=${cursor}`}`);
      walked.push(...answer.rows.map(({ id }) => id));
      cursor = answer.pagination?.nextCursor ?? null;
      if (cursor === null) {
        break;
      }
    }
    expect(walked).toEqual(all.map(({ id }) => id));
    const bad = await world.send({ path: '/admin/audit-logs?cursor=bm9uc2Vuc2U', headers: bearer(root) });
    expect(bad.status).toBe(400);
  });

  test('shows whoever may read it in one application only what is about that one', async () => {
    // Logins, operators and other tenants must not be visible to them.
    await world.addOperator({ email: 'scoped@example.com', role: 'Admin', applicationId: app });
    const { rows, pagination } = await entries('size=100', await world.logIn('scoped@example.com'));
    expect(rows.map(({ applicationId }) => applicationId)).toEqual([Number(app)]);
    expect(pagination?.totalElements).toBe(1);
  });

  test('holds no password, token or code of anybody', async () => {
    // Otherwise a reader of the log could use what is in it to log in.
    const { text } = await entries('paginate=false');
    expect(text).not.toMatch(/ops_|herons|argon2|whsec_|oi_test_/);
  });
});

describe('append-only', () => {
  test.each<[DatabaseRole]>([['owner'], ['lenden_operator'], ['lenden_system'], ['lenden_app']])(
    '%s can neither change nor remove an entry',
    async (role) => {
      // Otherwise somebody could hide what they did.
      const orm = await openOrm({ url: world.api.databaseUrl, role, poolSize: 1 });
      try {
        for (const sql of [
          `update audit_logs set actor = 'somebody else'`,
          'delete from audit_logs',
          'truncate audit_logs',
        ]) {
          await expect(orm.em.fork().execute(sql)).rejects.toMatchObject({
            code: expect.stringMatching(/^(23001|42501)$/),
          });
        }
      } finally {
        await orm.close();
      }
    },
  );

  test('an entry and its change are stored together or not at all', async () => {
    // Otherwise an action could be missing from the log, or an entry could describe an action that did not happen.
    const before = (await entries('paginate=false')).rows.length;
    await expect(
      world.database.withOperator('every-app', async (em) => {
        await em.execute(`insert into roles (name) values ('Half')`);
        await recordAudit(em, { actor: SYSTEM_ACTOR, action: 'role.created', target: { type: 'role', id: 'half' } });
        throw new Error('the transaction fails');
      }),
    ).rejects.toThrow('the transaction fails');
    expect((await entries('paginate=false')).rows.length).toBe(before);
    expect(await world.api.sql(`select from roles where name = 'Half'`)).toEqual([]);
  });
});
