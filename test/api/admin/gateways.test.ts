import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { storeSecretPlace } from '../../../runtime/sealed-places.ts';
import { call } from '../contract-client.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

const PASSWORD_AT_GATEWAY = 'canary-of-a-store-password';
const GIVEN = { gateway: 'sslcommerz', storeId: 'ownstore', storePassword: PASSWORD_AT_GATEWAY };

let world: OperatorWorld;
let shop: Registration;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  world = await openOperatorWorld();
  const elsewhere = await world.api.register({ name: 'Elsewhere' });
  await world.addOperator({ email: 'owner@example.com' });
  await world.addOperator({ email: 'admin@example.com', role: 'Admin' });
  await world.addOperator({ email: 'elsewhere@example.com', role: 'Admin', applicationId: elsewhere.applicationId });
  for (const name of ['admin', 'elsewhere']) {
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());
beforeEach(async () => {
  shop = await world.api.register({});
  world.api.stores.answer = 'accepted';
  await world.api.sql('delete from gateway_configurations where application_id is null');
});

const send = (method: string, path: string, body?: unknown, as = 'admin'): Promise<Answer> =>
  world.send({ method, path, headers: bearer(tokens[as] ?? ''), ...(body === undefined ? {} : { body }) });
const override = (body: object, as = 'admin') =>
  send('PUT', `/admin/apps/${shop.applicationId}/gateway-override`, { mode: 'TEST', ...GIVEN, ...body }, as);

/** Creates a payment of the shop and returns the store that is written to it. */
async function storeOfNewPayment(): Promise<string | undefined> {
  const answer = await call({
    origin: world.origin,
    method: 'POST',
    path: '/payments',
    credentials: shop.test,
    body: { amountMinor: 10_000, customerReference: 'c' },
  });
  expect(answer.status).toBe(201);
  const [attempt] = await world.api.sql<{ store_id: string }>(
    `select t.store_id from payment_attempts t join payments p on p.id = t.payment_id where p.application_id = ?
     order by t.id desc limit 1`,
    [shop.applicationId],
  );
  return attempt?.store_id;
}

const testStore = async (): Promise<unknown> =>
  ((await send('GET', `/admin/apps/${shop.applicationId}/gateways`)).data as { mode: string }[]).find(
    ({ mode }) => mode === 'TEST',
  );

