import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { PERMISSIONS } from '../../../domain/permissions.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let shop: Registration;
const tokens: Record<string, string> = {};
const ids: Record<string, bigint> = {};
let made = 0;

beforeAll(async () => {
  world = await openOperatorWorld();
  await world.addOperator({ email: 'owner@example.com' });
  for (const name of ['first', 'second']) {
    ids[name] = await world.addOperator({ email: `${name}@example.com`, role: 'Admin' });
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
  shop = await world.api.register({ name: 'Shop' });
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.api.sql('update applications set refund_approval_threshold_minor = 5000 where id = ?', [
    shop.applicationId,
  ]);
});

const send = (method: string, path: string, body?: unknown, as = 'first'): Promise<Answer> =>
  world.send({ method, path, headers: bearer(tokens[as] ?? ''), ...(body === undefined ? {} : { body }) });
const decide = (
  id: number,
  word: 'confirm' | 'reject' | 'withdraw',
  as = 'second',
  path = 'pending-operator-changes',
) => send('POST', `/admin/${path}/${id}/${word}`, word === 'reject' ? { reason: 'not agreed' } : undefined, as);

const Named = z.object({ name: z.string() });
const Changes = z.array(
  z.looseObject({ id: z.int(), kind: z.string(), before: z.record(z.string(), z.unknown()), after: z.unknown() }),
);
const Created = z.object({
  operator: z.object({ id: z.int(), roles: z.array(Named), pendingChanges: Changes }),
});
const RoleAnswer = z.object({ id: z.int(), permissions: z.array(z.string()), pendingChanges: Changes });

const number = (): number => (made += 1);
async function role(permissions: readonly string[]) {
  const name = `Role ${number()}`;
  const { id } = RoleAnswer.parse((await send('POST', '/admin/roles', { name, permissions })).data);
  return { id, name };
}
async function roleNow(id: number): Promise<z.infer<typeof RoleAnswer>> {
  const roles = z.array(RoleAnswer).parse((await send('GET', '/admin/roles?size=100')).data);
  return roles.find((one) => one.id === id) ?? { id, permissions: [], pendingChanges: [] };
}
async function invite(roleId: number): Promise<z.infer<typeof Created>['operator']> {
  const email = `invited-${number()}@example.com`;
  const body = { email, name: 'Invited', grants: [{ roleId, applicationId: null }] };
  return Created.parse((await send('POST', '/admin/users', body)).data).operator;
}
const widen = async ({ id, name }: { id: number; name: string }, permissions: readonly string[]) =>
  RoleAnswer.parse((await send('PUT', `/admin/roles/${id}`, { name, permissions })).data);

describe('a permission', () => {
  const GUARDED = [
    'app:manage',
    'user:manage',
    'payment:review',
    'refund:create',
    'refund:approve',
    'reconciliation:manage',
  ];

  test.each(PERMISSIONS)(
    '%s is given alone only where it moves no money, decides on none and writes none off',
    async (permission) => {
      // Otherwise one person with three accounts could refund three times the threshold.
      const wanted = await role([permission]);
      const invited = await invite(wanted.id);
      const waits = GUARDED.includes(permission);
      expect(invited.roles).toEqual(waits ? [] : [{ name: wanted.name }]);
      expect(invited.pendingChanges).toHaveLength(waits ? 1 : 0);
      const desk = await role([]);
      await invite(desk.id);
      const widened = await widen(desk, [permission]);
      expect(widened).toMatchObject({ permissions: waits ? [] : [permission] });
      expect(widened.pendingChanges).toHaveLength(waits ? 1 : 0);
    },
  );

  test('refund:create comes with Support, so nobody makes, enables or resets such an operator alone', async () => {
    const list = z
      .array(z.object({ id: z.int(), name: z.string() }))
      .parse((await send('GET', '/admin/roles?size=100')).data);
    const support = list.find(({ name }) => name === 'Support')?.id ?? 0;
    const puppets = [await invite(support), await invite(support), await invite(support)];
    expect(puppets).toMatchObject(puppets.map(() => ({ roles: [], pendingChanges: [{ kind: 'operator-roles' }] })));
    const agent = await world.addOperator({ email: 'agent@example.com', role: 'Support' });
    expect((await send('POST', `/admin/users/${agent}/password-link`)).data).toMatchObject({ passwordLink: 'WAITING' });
    await send('POST', `/admin/users/${agent}/disable`);
    expect((await send('POST', `/admin/users/${agent}/enable`)).data).toMatchObject({
      status: 'DISABLED',
      pendingChanges: [{}, { kind: 'operator-enabling' }],
    });
  });
});

describe('a role that grows while somebody has it', () => {
  async function deskOfBob() {
    const desk = await role(['payment:read']);
    const email = `bob-${number()}@example.com`;
    const bob = await world.addOperator({ email, role: desk.name });
    return { desk, bob, email };
  }
  const GROWN = ['payment:read', 'refund:approve'];

  test('grows for those alone whom the second person was shown', async () => {
    // One person can give the role to somebody while it is harmless. They would then get the approval permission without confirmation.
    const { desk, bob, email } = await deskOfBob();
    const [proposed] = (await widen(desk, GROWN)).pendingChanges;
    const holder = { operatorId: String(bob), email, status: 'ACTIVE', applicationId: null };
    expect(proposed?.before).toMatchObject({ permissions: ['payment:read'], heldBy: [holder] });
    const puppet = await invite(desk.id);
    expect(puppet.roles).toEqual([{ name: desk.name }]);
    expect(await decide(proposed?.id ?? 0, 'confirm')).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
    expect(await roleNow(desk.id)).toMatchObject({ permissions: ['payment:read'] });
    const again = await widen(desk, GROWN);
    expect(again.pendingChanges).toMatchObject([
      { before: { heldBy: [holder, { operatorId: String(puppet.id), applicationId: null }] } },
    ]);
    expect((await decide(again.pendingChanges[0]?.id ?? 0, 'confirm')).status).toBe(200);
    expect(await roleNow(desk.id)).toMatchObject({ permissions: GROWN });
  });

  test('does not grow for somebody who was disabled, or had it elsewhere, when the change was proposed', async () => {
    const { desk, bob } = await deskOfBob();
    await send('POST', `/admin/users/${bob}/disable`);
    const disabled = (await widen(desk, GROWN)).pendingChanges[0];
    await send('POST', `/admin/users/${bob}/enable`);
    expect(await decide(disabled?.id ?? 0, 'confirm')).toMatchObject({ status: 409 });
    const everywhere = (await widen(desk, GROWN)).pendingChanges[0];
    await send('PUT', `/admin/users/${bob}/roles`, {
      grants: [{ roleId: desk.id, applicationId: Number(shop.applicationId) }],
    });
    expect(await decide(everywhere?.id ?? 0, 'confirm')).toMatchObject({ status: 409 });
  });
});

describe('a change that comes to nothing', () => {
  const hook = (path: string) =>
    send('PATCH', `/admin/apps/${shop.applicationId}/settings`, { webhookUrl: `https://shop.example/${path}` });
  const changeOf = ({ data }: Answer): number =>
    z.object({ pendingChanges: Changes }).parse(data).pendingChanges.at(-1)?.id ?? 0;

  test('because the same person proposed the same again is in the audit log, with what took its place', async () => {
    // Otherwise the log would contain a proposal without its end.
    const former = changeOf(await hook('same'));
    const later = changeOf(await hook('same'));
    expect(later).not.toBe(former);
    const entries = await world.api.sql<{ action: string; actor: string; after: object }>(
      `select action, actor, details->'after' as after from audit_logs
       where action = 'pending-change.withdrawn' and details->'after'->>'changeId' = ?`,
      [String(former)],
    );
    expect(entries).toEqual([
      {
        action: 'pending-change.withdrawn',
        actor: 'first@example.com',
        after: { changeId: String(former), proposedBy: String(ids['first']), supersededBy: String(later) },
      },
    ]);
  });

  test('because its proposer may not propose it any more says so', async () => {
    // An operator who reads that the target has changed would look for a change that does not exist.
    const id = changeOf(await hook('orphaned'));
    await world.api.sql(`update operators set status = 'DISABLED' where id = ?`, [ids['first']]);
    const answer = await decide(id, 'confirm', 'second', 'pending-changes');
    await world.api.sql(`update operators set status = 'ACTIVE' where id = ?`, [ids['first']]);
    expect(answer).toMatchObject({
      status: 409,
      code: 'INVALID_OPERATION_STATE',
      message: expect.stringContaining('the operator who proposed this no longer has the permission'),
    });
  });
});
