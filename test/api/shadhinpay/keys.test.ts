import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from '../admin/operator-world.ts';
import { shadhinpayCall } from './shadhinpay-client.ts';

let world: OperatorWorld;
let admin: string;
let app: string;
let appId: number;

beforeAll(async () => {
  world = await openOperatorWorld();
  await world.addOperator({ email: 'owner@example.com' });
  await world.addOperator({ email: 'admin@example.com', role: 'Admin' });
  admin = await world.logIn('admin@example.com');
  const { data } = await send('POST', '/admin/apps', { name: 'Storefront' });
  appId = (data as { application: { id: number } }).application.id;
  app = `/admin/apps/${appId}`;
});
afterAll(() => world.close());

const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
  world.send({ method, path, headers: bearer(admin), ...(body === undefined ? {} : { body }) });

interface Issued {
  readonly credentialId: number;
  readonly apiKey: string;
  readonly apiSecret: string | null;
  readonly business: { readonly clientId: string; readonly businessId: string };
}

const wanted = { mode: 'TEST', contract: 'shadhinpay', label: 'Storefront' };
const issue = async (change: object = {}) =>
  (await send('POST', `${app}/credentials`, { ...wanted, ...change })).data as Issued;

async function statusOf({ apiKey, business }: Issued): Promise<number> {
  const { clientId, businessId } = business;
  const headers = { 'client-id': clientId, 'business-id': businessId, 'x-api-key': apiKey };
  return (await shadhinpayCall({ origin: world.origin, path: '/payments', headers })).status;
}

describe("a business's keys", () => {
  test('are issued in both modes, shown once, listed masked, and revoked one by one', async () => {
    // All keys belong to one business, and revoking the key of one integration must not affect another.
    const [first, second, live] = [await issue(), await issue(), await issue({ mode: 'LIVE' })];
    expect(first).toMatchObject({
      apiKey: expect.stringMatching(/^sk_test_[0-9A-Za-z]{32}$/),
      apiSecret: null,
      business: {
        clientId: expect.stringMatching(/^HM_[0-9a-f]{8}$/),
        businessId: expect.stringMatching(/^HB_[0-9a-f]{8}$/),
      },
    });
    expect(live.apiKey).toMatch(/^sk_live_[0-9A-Za-z]{32}$/);
    expect([second.business, live.business]).toEqual([first.business, first.business]);
    expect([await statusOf(first), await statusOf(second), await statusOf(live)]).toEqual([200, 200, 200]);
    const listed = await send('GET', `${app}/credentials`);
    expect(listed.text).not.toContain(first.apiKey.slice(0, 20));
    expect(listed.data).toMatchObject({
      0: { id: live.credentialId, contract: 'shadhinpay', mode: 'LIVE', prefix: `sk_live_...${live.apiKey.slice(-4)}` },
      2: { id: first.credentialId, label: 'Storefront', prefix: `sk_test_...${first.apiKey.slice(-4)}`, scopes: null },
    });
    expect((await send('GET', app)).data).toMatchObject({ business: first.business });
    expect((await send('POST', `${app}/credentials/${first.credentialId}/revoke`)).status).toBe(200);
    expect([await statusOf(first), await statusOf(second)]).toEqual([401, 200]);
  });

  test('are rotated in their mode, and the business keeps its name', async () => {
    // A shop has to change only one header.
    const [before, live] = [await issue(), await issue({ mode: 'LIVE' })];
    const rotated = (await send('POST', `${app}/credentials/rotate`, { ...wanted, graceHours: 0 })).data as Issued;
    expect(rotated.business).toEqual(before.business);
    expect([await statusOf(before), await statusOf(rotated), await statusOf(live)]).toEqual([401, 200, 200]);
  });

  test('have no scopes', async () => {
    // A key has no scopes in this contract, so a request for scopes must be refused.
    expect((await send('POST', `${app}/credentials`, { ...wanted, scopes: ['read'] })).status).toBe(400);
  });

  test('are in the log without a letter of them', async () => {
    // The audit log must show who issued a key to whom, but not the key.
    const { apiKey } = await issue();
    const rows = await world.api.sql<{ action: string; details: string }>(
      `select action, details::text from audit_logs where action like 'credential.%'`,
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.some(({ details }) => details.includes(apiKey.slice(8, 20)))).toBe(false);
  });
});

test('which events are told is a setting of the application', async () => {
  // Each business chooses its events, and only among those of the contract.
  const change = (shadhinpayEvents: unknown) => send('PATCH', `${app}/settings`, { shadhinpayEvents });
  expect((await change(['payment.expired', 'invoice.paid'])).status).toBe(200);
  expect((await send('GET', app)).data).toMatchObject({ shadhinpayEvents: ['payment.expired', 'invoice.paid'] });
  expect((await change(['payment.succeeded'])).status).toBe(400);
  expect((await change(null)).status).toBe(200);
  expect((await send('GET', app)).data).toMatchObject({ shadhinpayEvents: null });
});
