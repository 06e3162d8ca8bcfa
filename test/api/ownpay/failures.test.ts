import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { httpCall } from '../http-call.ts';
import { ownpayCall } from './ownpay-client.ts';
import { INTENT, openOwnpayWorld, type OwnpayShop, type OwnpayWorld } from './ownpay-world.ts';

let world: OwnpayWorld;
let shop: OwnpayShop;

beforeAll(async () => {
  world = await openOwnpayWorld();
  shop = await world.shop();
});
afterAll(() => world.close());

const list = (headers: Record<string, string>) => ownpayCall({ origin: world.origin, path: '/transactions', headers });

describe('keys', () => {
  test('without a key it is 401 MISSING_TOKEN, with a wrong one INVALID_TOKEN', async () => {
    // The two documented codes, with the documented message.
    const missing = await list({});
    expect([missing.status, missing.json]).toEqual([
      401,
      { error: true, message: 'Invalid or missing API key.', code: 'MISSING_TOKEN' },
    ]);
    expect(missing.headers['www-authenticate']).toBe('Bearer');
    const wrong = [
      `Bearer op_${'0'.repeat(8)}.${'0'.repeat(48)}`,
      `Bearer ${shop.key.slice(0, -1)}`,
      `Bearer ${shop.key}0`,
      `Bearer ${shop.key.toUpperCase()}`,
      `Basic ${shop.key}`,
      `Bearer ${shop.test.apiKey}`,
      'Bearer',
      'Bearer op_',
    ];
    for (const authorization of wrong) {
      const answer = await list({ authorization });
      expect([answer.status, answer.json['code']]).toEqual([401, 'INVALID_TOKEN']);
    }
  });

  test('a revoked key is refused at once, and another of the app is not', async () => {
    // As documented: revocation takes effect at once.
    const key = await shop.anotherKey({});
    expect((await list({ authorization: `Bearer ${key}` })).status).toBe(200);
    await world.sql(`update credentials set status = 'REVOKED' where prefix = ?`, [key.slice(0, 11)]);
    expect((await list({ authorization: `Bearer ${key}` })).json['code']).toBe('INVALID_TOKEN');
    expect((await list({ authorization: `bearer  ${shop.key}` })).status).toBe(200);
  });

  test('only the SHA-256 of a key is stored', async () => {
    // A stolen database must not let an attacker create payments.
    const rows = await world.sql<{ row: string }>('select credentials::text as row from credentials');
    const tail = shop.key.slice(12);
    expect(rows.some(({ row }) => row.includes(tail))).toBe(false);
    expect(rows.some(({ row }) => row.includes(shop.key.slice(0, 11)))).toBe(true);
  });

  test('a scope that is missing is 403', async () => {
    // A read-only key, for example in a report, must not be able to take or refund money.
    const reader = await shop.anotherKey({ scopes: ['read'] });
    const writer = await shop.anotherKey({ scopes: ['write'] });
    const { origin } = world;
    expect((await ownpayCall({ origin, path: '/transactions', key: reader })).status).toBe(200);
    const created = await ownpayCall({ origin, method: 'POST', path: '/payment-intents', key: writer, body: INTENT });
    expect(created.status).toBe(201);
    for (const refused of [
      await ownpayCall({ origin, method: 'POST', path: '/payment-intents', key: reader, body: INTENT }),
      await ownpayCall({ origin, method: 'POST', path: '/refunds', key: reader, body: { transaction_id: 'txn_1' } }),
      await ownpayCall({ origin, path: '/transactions', key: writer }),
    ]) {
      expect([refused.status, refused.json['code']]).toEqual([403, 'INSUFFICIENT_SCOPE']);
    }
  });

  test('credentials of two contracts are refused in the shape of the chosen one', async () => {
    // Lenden must not guess which of two identities is meant.
    const native = { 'x-api-key': shop.test.apiKey, 'x-api-secret': shop.test.apiSecret };
    const both = { ...native, authorization: `Bearer ${shop.key}` };
    expect((await list(both)).json).toMatchObject({ error: true, code: 'INVALID_TOKEN' });
    const onShared = await httpCall({ origin: world.origin, path: '/api/v1/payments/1', headers: both });
    expect([onShared.status, JSON.parse(onShared.text)]).toMatchObject([401, { error: true, code: 'INVALID_TOKEN' }]);
    const onNative = await httpCall({ origin: world.origin, path: '/api/v1/app/me', headers: both });
    expect([onNative.status, JSON.parse(onNative.text)]).toMatchObject([401, { meta: { errorCode: 'UNAUTHORIZED' } }]);
    expect((await list(native)).json).toMatchObject({ code: 'MISSING_TOKEN' });
  });

  test('an OwnPay key is no native credential, nor the other way round', async () => {
    // A credential is valid only for its own contract.
    const headers = { 'x-api-key': shop.key, 'x-api-secret': 'x' };
    expect((await httpCall({ origin: world.origin, path: '/api/v1/app/me', headers })).status).toBe(401);
  });
});

