import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { httpCall } from '../http-call.ts';
import { aKey, anOrder, shadhinpayCall } from './shadhinpay-client.ts';
import { openShadhinpayWorld, PAYMENT, type Keys, type Shop, type ShadhinpayWorld } from './shadhinpay-world.ts';

let world: ShadhinpayWorld;
let shop: Shop;

beforeAll(async () => {
  world = await openShadhinpayWorld();
  shop = await world.shop();
});
afterAll(() => world.close());

const list = (headers: Partial<Keys> & Record<string, string>) =>
  shadhinpayCall({ origin: world.origin, path: '/payments', headers });

const REFUSED = {
  status: 'error',
  errorType: 'INVALID_API_KEY',
  message: 'Invalid or missing API credentials',
  data: null,
};

describe('the three headers', () => {
  test('are all needed, and must be of one business', async () => {
    // A valid key with another business's name is not a valid credential.
    const other = await world.shop();
    expect((await list({ ...shop.keys })).status).toBe(200);
    const without = (name: keyof Keys) => {
      const { [name]: _left, ...rest } = shop.keys;
      return rest;
    };
    const wrong: Record<string, string>[] = [
      { 'client-id': shop.keys['client-id'] },
      // The headers of an integration whose settings were left empty.
      { 'client-id': '', 'business-id': '' },
      { 'business-id': '', 'x-api-key': '' },
      without('client-id'),
      without('business-id'),
      without('x-api-key'),
      { ...shop.keys, 'client-id': other.keys['client-id'] },
      { ...shop.keys, 'business-id': other.keys['business-id'] },
      { ...shop.keys, 'x-api-key': other.keys['x-api-key'] },
      { ...shop.keys, 'x-api-key': `${shop.keys['x-api-key']}0` },
      { ...shop.keys, 'x-api-key': shop.keys['x-api-key'].replace('sk_test_', 'sk_live_') },
      { ...shop.keys, 'business-id': shop.keys['business-id'].toLowerCase() },
      { 'client-id': 'HM_4f8c2b1a', 'business-id': 'HB_71c4a09e', 'x-api-key': 'sk_live_aB3kC9...9xQ2' },
    ];
    for (const headers of wrong) {
      const { status, json } = await list(headers);
      expect([headers, status, json]).toEqual([headers, 401, REFUSED]);
    }
  });

  test('a revoked or expired key is refused at once, and another of the business is not', async () => {
    // The owner of a lost key must be able to end it.
    const [revoked, expired] = [await shop.anotherKey(), await shop.anotherKey()];
    const tailOf = (keys: Keys) => `%${keys['x-api-key'].slice(-4)}`;
    await world.sql(`update credentials set status = 'REVOKED' where prefix like ?`, [tailOf(revoked)]);
    await world.sql(`update credentials set expires_at = now() where prefix like ?`, [tailOf(expired)]);
    expect((await list({ ...revoked })).json).toEqual(REFUSED);
    expect((await list({ ...expired })).json).toEqual(REFUSED);
    expect((await list({ ...shop.keys })).status).toBe(200);
  });

  test('of a key only a hash, how it begins and its last four are stored', async () => {
    // A stolen database must not let an attacker create payments.
    const rows = await world.sql<{ row: string }>('select credentials::text as row from credentials');
    const secret = shop.keys['x-api-key'].slice('sk_test_'.length);
    expect(rows.some(({ row }) => row.includes(secret.slice(0, 8)))).toBe(false);
    expect(rows.some(({ row }) => row.includes(`sk_test_...${secret.slice(-4)}`))).toBe(true);
  });

  test('beside credentials of another contract they are refused, in this one’s shape', async () => {
    // Lenden must not guess which of two identities is meant.
    const native = { 'x-api-key': shop.test.apiKey, 'x-api-secret': shop.test.apiSecret };
    const { 'x-api-key': _key, ...named } = shop.keys;
    expect((await list({ ...named, ...native })).json).toMatchObject({ status: 'error', errorType: 'INVALID_API_KEY' });
    const both = { ...shop.keys, authorization: `Bearer op_${'0'.repeat(8)}.${'0'.repeat(48)}` };
    expect((await list(both)).json).toMatchObject({ status: 'error', errorType: 'INVALID_API_KEY' });
    const elsewhere = await httpCall({ origin: world.origin, path: '/api/v1/app/me', headers: { ...shop.keys } });
    expect([elsewhere.status, JSON.parse(elsewhere.text)]).toMatchObject([
      401,
      { meta: { errorCode: 'UNAUTHORIZED' } },
    ]);
  });
});