describe('the store of an application', () => {
  test('is its own, then that of every application, then the environment’s', async () => {
    // The next payment must use the right store, and only in the mode that was changed.
    expect(await storeOfNewPayment()).toBe('teststore');
    expect(await testStore()).toMatchObject({ storeId: 'teststore', source: 'ENVIRONMENT', since: null });

    const ofAll = { storeId: 'ofall', storePassword: 'p' };
    expect(await send('PUT', '/admin/gateways/sslcommerz/TEST', ofAll)).toMatchObject({
      status: 200,
      data: { storeId: 'ofall', source: 'INSTALLATION', checked: true },
    });
    expect(await storeOfNewPayment()).toBe('ofall');
    // Choosing the same store again updates its password in the same row.
    expect((await send('PUT', '/admin/gateways/sslcommerz/TEST', { ...ofAll, storePassword: 'q' })).status).toBe(200);
    expect(await world.api.sql('select 1 from gateway_configurations where application_id is null')).toHaveLength(1);

    expect(await override({})).toMatchObject({ status: 200, data: { storeId: 'ownstore', source: 'APPLICATION' } });
    expect(await storeOfNewPayment()).toBe('ownstore');
    expect(await testStore()).toMatchObject({ storeId: 'ownstore', source: 'APPLICATION', allowed: true });
    expect((await send('GET', '/admin/gateways')).data).toMatchObject([
      { mode: 'TEST', storeId: 'ofall', source: 'INSTALLATION' },
      { mode: 'LIVE', storeId: 'teststore', source: 'ENVIRONMENT' },
    ]);

    await send('DELETE', `/admin/apps/${shop.applicationId}/gateway-override/TEST`);
    expect(await storeOfNewPayment()).toBe('ofall');
    await send('DELETE', '/admin/gateways/sslcommerz/TEST');
    expect(await storeOfNewPayment()).toBe('teststore');
  });

  test('is another one only for new checkouts: the former stays known, and may come back', async () => {
    // Payments that were started there are still queried and refunded with its credentials.
    await override({ storeId: 'first', storePassword: 'one' });
    await override({ storeId: 'second', storePassword: 'two' });
    const kept = await world.api.sql<{ store_id: string; key: string; store_secret: string; retired: boolean }>(
      `select store_id, key::text, store_secret, retired_at is not null as retired from gateway_configurations where application_id = ? order by id`,
      [shop.applicationId],
    );
    expect(kept.map(({ store_id: id, retired }) => [id, retired])).toEqual([
      ['first', true],
      ['second', false],
    ]);
    expect(kept.map(({ key, store_secret: sealed }) => world.api.secrets.open(sealed, storeSecretPlace(key)))).toEqual([
      'one',
      'two',
    ]);
    await override({ storeId: 'first', storePassword: 'another' });
    expect(await storeOfNewPayment()).toBe('first');
    const [first] = await world.api.sql<{ key: string; store_secret: string }>(
      `select key::text, store_secret from gateway_configurations where application_id = ? and store_id = 'first'`,
      [shop.applicationId],
    );
    expect(world.api.secrets.open(first?.store_secret ?? '', storeSecretPlace(first?.key ?? ''))).toBe('another');
  });

  test('is one, however many operators choose at once', async () => {
    // Two stores in one slot would mean that payers pay into two accounts.
    const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => `store-${letter}`);
    const answers = await Promise.all(names.map((storeId) => override({ storeId })));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    const inUse = await world.api.sql(
      'select 1 from gateway_configurations where application_id = ? and retired_at is null',
      [shop.applicationId],
    );
    expect(inUse).toHaveLength(1);
  });

  test('never shows its password: not in an answer, a row, the log or the audit log', async () => {
    const answers = [
      await override({}),
      await send('GET', `/admin/apps/${shop.applicationId}/gateways`),
      await send('GET', '/admin/gateways'),
      await send('GET', '/admin/audit-logs'),
      await send('DELETE', `/admin/apps/${shop.applicationId}/gateway-override/TEST`),
    ];
    const rows = await world.api.sql('select to_jsonb(g) as row from gateway_configurations g');
    for (const text of [...answers.map((answer) => answer.text), JSON.stringify(rows), ...world.api.logLines]) {
      expect(text).not.toContain(PASSWORD_AT_GATEWAY);
    }
    await expect(
      world.database.withOperator('every-app', (em) => em.execute('select store_secret from gateway_configurations')),
    ).rejects.toThrow(/permission denied/);
  });

  test('is audited with what it was before', async () => {
    await override({ storeId: 'first' });
    await override({ storeId: 'second' });
    await send('DELETE', `/admin/apps/${shop.applicationId}/gateway-override/TEST`);
    const entries = await world.api.sql<{ action: string; details: unknown }>(
      `select action, details from audit_logs where target_type = 'application' and target_id = ? order by id`,
      [String(shop.applicationId)],
    );
    const at = (storeId: string) => ({ gateway: 'sslcommerz', mode: 'TEST', storeId });
    const taken = (storeId: string) => ({ ...at(storeId), credentialsReplaced: true });
    expect(entries).toEqual([
      { action: 'gateway-store.chosen', details: { after: taken('first') } },
      { action: 'gateway-store.chosen', details: { before: at('first'), after: taken('second') } },
      {
        action: 'gateway-store.retired',
        details: { before: at('second'), after: { replacedBy: { source: 'ENVIRONMENT', storeId: 'teststore' } } },
      },
    ]);
  });

  test('is tried at the gateway first: what it refuses is not kept', async () => {
    // Otherwise the next payer would find out that the password is wrong.
    world.api.stores.answer = 'unauthorized';
    expect(await override({})).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
    world.api.stores.answer = 'unreadable';
    expect(await override({})).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
    expect(await testStore()).toMatchObject({ source: 'ENVIRONMENT' });
    world.api.stores.answer = 'unavailable';
    expect(await override({})).toMatchObject({ status: 200, data: { checked: false, storeId: 'ownstore' } });
    world.api.stores.answer = 'unproven';
    expect(await override({})).toMatchObject({ status: 200, data: { checked: false } });
  });

  test.each<[string, object]>([
    ['no mode', { mode: undefined }],
    ['another mode', { mode: 'test' }],
    ['an unknown gateway', { gateway: 'paypal' }],
    ['no store', { storeId: '' }],
    ['a store that is no text', { storeId: 7 }],
    ['no password', { storePassword: undefined }],
    ['a NUL in its password', { storePassword: 'a\0b' }],
    ['a password of a novel’s length', { storePassword: 'x'.repeat(8_001) }],
  ])('is refused with %s', async (_name, wrong) => {
    const tried = world.api.stores.tried.length;
    expect(await override(wrong)).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
    expect(world.api.stores.tried).toHaveLength(tried);
    expect(await testStore()).toMatchObject({ source: 'ENVIRONMENT' });
  });

  test('is nobody’s but the application’s operators’', async () => {
    // Otherwise the answer would reveal another tenant's application. A store for all applications needs a grant for all of them.
    const tried = world.api.stores.tried.length;
    expect(await override({}, 'elsewhere')).toMatchObject({ status: 404, code: 'RESOURCE_NOT_FOUND' });
    expect(world.api.stores.tried).toHaveLength(tried);
    const path = '/admin/gateways/sslcommerz/TEST';
    expect((await send('PUT', path, { storeId: 's', storePassword: 'p' }, 'elsewhere')).status).toBe(403);
    expect((await send('PUT', '/admin/gateways/paypal/TEST', { storeId: 's', storePassword: 'p' })).status).toBe(400);
    expect((await send('DELETE', path)).status).toBe(404);
    expect((await send('DELETE', `/admin/apps/${shop.applicationId}/gateway-override/LIVE`)).status).toBe(404);
  });
});

