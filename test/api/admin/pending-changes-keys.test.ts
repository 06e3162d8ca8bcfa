import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createAuthenticator } from '../../../api/native/authenticate.ts';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { issueCredential, revokeUnconfirmed, rotateCredential } from '../../../core/applications/store/credentials.ts';
import { httpCall } from '../http-call.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let shop: Registration;
const tokens: Record<string, string> = {};
const ids: Record<string, bigint> = {};

beforeAll(async () => {
  world = await openOperatorWorld();
  const elsewhere = await world.api.register({ name: 'Elsewhere' });
  await world.addOperator({ email: 'owner@example.com' });
  for (const [name, applicationId] of [
    ['first', null],
    ['second', null],
    ['elsewhere', elsewhere.applicationId],
  ] as const) {
    ids[name] = await world.addOperator({ email: `${name}@example.com`, role: 'Admin', applicationId });
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());
beforeEach(async () => {
  shop = await world.api.register({ name: 'Shop' });
  await setThreshold('5000');
});

const setThreshold = (minor: string | null, others = '{}') =>
  world.api.sql(
    'update applications set refund_approval_threshold_minor = ?::bigint, refund_approval_thresholds = ?::jsonb where id = ?',
    [minor, others, shop.applicationId],
  );
const send = (method: string, path: string, body?: unknown, as = 'first'): Promise<Answer> =>
  world.send({ method, path, headers: bearer(tokens[as] ?? ''), ...(body === undefined ? {} : { body }) });
const keys = (): string => `/admin/apps/${shop.applicationId}/credentials`;
const decide = (id: number, word: 'confirm' | 'reject' | 'withdraw', as: string): Promise<Answer> =>
  send(
    'POST',
    `/admin/pending-changes/${id}/${word}`,
    word === 'reject' ? { reason: 'nobody needs it' } : undefined,
    as,
  );

const Issued = z.object({
  credentialId: z.int(),
  contract: z.enum(['native', 'ownpay', 'shadhinpay']),
  apiKey: z.string(),
  apiSecret: z.string().nullable(),
  business: z.object({ clientId: z.string(), businessId: z.string() }).nullable(),
  status: z.string(),
  pendingChanges: z.array(z.looseObject({ id: z.int(), kind: z.string(), after: z.record(z.string(), z.unknown()) })),
});
type Issued = z.infer<typeof Issued>;

async function issue(contract: Issued['contract'], mode = 'LIVE'): Promise<Issued> {
  const answer = await send('POST', keys(), { mode, contract, label: 'Storefront' });
  expect(answer.status).toBe(201);
  return Issued.parse(answer.data);
}
const changeOf = ({ pendingChanges: [change] }: Issued): number => change?.id ?? 0;

/** Sends a request with the key and returns the answer in the format of its contract. */
async function use({
  contract,
  apiKey,
  apiSecret,
  business,
}: Omit<Issued, 'credentialId' | 'status' | 'pendingChanges'>) {
  const { origin } = world;
  const { path, headers } =
    contract === 'native'
      ? { path: '/api/v1/app/me', headers: { 'x-api-key': apiKey, 'x-api-secret': apiSecret ?? '' } }
      : contract === 'ownpay'
        ? { path: '/api/v1/transactions', headers: { authorization: `Bearer ${apiKey}` } }
        : {
            path: '/api/v1/payments',
            headers: {
              'client-id': business?.clientId ?? '',
              'business-id': business?.businessId ?? '',
              'x-api-key': apiKey,
            },
          };
  const { status, text } = await httpCall({ origin, path, headers });
  return { status, text: text.replaceAll(/"(requestId|request_id|timestamp)":"[^"]*"/g, '') };
}

const audited = async (): Promise<string[]> => {
  const rows = await world.api.sql<{ action: string; actor: string; by: string | null }>(
    `select action, actor, details->'after'->>'proposedBy' as by from audit_logs where target_type = 'application' and target_id = ? order by id`,
    [String(shop.applicationId)],
  );
  return rows.map(({ action, actor, by }) => [action, actor, ...(by === null ? [] : [by])].join(' '));
};

describe('a LIVE key of an application with a threshold', () => {
  test.each(['native', 'ownpay', 'shadhinpay'] as const)(
    'in the %s contract works once a second person has confirmed it',
    async (contract) => {
      // No threshold limits what a key refunds, so an operator who could create one alone could refund alone.
      const key = await issue(contract);
      expect(key).toMatchObject({
        status: 'PENDING',
        pendingChanges: [{ kind: 'credential', after: { credentialId: key.credentialId, mode: 'LIVE', contract } }],
      });
      const last = key.apiKey.at(-1) === '0' ? '1' : '0';
      const unknown = await use({ ...key, apiKey: `${key.apiKey.slice(0, -1)}${last}` });
      expect(unknown.status).toBe(401);
      expect(await use(key)).toEqual(unknown);
      const id = changeOf(key);
      expect((await send('GET', `/admin/apps/${shop.applicationId}`)).data).toMatchObject({ pendingChanges: [{ id }] });
      expect(await decide(id, 'confirm', 'first')).toMatchObject({ status: 403, code: 'FORBIDDEN' });
      expect(await decide(id, 'confirm', 'elsewhere')).toMatchObject({ status: 404 });
      expect((await use(key)).status).toBe(401);
      expect((await send('GET', keys())).data).toMatchObject({ 0: { id: key.credentialId, status: 'PENDING' } });
      expect(await decide(id, 'confirm', 'second')).toMatchObject({ status: 200, data: { status: 'CONFIRMED' } });
      expect((await use(key)).status).toBe(200);
      expect((await send('GET', keys())).data).toMatchObject({ 0: { status: 'ACTIVE', expiresAt: null } });
      const by = String(ids['first']);
      expect(await audited()).toEqual([
        'pending-change.proposed first@example.com',
        `credential.issued second@example.com ${by}`,
        `pending-change.confirmed second@example.com ${by}`,
      ]);
      const everything = await world.api.sql<{ row: unknown }>(
        `select to_jsonb(c) as row from pending_changes c union all select to_jsonb(a) from audit_logs a`,
      );
      expect(JSON.stringify(everything)).not.toContain(key.apiSecret ?? key.apiKey);
    },
  );

  test('costs no hash before it is confirmed, and is remembered by no process', async () => {
    // An unconfirmed key must not keep threads busy with hashing, and no process may keep a cached verdict for it.
    const { apiKey, apiSecret, ...key } = await issue('native');
    let hashes = 0;
    const guesses = { take: () => void (hashes += 1), release: () => undefined };
    const { authenticate } = createAuthenticator(world.database);
    const refused = { code: 'UNAUTHORIZED', message: 'the API key or secret is not valid' };
    await expect(authenticate({ apiKey, apiSecret: apiSecret ?? '', guesses })).rejects.toMatchObject(refused);
    expect(hashes).toBe(0);
    await decide(changeOf({ apiKey, apiSecret, ...key }), 'confirm', 'second');
    expect(await authenticate({ apiKey, apiSecret: apiSecret ?? '', guesses })).toMatchObject({
      scope: { mode: 'LIVE' },
    });
    expect(hashes).toBe(1);
  });

  test.each([
    ['rejected by a second person', 'reject', 'second', 'REJECTED'],
    ['withdrawn by whoever asked for it', 'withdraw', 'first', 'WITHDRAWN'],
  ] as const)('that is %s is revoked', async (_name, word, as, status) => {
    // Otherwise a rejected key could be confirmed later by mistake.
    const key = await issue('ownpay');
    expect(await decide(changeOf(key), word, as)).toMatchObject({ status: 200, data: { status } });
    expect((await use(key)).status).toBe(401);
    expect((await send('GET', keys())).data).toMatchObject({ 0: { id: key.credentialId, status: 'REVOKED' } });
    expect(await decide(changeOf(key), 'confirm', 'second')).toMatchObject({ status: 409 });
    expect((await audited()).slice(1)).toEqual([
      `credential.revoked ${as}@example.com ${ids['first']}`,
      `pending-change.${status.toLowerCase()} ${as}@example.com ${ids['first']}`,
    ]);
  });

  test('that was revoked meanwhile is not confirmed any more', async () => {
    // One person can always revoke a key, and nothing undoes that.
    const key = await issue('ownpay');
    expect((await send('POST', `${keys()}/${key.credentialId}/revoke`)).data).toMatchObject({ status: 'REVOKED' });
    expect(await decide(changeOf(key), 'confirm', 'second')).toMatchObject({
      status: 409,
      code: 'INVALID_OPERATION_STATE',
    });
    expect((await use(key)).status).toBe(401);
  });

  test('that nobody confirms in time is revoked', async () => {
    const key = await issue('ownpay');
    await world.database.withSystem(revokeUnconfirmed);
    expect((await send('GET', keys())).data).toMatchObject({ 0: { status: 'PENDING' } });
    await world.api.sql(`update pending_changes set expires_at = now() where id = ?`, [changeOf(key)]);
    await world.api.sql(`update credentials set expires_at = now() where id = ?`, [key.credentialId]);
    expect(await decide(changeOf(key), 'confirm', 'second')).toMatchObject({ status: 409 });
    await world.database.withSystem(revokeUnconfirmed);
    expect((await send('GET', keys())).data).toMatchObject({ 0: { status: 'REVOKED' } });
  });

  test('waits with a threshold of any currency, and with none it does not', async () => {
    await setThreshold(null);
    expect(await issue('native')).toMatchObject({ status: 'ACTIVE', pendingChanges: [] });
    await setThreshold(null, '{"USD": 100}');
    expect(await issue('native')).toMatchObject({ status: 'PENDING' });
  });
});

test('a rotation ends the former keys when it is confirmed, and not before', async () => {
  // Otherwise a shop could not take payments until its new keys work.
  const former = { contract: 'native', ...shop.live, business: null } as const;
  const answer = await send('POST', `${keys()}/rotate`, { mode: 'LIVE', graceHours: 0 });
  const key = Issued.parse(answer.data);
  expect(answer.data).toMatchObject({
    status: 'PENDING',
    previousKeyExpiresAt: null,
    pendingChanges: [{ kind: 'credential-rotation', after: { graceHours: 0 } }],
  });
  expect([(await use(former)).status, (await use(key)).status]).toEqual([200, 401]);
  expect((await decide(changeOf(key), 'confirm', 'second')).status).toBe(200);
  expect([(await use(former)).status, (await use(key)).status]).toEqual([401, 200]);
  expect((await audited())[1]).toBe(`credential.rotated second@example.com ${ids['first']}`);
});

test('a rotation that is confirmed late leaves alone what was issued after it', async () => {
  // A rotation replaces only the keys that existed when it was proposed.
  const rotated = Issued.parse((await send('POST', `${keys()}/rotate`, { mode: 'LIVE', graceHours: 0 })).data);
  const later = await issue('native');
  await decide(changeOf(later), 'confirm', 'second');
  await decide(changeOf(rotated), 'confirm', 'second');
  expect([(await use(later)).status, (await use(rotated)).status]).toEqual([200, 200]);
});

test('a TEST key works at once, and so does one that is made on the server', async () => {
  // TEST keys move no money, and an administrator of the server can do everything anyway.
  const { applicationId } = shop;
  expect(await issue('ownpay', 'TEST')).toMatchObject({ status: 'ACTIVE', pendingChanges: [] });
  const { database } = world;
  const issued = await issueCredential({ database }, { applicationId, mode: 'LIVE', contract: 'ownpay' });
  const rotated = await rotateCredential({ database }, { applicationId, mode: 'LIVE', contract: 'ownpay' });
  for (const { apiKey, apiSecret, business } of [issued, rotated]) {
    expect((await use({ contract: 'ownpay', apiKey, apiSecret, business })).status).toBe(200);
  }
});