describe('the shape of every failure', () => {
  test('an unknown path is 404, another method 405 with Allow', async () => {
    // Requests without a route are answered in ShadhinPay's format too, selected by the headers.
    const { origin } = world;
    const unknown = await shadhinpayCall({ origin, path: '/payouts', keys: shop.keys });
    expect([unknown.status, unknown.json]).toMatchObject([
      404,
      { status: 'error', errorType: 'RESOURCE_NOT_FOUND', data: null },
    ]);
    const method = await shadhinpayCall({ origin, method: 'DELETE', path: '/payments/PAY_1', keys: shop.keys });
    expect([method.status, method.json['errorType'], method.headers['allow']]).toEqual([
      405,
      'METHOD_NOT_ALLOWED',
      'GET, HEAD',
    ]);
    for (const path of [
      '/payments/PAY_20260517_K8X3M2',
      '/payments/x',
      "/payments/PAY_'%20or%201=1",
      '/refunds/REF_1',
    ]) {
      const absent = await shadhinpayCall({ origin, path, keys: shop.keys });
      expect([absent.status, absent.json]).toEqual([
        404,
        {
          status: 'error',
          errorType: 'RESOURCE_NOT_FOUND',
          message: path.startsWith('/payments') ? 'Payment not found' : 'Refund not found',
          data: null,
        },
      ]);
    }
  });

  test.each([
    ['{"amount":', 'application/json', 400, 'INVALID_FORMAT'],
    ['{"amount":"10","amount":"20"}', 'application/json', 400, 'INVALID_FORMAT'],
    ['[]', 'application/json', 400, 'INVALID_FORMAT'],
    ['', 'application/json', 400, 'INVALID_FORMAT'],
    ['{}', 'text/plain', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{}', 'application/json; charset=latin1', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [JSON.stringify({ valueA: 'x'.repeat(70_000) }), 'application/json', 413, 'PAYLOAD_TOO_LARGE'],
  ])('a body %.30s as %s is %i %s', async (body, type, status, errorType) => {
    // Each kind of invalid request has its own error, and none is a 500.
    const answer = await shadhinpayCall({
      origin: world.origin,
      method: 'POST',
      path: '/payments',
      keys: shop.keys,
      body,
      headers: { ...aKey(), 'content-type': type },
    });
    expect([answer.status, answer.json['errorType'], answer.json['status']]).toEqual([status, errorType, 'error']);
  });

  test('too many requests are 429 with Retry-After', async () => {
    // The limit counts per key, as in all contracts.
    const { keys } = await world.shop({ rateLimitPerMinute: 2 });
    const answers = [];
    for (let i = 0; i < 3; i += 1) {
      answers.push(await list({ ...keys }));
    }
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    const last = answers[2];
    expect(last?.json).toMatchObject({ status: 'error', errorType: 'RATE_LIMIT_EXCEEDED', data: null });
    expect(Number(last?.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('an error of ours is 500 without a word about its cause', async () => {
    // Internal details must not reach the client.
    await world.sql('alter table payments rename column metadata to metadata_lost');
    try {
      const answer = await shadhinpayCall({
        origin: world.origin,
        method: 'POST',
        path: '/payments',
        keys: shop.keys,
        headers: aKey(),
        body: { ...PAYMENT, merchantTxnId: anOrder() },
      });
      expect([answer.status, answer.json]).toMatchObject([
        500,
        { status: 'error', errorType: 'INTERNAL_SERVER_ERROR', data: null },
      ]);
      expect(answer.text).not.toContain('metadata');
    } finally {
      await world.sql('alter table payments rename column metadata_lost to metadata');
    }
  });
});