describe('the gateways that an application may use', () => {
  test('are all of them, until the setting names some', async () => {
    const settings = `/admin/apps/${shop.applicationId}/settings`;
    expect((await send('PATCH', settings, { gatewaysAllowed: [] })).data).toMatchObject({ gatewaysAllowed: [] });
    const body = { amountMinor: 10_000, customerReference: 'c' };
    const refused = await call({
      origin: world.origin,
      method: 'POST',
      path: '/payments',
      credentials: shop.test,
      body,
    });
    expect(refused).toMatchObject({ status: 409, meta: { errorCode: 'INVALID_OPERATION_STATE' } });
    expect(await world.api.sql('select 1 from payments where application_id = ?', [shop.applicationId])).toEqual([]);
    expect(await testStore()).toMatchObject({ allowed: false });
    await send('PATCH', settings, { gatewaysAllowed: ['sslcommerz'] });
    expect(await storeOfNewPayment()).toBe('teststore');
    expect((await send('PATCH', settings, { gatewaysAllowed: ['paypal'] })).code).toBe('VALIDATION_ERROR');
    expect((await send('PATCH', settings, { gatewaysAllowed: null })).data).toMatchObject({ gatewaysAllowed: null });
  });

  test.each([
    ['no list', 'bkash'],
    ['an empty one', []],
    ['a gateway that there is not', ['sslcommerz', 'paypal']],
  ])('are not chosen from %s', async (_name, checkoutGateways) => {
    // Otherwise the payer would find out at the checkout.
    const settings = `/admin/apps/${shop.applicationId}/settings`;
    const kept = await send('PATCH', settings, { checkoutGateways: ['bkash', 'sslcommerz'] });
    expect(kept.data).toMatchObject({ checkoutGateways: ['bkash', 'sslcommerz'] });
    expect((await send('PATCH', settings, { checkoutGateways })).code).toBe('VALIDATION_ERROR');
    expect((await send('GET', `/admin/apps/${shop.applicationId}`)).data).toMatchObject({
      checkoutGateways: ['bkash', 'sslcommerz'],
    });
    expect((await send('PATCH', settings, { checkoutGateways: null })).data).toMatchObject({ checkoutGateways: null });
  });
});
