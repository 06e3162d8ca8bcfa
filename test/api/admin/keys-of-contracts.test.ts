import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { httpCall } from '../http-call.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let admin: string;
let app: string;
let native: { testApiKey: string; testApiSecret: string };

beforeAll(async () => {
  world = await openOperatorWorld();
  await world.addOperator({ email: 'owner@example.com' });
  await world.addOperator({ email: 'admin@example.com', role: 'Admin' });
  admin = await world.logIn('admin@example.com');
  const { data } = await send('POST', '/admin/apps', { name: 'Storefront' });
  const registered = data as { application: { id: number }; credentials: typeof native };
  app = `/admin/apps/${registered.application.id}`;
  native = registered.credentials;
});
afterAll(() => world.close());

const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
  world.send({ method, path, headers: bearer(admin), ...(body === undefined ? {} : { body }) });

interface Issued {
  readonly credentialId: number;
  readonly apiKey: string;
  readonly apiSecret: string | null;
}

async function statusOf(key: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  return (await httpCall({ origin: world.origin, path: '/api/v1/transactions', headers })).status;
}

async function nativeStatus(): Promise<number> {
  const headers = { 'x-api-key': native.testApiKey, 'x-api-secret': native.testApiSecret };
  return (await httpCall({ origin: world.origin, path: '/api/v1/app/me', headers })).status;
}

describe("an app's OwnPay keys", () => {
  const wanted = { mode: 'TEST', contract: 'ownpay', label: 'Storefront' };

  test('are issued beside each other, shown once, listed with their scopes, and revoked one by one', async () => {
    // Each integration has its own key, which can be revoked alone.
    const first = (await send('POST', `${app}/credentials`, wanted)).data as Issued;
    const answer = await send('POST', `${app}/credentials`, { ...wanted, scopes: ['read'] });
    const second = answer.data as Issued;
    expect(answer.status).toBe(201);
    expect(first).toMatchObject({ apiKey: expect.stringMatching(/^op_[0-9a-f]{8}\.[0-9a-f]{48}$/), apiSecret: null });
    expect([await statusOf(first.apiKey), await statusOf(second.apiKey)]).toEqual([200, 200]);
    const listed = await send('GET', `${app}/credentials`);
    expect(listed.text).not.toContain(first.apiKey.slice(12));
    expect(listed.data).toMatchObject({
      0: {
        id: second.credentialId,
        contract: 'ownpay',
        label: 'Storefront',
        prefix: second.apiKey.slice(0, 11),
        scopes: ['read'],
      },
      1: { id: first.credentialId, contract: 'ownpay', scopes: ['read', 'write'] },
      2: { contract: 'native', prefix: null, scopes: null },
    });
    expect((await send('POST', `${app}/credentials/${first.credentialId}/revoke`)).status).toBe(200);
    expect([await statusOf(first.apiKey), await statusOf(second.apiKey)]).toEqual([401, 200]);
  });

  test('are rotated without touching the keys of another contract, nor the other way round', async () => {
    // Otherwise a rotation for one integration would stop another.
    const before = (await send('POST', `${app}/credentials`, wanted)).data as Issued;
    const rotated = (await send('POST', `${app}/credentials/rotate`, { ...wanted, graceHours: 0 })).data as Issued;
    expect([await statusOf(before.apiKey), await statusOf(rotated.apiKey), await nativeStatus()]).toEqual([
      401, 200, 200,
    ]);
    await send('POST', `${app}/credentials/rotate`, { mode: 'TEST', graceHours: 0 });
    expect([await statusOf(rotated.apiKey), await nativeStatus()]).toEqual([200, 401]);
  });

  test.each([
    { ...wanted, scopes: [] },
    { ...wanted, scopes: ['admin'] },
    { ...wanted, contract: 'other' },
    { mode: 'TEST', scopes: ['read'] },
  ])('are not issued for %j', async (body) => {
    // The permissions of a key must never be guessed.
    expect((await send('POST', `${app}/credentials`, body)).status).toBe(400);
  });

  test('issuing is in the log, without the key', async () => {
    // An auditor has to see which operator issued a key.
    const rows = await world.api.sql<{ action: string; details: string }>(
      `select action, details::text from audit_logs where action like 'credential.%' order by id`,
    );
    expect(new Set(rows.map(({ action }) => action))).toEqual(
      new Set(['credential.issued', 'credential.revoked', 'credential.rotated']),
    );
    expect(rows.some(({ details }) => details.includes('op_'))).toBe(false);
  });
});