describe('the shape of every failure', () => {
  const bearer = () => ({ authorization: `Bearer ${shop.key}` });

  test('an unknown path is 404, another method 405 with Allow', async () => {
    // Requests without a route are answered in OwnPay's format too; on shared paths the key selects it.
    const unknown = await ownpayCall({ origin: world.origin, path: '/customers', key: shop.key });
    expect([unknown.status, unknown.json]).toEqual([
      404,
      { error: true, message: 'No such endpoint.', code: 'NOT_FOUND' },
    ]);
    const shared = await ownpayCall({ origin: world.origin, path: '/payments/1', key: shop.key });
    expect(shared.json['code']).toBe('NOT_FOUND');
    const method = await ownpayCall({ origin: world.origin, method: 'DELETE', path: '/transactions', key: shop.key });
    expect([method.status, method.json['code'], method.headers['allow']]).toEqual([
      405,
      'METHOD_NOT_ALLOWED',
      'GET, HEAD',
    ]);
  });

  test('what is not there says how much of the limit is left, too, and counts', async () => {
    // As documented, on every response. Otherwise a client could request missing objects without limit.
    const { key } = await world.shop({ rateLimitPerMinute: 3 });
    const { origin } = world;
    const answers = [
      await ownpayCall({ origin, path: '/customers', key }),
      await ownpayCall({ origin, method: 'DELETE', path: '/transactions', key }),
      await ownpayCall({ origin, path: '/transactions', key }),
      await ownpayCall({ origin, path: '/transactions', key }),
    ];
    expect(answers.map(({ status, headers }) => [status, headers['x-ratelimit-remaining']])).toEqual([
      [404, '2'],
      [405, '1'],
      [200, '0'],
      [429, '0'],
    ]);
    // A caller with an unknown key gets no limit, and does not learn that the key is wrong.
    const stranger = await ownpayCall({ origin, path: '/customers', key: `op_${'0'.repeat(8)}.${'0'.repeat(48)}` });
    expect([stranger.status, stranger.headers['x-ratelimit-limit']]).toEqual([404, undefined]);
  });

  test.each([
    ['{"gateway":', 'application/json', 400, 'VALIDATION_ERROR'],
    ['{"gateway":"a","gateway":"b"}', 'application/json', 400, 'VALIDATION_ERROR'],
    ['[]', 'application/json', 400, 'VALIDATION_ERROR'],
    ['{}', 'text/plain', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{}', 'application/json; charset=latin1', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [JSON.stringify({ a: 'x'.repeat(70_000) }), 'application/json', 413, 'PAYLOAD_TOO_LARGE'],
  ])('a body %.30s as %s is %i', async (body, type, status, code) => {
    // Each kind of invalid request has its own error, and none is a 500.
    const answer = await ownpayCall({
      origin: world.origin,
      method: 'POST',
      path: '/payment-intents',
      body,
      headers: { ...bearer(), 'content-type': type },
    });
    expect([answer.status, answer.json['code'], answer.json['error']]).toEqual([status, code, true]);
  });

  test('too many requests are 429 with Retry-After and the limit in unix seconds', async () => {
    // As documented, and per key.
    const { key } = await world.shop({ rateLimitPerMinute: 2 });
    const answers = [];
    for (let i = 0; i < 3; i += 1) {
      answers.push(await ownpayCall({ origin: world.origin, path: '/transactions', key }));
    }
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    const last = answers[2];
    expect(last?.json).toEqual({ error: true, message: 'Too many requests.', code: 'RATE_LIMIT_EXCEEDED' });
    expect(Number(last?.headers['retry-after'])).toBeGreaterThan(0);
    expect(last?.headers['x-ratelimit-remaining']).toBe('0');
    expect(Number(last?.headers['x-ratelimit-reset'])).toBeGreaterThan(Date.now() / 1_000);
  });

  test('an error of ours is 500 without a word about its cause', async () => {
    // Internal details must not reach the client.
    await world.sql('alter table payments rename column metadata to metadata_lost');
    try {
      const answer = await ownpayCall({
        origin: world.origin,
        method: 'POST',
        path: '/payment-intents',
        key: shop.key,
        body: INTENT,
      });
      expect([answer.status, answer.json['code']]).toEqual([500, 'INTERNAL_ERROR']);
      expect(answer.text).not.toContain('metadata');
    } finally {
      await world.sql('alter table payments rename column metadata_lost to metadata');
    }
  });
});
