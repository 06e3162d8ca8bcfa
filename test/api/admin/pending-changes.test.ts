import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { storeSecretParts } from '../../../runtime/sealed-places.ts';
import { z } from 'zod';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { forgetExpiredSecrets } from '../../../core/operators/store/pending-changes.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

const SECRET = 'canary-of-a-store-password';

let world: OperatorWorld;
let shop: Registration;
const tokens: Record<string, string> = {};
const ids: Record<string, bigint> = {};
const roles = new Map<string, number>();

beforeAll(async () => {
  world = await openOperatorWorld();
  const elsewhere = await world.api.register({ name: 'Elsewhere' });
  const people = [
    ['owner', 'Super Admin', null],
    ['first', 'Admin', null],
    ['second', 'Admin', null],
    ['elsewhere', 'Admin', elsewhere.applicationId],
  ] as const;
  for (const [name, role, applicationId] of people) {
    ids[name] = await world.addOperator({ email: `${name}@example.com`, role, applicationId });
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
  const list = await send('GET', '/admin/roles?size=100', undefined, 'owner');
  for (const { id, name } of z.array(z.object({ id: z.int(), name: z.string() })).parse(list.data)) {
    roles.set(name, id);
  }
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.api.sql(
    `update applications set refund_approval_threshold_minor = null, refund_approval_thresholds = '{}'`,
  );
  await world.api.sql(`delete from gateway_configurations where application_id is null`);
  shop = await world.api.register({ name: 'Shop', webhookUrl: 'https://shop.example/hook' });
});

const send = (method: string, path: string, body?: unknown, as = 'first'): Promise<Answer> =>
  world.send({ method, path, headers: bearer(tokens[as] ?? ''), ...(body === undefined ? {} : { body }) });
const settings = (body: object, as = 'first') => send('PATCH', `/admin/apps/${shop.applicationId}/settings`, body, as);
const setThreshold = (applicationId: bigint = shop.applicationId) =>
  world.api.sql('update applications set refund_approval_threshold_minor = 5000 where id = ?', [applicationId]);

const Changes = z.array(z.looseObject({ id: z.int(), status: z.string(), kind: z.string() }));
const changesOf = ({ data }: Answer) => {
  const inOperator = z.object({ operator: z.object({ pendingChanges: Changes }) }).safeParse(data);
  return inOperator.success
    ? inOperator.data.operator.pendingChanges
    : z.object({ pendingChanges: Changes }).parse(data).pendingChanges;
};
const changeIdOf = (answer: Answer): number => changesOf(answer)[0]?.id ?? 0;
const decide = (id: number, word: 'confirm' | 'reject' | 'withdraw', as: string, path = 'pending-changes') =>
  send('POST', `/admin/${path}/${id}/${word}`, word === 'reject' ? { reason: 'not agreed' } : undefined, as);
const appNow = async (): Promise<unknown> => (await send('GET', `/admin/apps/${shop.applicationId}`)).data;

describe('settings that guard the rule of two', () => {
  const CHANGES = [
    ['a higher threshold', { refundApprovalThresholdMinor: 9_000_000 }],
    ['no threshold', { refundApprovalThresholdMinor: null }],
    ['a threshold of another currency', { refundApprovalThresholds: { USD: 100 } }],
    ['another webhook URL', { webhookUrl: 'https://thief.example/hook' }],
    ['no webhook URL', { webhookUrl: null }],
    ['a webhook URL for TEST alone', { testWebhookUrl: 'https://thief.example/hook' }],
    ['other return origins', { returnOrigins: ['https://thief.example'] }],
    ['unapplied money that goes back without a word', { unappliedPaymentPolicy: 'REFUND' }],
  ] as const;

  test.each(CHANGES)('are changed to %s by two people once a threshold is set', async (_name, change) => {
    // Otherwise one person could raise the threshold, refund, and restore it.
    await setThreshold();
    const before = await appNow();
    const answer = await settings(change);
    expect(answer).toMatchObject({ status: 200, data: { ...(before as object), pendingChanges: [{ after: change }] } });
    const id = changeIdOf(answer);
    expect(await decide(id, 'confirm', 'first')).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect(await decide(id, 'confirm', 'elsewhere')).toMatchObject({ status: 404 });
    expect(await appNow()).toMatchObject({ ...(before as object), pendingChanges: [{ id, status: 'PENDING' }] });
    expect(await decide(id, 'confirm', 'second')).toMatchObject({
      status: 200,
      data: { status: 'CONFIRMED', proposedBy: `operator:${ids['first']}`, decidedBy: `operator:${ids['second']}` },
    });
    expect(await appNow()).toMatchObject({ ...change, pendingChanges: [] });
    expect(await decide(id, 'confirm', 'second')).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
    const entries = await world.api.sql<{ action: string; actor: string }>(
      `select action, actor from audit_logs where target_type = 'application' and target_id = ? order by id`,
      [String(shop.applicationId)],
    );
    expect(entries.map(({ action, actor }) => `${action} ${actor}`)).toEqual([
      'pending-change.proposed first@example.com',
      'application.settings-changed second@example.com',
      'pending-change.confirmed second@example.com',
    ]);
  });

  test('need the password to have been shown lately, and one person where no threshold is set', async () => {
    // The first threshold needs only a step-up, since it cannot weaken an existing rule.
    await world.makeStale();
    expect(await settings({ webhookUrl: null })).toMatchObject({ status: 401, code: 'REAUTH_REQUIRED' });
    await world.api.sql('update operator_sessions set reauthenticated_at = now()');
    const set = { refundApprovalThresholdMinor: 5_000, refundApprovalThresholds: { USD: 300 }, webhookUrl: null };
    expect((await settings(set)).data).toMatchObject({ ...set, pendingChanges: [] });
    expect((await settings({ refundApprovalThresholds: { BDT: 300 } })).code).toBe('VALIDATION_ERROR');
  });

  test('wait alone: what else a request changes is changed at once, and what stays as it is does not wait', async () => {
    // A name has no effect on money.
    await setThreshold();
    const answer = await settings({
      name: 'Renamed',
      webhookUrl: 'https://shop.example/hook',
      returnOrigins: ['https://a.example'],
    });
    expect(answer.data).toMatchObject({
      name: 'Renamed',
      returnOrigins: [],
      pendingChanges: [{ before: { returnOrigins: [] }, after: { returnOrigins: ['https://a.example'] } }],
    });
    expect(changesOf(await settings({ returnOrigins: ['https://a.example'] }))).toHaveLength(1);
  });

  test('are not confirmed when they have changed since, when it is too late, or when who proposed has gone', async () => {
    // The second person must confirm exactly what they were shown.
    await setThreshold();
    const propose = async (): Promise<number> => changeIdOf(await settings({ webhookUrl: 'https://new.example/hook' }));
    const refused = { status: 409, code: 'INVALID_OPERATION_STATE' };
    const outdated = await propose();
    await world.api.sql(`update webhook_endpoints set url = 'https://other.example/' where application_id = ?`, [
      shop.applicationId,
    ]);
    expect(await decide(outdated, 'confirm', 'second')).toMatchObject(refused);
    expect(await decide(outdated, 'withdraw', 'second')).toMatchObject({ status: 403 });
    expect(await decide(outdated, 'reject', 'first')).toMatchObject({ status: 403 });
    expect(await decide(outdated, 'withdraw', 'first')).toMatchObject({ data: { status: 'WITHDRAWN' } });
    const late = await propose();
    await world.api.sql(`update pending_changes set expires_at = now() where id = ?`, [late]);
    expect(await decide(late, 'confirm', 'second')).toMatchObject(refused);
    const listed = await send('GET', `/admin/pending-changes?status=EXPIRED&applicationId=${shop.applicationId}`);
    expect(listed.data).toMatchObject([{ id: late, status: 'EXPIRED' }]);
    const orphaned = await propose();
    await world.api.sql(`update operators set status = 'DISABLED' where id = ?`, [ids['first']]);
    expect(await decide(orphaned, 'confirm', 'second')).toMatchObject(refused);
    await world.api.sql(`update operators set status = 'ACTIVE' where id = ?`, [ids['first']]);
    expect(await decide(orphaned, 'reject', 'second')).toMatchObject({
      data: { status: 'REJECTED', reason: 'not agreed' },
    });
  });

  test('are confirmed once, whoever comes at the same moment', async () => {
    await setThreshold();
    const id = changeIdOf(await settings({ webhookUrl: null }));
    const answers = await Promise.all(['second', 'owner', 'second'].map((as) => decide(id, 'confirm', as)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409, 409]);
  });
});

describe('the store of a gateway', () => {
  const store = { gateway: 'sslcommerz', mode: 'TEST', storeId: 'thief', storePassword: SECRET };
  const override = (as = 'first') => send('PUT', `/admin/apps/${shop.applicationId}/gateway-override`, store, as);
  const storeNow = async (): Promise<unknown> =>
    ((await send('GET', `/admin/apps/${shop.applicationId}/gateways`)).data as { mode: string }[]).find(
      ({ mode }) => mode === 'TEST',
    );

  test('of an application is chosen and cleared by two people once a threshold is set, and its password is seen nowhere', async () => {
    // Otherwise one person could choose the account into which payers pay.
    await setThreshold();
    const proposed = await override();
    expect(proposed.data).toMatchObject({
      storeId: 'teststore',
      source: 'ENVIRONMENT',
      pendingChanges: [{ kind: 'gateway-store' }],
    });
    expect(await storeNow()).toMatchObject({ storeId: 'teststore' });
    const id = changeIdOf(proposed);
    const confirmed = await decide(id, 'confirm', 'second');
    expect(confirmed.data).toMatchObject({ status: 'CONFIRMED', after: { storeId: 'thief' } });
    expect(await storeNow()).toMatchObject({ storeId: 'thief', source: 'APPLICATION', pendingChanges: [] });
    const [kept] = await world.api.sql<{ store_secret: string }>(
      `select key::text || ':' || store_secret as store_secret from gateway_configurations where application_id = ?`,
      [shop.applicationId],
    );
    const { place, sealed } = storeSecretParts(kept?.store_secret ?? '');
    expect(world.api.secrets.open(sealed, place)).toBe(SECRET);
    const everything = await world.api.sql<{ row: unknown }>(
      `select to_jsonb(c) as row from pending_changes c union all select to_jsonb(a) from audit_logs a`,
    );
    expect(JSON.stringify(everything) + proposed.text + confirmed.text).not.toContain(SECRET);
    expect(await world.api.sql('select 1 from pending_changes where id = ? and secret is not null', [id])).toEqual([]);
    const cleared = await send('DELETE', `/admin/apps/${shop.applicationId}/gateway-override/TEST`);
    expect(cleared.status).toBe(200);
    expect(await storeNow()).toMatchObject({
      storeId: 'thief',
      pendingChanges: [{ kind: 'gateway-store-retirement' }],
    });
    await decide(
      ((await storeNow()) as { pendingChanges: { id: number }[] }).pendingChanges[0]?.id ?? 0,
      'confirm',
      'second',
    );
    expect(await storeNow()).toMatchObject({ storeId: 'teststore', pendingChanges: [] });
  });

  test('of every application waits where it opens the checkouts of one with a threshold', async () => {
    // The change does not affect an application with its own store.
    const put = (storeId: string) => send('PUT', '/admin/gateways/sslcommerz/TEST', { storeId, storePassword: SECRET });
    expect((await override()).data).toMatchObject({ storeId: 'thief' });
    await setThreshold();
    expect((await put('ofall')).data).toMatchObject({ storeId: 'ofall', pendingChanges: [] });
    const another = await world.api.register({});
    await setThreshold(another.applicationId);
    const waiting = await put('ofthief');
    expect(waiting.data).toMatchObject({ storeId: 'ofall', pendingChanges: [{ applicationId: null }] });
    // A change for all applications is confirmed by an operator who manages all of them.
    expect(await decide(changeIdOf(waiting), 'confirm', 'elsewhere')).toMatchObject({ status: 404 });
    expect((await put('ofthird')).status).toBe(200);
    expect((await decide(changeIdOf(waiting), 'confirm', 'second')).status).toBe(200);
    const [, third] = changesOf(await put('ofthird'));
    expect(third).toBeUndefined();
    await send('GET', '/admin/gateways');
  });

  test('leaves no password behind when nobody confirms in time', async () => {
    // An unused secret could only be stolen.
    await setThreshold();
    const id = changeIdOf(await override());
    const kept = () => world.api.sql('select 1 from pending_changes where id = ? and secret is not null', [id]);
    await world.database.withSystem(forgetExpiredSecrets);
    expect(await kept()).toHaveLength(1);
    await world.api.sql('update pending_changes set expires_at = now() where id = ?', [id]);
    await world.database.withSystem(forgetExpiredSecrets);
    expect(await kept()).toEqual([]);
  });

  test('is not confirmed when somebody has touched it since', async () => {
    await setThreshold();
    const id = changeIdOf(await override());
    await world.api.sql(
      `insert into gateway_configurations (application_id, mode, gateway, store_id, key, store_secret)
       values (?, 'TEST', 'sslcommerz', 'other', gen_random_uuid(), 'x')`,
      [shop.applicationId],
    );
    expect(await decide(id, 'confirm', 'second')).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
  });
});

describe('who says the second word', () => {
  const CHANGES = 'pending-operator-changes';
  let made = 0;
  async function person(role: string, applicationId: bigint | null = null): Promise<bigint> {
    made += 1;
    return world.addOperator({ email: `person-${made}@example.com`, role, applicationId });
  }
  const grant = (name: string, applicationId: bigint | null = null) => ({
    roleId: roles.get(name),
    applicationId: applicationId === null ? null : Number(applicationId),
  });
  const rolesOf = async (id: bigint | number): Promise<string[]> =>
    ((await send('GET', `/admin/users/${id}`)).data as { roles: { name: string }[] }).roles.map(({ name }) => name);

  test('is made so by two people once a threshold is set', async () => {
    // Otherwise one person with two accounts could act as two people.
    await setThreshold();
    const id = await person('Viewer');
    const answer = await send('PUT', `/admin/users/${id}/roles`, { grants: [grant('Finance')] });
    expect(answer.data).toMatchObject({ roles: [{ name: 'Viewer' }], pendingChanges: [{ kind: 'operator-roles' }] });
    const change = changeIdOf(answer);
    expect(await decide(change, 'confirm', 'first', CHANGES)).toMatchObject({ status: 403 });
    expect(await rolesOf(id)).toEqual(['Viewer']);
    expect((await decide(change, 'confirm', 'second', CHANGES)).status).toBe(200);
    expect(await rolesOf(id)).toEqual(['Finance']);
    // One person is enough to remove permissions, or to give permissions that only allow reading.
    expect((await send('PUT', `/admin/users/${id}/roles`, { grants: [grant('Viewer')] })).data).toMatchObject({
      roles: [{ name: 'Viewer' }],
    });
  });

  test('does not confirm it for themselves, nor what they do not hold', async () => {
    await setThreshold();
    const answer = await send('PUT', `/admin/users/${ids['second']}/roles`, {
      grants: [grant('Admin'), grant('Finance')],
    });
    const change = changeIdOf(answer);
    expect(await decide(change, 'confirm', 'second', CHANGES)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect(await decide(change, 'confirm', 'elsewhere', CHANGES)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    const chief = await send(
      'PUT',
      `/admin/users/${await person('Viewer')}/roles`,
      { grants: [grant('Super Admin')] },
      'owner',
    );
    expect(await decide(changeIdOf(chief), 'confirm', 'first', CHANGES)).toMatchObject({ status: 403 });
  });

  test('is asked for where the role counts only', async () => {
    // In an application without a threshold, no change waits.
    await setThreshold();
    const other = await world.api.register({});
    const id = await person('Viewer');
    const body = { grants: [grant('Finance', other.applicationId)] };
    expect((await send('PUT', `/admin/users/${id}/roles`, body)).data).toMatchObject({
      roles: [{ name: 'Finance' }],
      pendingChanges: [],
    });
    const there = { grants: [grant('Finance', shop.applicationId)] };
    expect(changesOf(await send('PUT', `/admin/users/${id}/roles`, there))).toHaveLength(1);
  });

  test('is not confirmed by a role that has grown since', async () => {
    // The second person must confirm exactly what they were shown.
    await setThreshold();
    const role = { name: 'Night desk', permissions: ['refund:approve'] };
    const made = await send('POST', '/admin/roles', role);
    const { id: roleId } = made.data as { id: number };
    const body = { grants: [{ roleId, applicationId: null }] };
    const answer = await send('PUT', `/admin/users/${await person('Viewer')}/roles`, body);
    expect(answer.data).toMatchObject({ pendingChanges: [{ after: { permissions: [['refund:approve']] } }] });
    // The role has no holders yet, so one person can change it.
    await send('PUT', `/admin/roles/${roleId}`, { ...role, permissions: ['refund:approve', 'user:manage'] });
    expect(await decide(changeIdOf(answer), 'confirm', 'second', CHANGES)).toMatchObject({ status: 409 });
  });

  test('is no new operator before somebody else has confirmed', async () => {
    await setThreshold();
    const body = { email: 'puppet@example.com', name: 'Puppet', grants: [grant('Admin')] };
    const created = await send('POST', '/admin/users', body);
    expect(created).toMatchObject({ status: 201, data: { operator: { roles: [], passwordSet: false } } });
    expect((await decide(changeIdOf(created), 'confirm', 'second', CHANGES)).status).toBe(200);
    const { operator } = created.data as { operator: { id: number } };
    expect(await rolesOf(operator.id)).toEqual(['Admin']);
  });

  test('is not gained through a role that grows, or an account that comes back or is reset', async () => {
    // Each of these would let one person act as two.
    const desk = await send('POST', '/admin/roles', { name: 'Desk', permissions: ['payment:read'] });
    const roleId = (desk.data as { id: number }).id;
    roles.set('Desk', roleId);
    await person('Desk');
    const approver = await person('Finance');
    await setThreshold();
    const grown = { name: 'Desk', permissions: ['payment:read', 'refund:approve'] };
    const role = await send('PUT', `/admin/roles/${roleId}`, grown);
    expect(role.data).toMatchObject({ permissions: ['payment:read'] });
    expect((await decide(changeIdOf(role), 'confirm', 'second', CHANGES)).status).toBe(200);
    const list = await send('GET', '/admin/roles?size=100');
    expect(list.data).toContainEqual(expect.objectContaining({ id: roleId, permissions: grown.permissions }));
    await send('POST', `/admin/users/${approver}/disable`);
    const enabling = await send('POST', `/admin/users/${approver}/enable`);
    expect(enabling.data).toMatchObject({ status: 'DISABLED', pendingChanges: [{ kind: 'operator-enabling' }] });
    expect((await decide(changeIdOf(enabling), 'confirm', 'second', CHANGES)).status).toBe(200);
    const reset = await send('POST', `/admin/users/${approver}/password-link`);
    expect(reset.data).toMatchObject({ passwordLink: 'WAITING', operator: { status: 'ACTIVE' } });
    const links = () => world.api.sql('select 1 from operator_links where operator_id = ?', [approver]);
    expect(await links()).toEqual([]);
    expect((await decide(changeIdOf(reset), 'confirm', 'second', CHANGES)).status).toBe(200);
    expect(await links()).toHaveLength(1);
  });
});
