import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { httpCall } from '../http-call.ts';
import { NO_REFUNDS, ONE_REFUND } from '../../support/gateways.ts';
import { ownpayCall, type OwnpayAnswer } from './ownpay-client.ts';
import { INTENT, openOwnpayWorld, type OwnpayShop, type OwnpayWorld } from './ownpay-world.ts';

let world: OwnpayWorld;
let shop: OwnpayShop;

beforeAll(async () => {
  world = await openOwnpayWorld();
  shop = await world.shop();
});
afterAll(() => world.close());

const get = (path: string, key = shop.key): Promise<OwnpayAnswer> => ownpayCall({ origin: world.origin, path, key });
const post = (path: string, body: unknown, { key = shop.key, headers = {} } = {}): Promise<OwnpayAnswer> =>
  ownpayCall({ origin: world.origin, method: 'POST', path, key, body, headers });

async function created(key = shop.key): Promise<string> {
  return String((await post('/payment-intents', INTENT, { key })).json['transaction_id']);
}

async function paid(key = shop.key): Promise<string> {
  const id = await created(key);
  const [row] = await world.sql<{ id: string }>('select id::text from payments where reference = ?', [id]);
  await world.pay(row?.id ?? '');
  return id;
}

function rowsOf({ json }: OwnpayAnswer): Record<string, unknown>[] {
  return json['data'] as Record<string, unknown>[];
}

describe('transactions', () => {
  test('a completed one shows amounts to the digit, its fee and what is left of it', async () => {
    // 99.90 must not become 99.9, nor a string.
    const id = await paid();
    const { status, json, text } = await get(`/transactions/${id}`);
    expect(status).toBe(200);
    expect(json).toMatchObject({ success: true, transaction_id: id, status: 'completed', gateway: 'sslcommerz' });
    expect(text).toContain('"amount":99.99,"currency":"BDT","fee":2.50,"net_amount":97.49,"refunded_amount":0.00,');
    expect((await get(`/payment-intents/${id}`)).json).toMatchObject({
      status: 'completed',
      order_id: INTENT.order_id,
    });
  });

  test('one that was made in the native API is there, too', async () => {
    // A payment can be listed, read and refunded in each contract, whichever one created it.
    const { reference } = await world.paidPayment(shop);
    expect((await get(`/transactions/${reference}`)).json).toMatchObject({ status: 'completed', order_id: null });
    expect(rowsOf(await get('/transactions')).map((row) => row['transaction_id'])).toContain(reference);
    expect((await post('/refunds', { transaction_id: reference, amount: 1 })).status).toBe(201);
    const native = { 'x-api-key': shop.test.apiKey, 'x-api-secret': shop.test.apiSecret };
    const path = `/api/v1/payments?customerReference=${INTENT.order_id}`;
    const listed = await httpCall({ origin: world.origin, path, headers: native });
    expect(listed.text).toMatch(/"reference":"txn_[0-9a-f]{16}"/);
  });

  test('one that was made in ShadhinPay’s API is read and given back by its own id', async () => {
    // A transaction that appears in a list must be readable by its id.
    const id = `PAY_20260517_${String(process.hrtime.bigint()).slice(-6)}`;
    await world.sql('update payments set reference = ? where reference = ?', [id, await paid()]);
    expect((await get(`/transactions/${id}`)).json).toMatchObject({ transaction_id: id, status: 'completed' });
    expect((await get(`/payment-intents/${id}`)).status).toBe(200);
    expect((await post('/refunds', { transaction_id: id, amount: 1 })).status).toBe(201);
  });

  test("another app's and the other mode's look absent", async () => {
    // A key is valid for one application in one mode.
    const other = await world.shop();
    const live = await shop.anotherKey({ mode: 'LIVE' });
    const id = await paid();
    for (const key of [other.key, live]) {
      const answers = [
        await get(`/transactions/${id}`, key),
        await get(`/payment-intents/${id}`, key),
        await post('/refunds', { transaction_id: id }, { key }),
      ];
      expect(answers.map(({ status, json }) => [status, json['code']])).toEqual([
        [404, 'TRANSACTION_NOT_FOUND'],
        [404, 'PAYMENT_NOT_FOUND'],
        [404, 'TRANSACTION_NOT_FOUND'],
      ]);
      expect(rowsOf(await get('/transactions', key))).toEqual([]);
      expect(rowsOf(await get('/refunds', key))).toEqual([]);
    }
    expect((await get("/transactions/txn_'%20or%201=1")).status).toBe(404);
  });

  test('are listed by pages, status, gateway and days', async () => {
    // A merchant must get exactly what they filtered for, with numbers that add up.
    const own = await world.shop();
    const list = (query: string) => get(`/transactions?${query}`, own.key);
    const ids = [await created(own.key), await paid(own.key), await created(own.key)];
    const first = await list('per_page=2');
    expect(rowsOf(first).map((row) => row['transaction_id'])).toEqual([ids[2], ids[1]]);
    expect(first.json['meta']).toEqual({ page: 1, per_page: 2, total: 3, total_pages: 2 });
    expect(rowsOf(await list('per_page=2&page=2')).map((row) => row['transaction_id'])).toEqual([ids[0]]);
    expect(rowsOf(await list('status=completed')).map((row) => row['transaction_id'])).toEqual([ids[1]]);
    expect(rowsOf(await list('status=pending'))).toHaveLength(2);
    await world.sql(`update payments set review_reason = 'RISK', review_since = now() where reference = ?`, [ids[0]]);
    expect(rowsOf(await list('status=processing')).map((row) => row['transaction_id'])).toEqual([ids[0]]);
    expect(rowsOf(await list('status=pending'))).toHaveLength(1);
    expect(rowsOf(await list('gateway=bkash'))).toEqual([]);
    await world.sql(`update payments set created_at = '2024-06-15T17:59:59Z' where reference = ?`, [ids[0]]);
    expect(rowsOf(await list('from=2024-06-15&to=2024-06-15'))).toHaveLength(1);
    expect(rowsOf(await list('from=2024-06-16&to=2024-06-16'))).toHaveLength(0);
  });

  test('days that nobody lives to see bound nothing', async () => {
    // Programs send the last date that they know to mean "until today". That must not cause an internal error.
    const everything = ['', 'to=9999-12-31', 'from=0001-01-01', 'from=0000-01-01&to=9999-12-30'];
    const answers = await Promise.all(everything.map((query) => get(`/transactions?${query}`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(new Set(answers.map((answer) => rowsOf(answer).length)).size).toBe(1);
    const nothing = await Promise.all(
      ['from=9999-12-31', 'to=0001-01-01'].map((query) => get(`/transactions?${query}`)),
    );
    expect(nothing.map(({ status, json }) => [status, json['data']])).toEqual([
      [200, []],
      [200, []],
    ]);
  });

  test('a long list has all its pages', async () => {
    // Otherwise a shop that reconciles up to total_pages would miss its oldest payments.
    const many = await world.shop();
    const id = await created(many.key);
    await world.sql(
      `insert into payments overriding system value
       select (jsonb_populate_record(p, jsonb_build_object('id', 1000000 + n, 'reference', 'txn_' || lpad(to_hex(n), 16, '0')))).*
       from payments p, generate_series(1, 10100) n where p.reference = ?`,
      [id],
    );
    const { json } = await get('/transactions?per_page=100&page=102', many.key);
    expect([json['meta'], (json['data'] as unknown[]).length]).toEqual([
      { page: 102, per_page: 100, total: 10_101, total_pages: 102 },
      1,
    ]);
  });

  test.each(['page=0', 'page=x', 'per_page=101', 'status=paid', 'from=2024-02-30', 'to=yesterday', 'page=1&page=2'])(
    'refuses %s',
    async (query) => {
      // A filter that is not understood must not return everything.
      const { status, json } = await get(`/transactions?${query}`);
      expect([status, json['code']]).toEqual([400, 'VALIDATION_ERROR']);
    },
  );
});

describe('refunds', () => {
  test('a part, then what is left, then nothing', async () => {
    // Refunds together must not exceed what was paid.
    const id = await paid();
    const part = await post('/refunds', { transaction_id: id, amount: 40.5, reason: 'Returned,\r\nunopened' });
    expect(part.status).toBe(201);
    expect(part.json).toMatchObject({
      success: true,
      transaction_id: id,
      status: 'pending',
      reason: 'Returned, unopened',
    });
    expect(part.text).toContain('"amount":40.50,');
    const tooMuch = await post('/refunds', { trx_id: id, amount: 59.5 });
    expect([tooMuch.status, tooMuch.json['code']]).toEqual([400, 'INVALID_REFUND_PARAMETERS']);
    expect(tooMuch.json['message']).toBe('The refund exceeds what is left of the transaction.');
    const rest = await post('/refunds', { trx_id: id });
    expect([rest.status, rest.json['amount']]).toEqual([201, 59.49]);
    const nothing = await post('/refunds', { transaction_id: id });
    expect([nothing.status, nothing.json['code']]).toEqual([400, 'INVALID_REFUND_PARAMETERS']);
    const listed = await get(`/refunds?transaction_id=${id}&status=pending`);
    expect(rowsOf(listed).map((row) => row['amount'])).toEqual([59.49, 40.5]);
    expect(listed.json['meta']).toMatchObject({ total: 2 });
    expect(rowsOf(await get('/refunds?status=completed'))).toEqual([]);
  });

  test('a second one is refused at once where the gateway takes one', async () => {
    // The caller must not be told that the refund is pending.
    const id = await paid();
    await world.sql(`update payments set gateway = '${ONE_REFUND}' where reference = ?`, [id]);
    expect((await post('/refunds', { transaction_id: id, amount: 1 })).status).toBe(201);
    const second = await post('/refunds', { transaction_id: id, amount: 1 });
    expect([second.status, second.json['code']]).toEqual([400, 'INVALID_REFUND_PARAMETERS']);
    const native = { 'x-api-key': shop.test.apiKey, 'x-api-secret': shop.test.apiSecret };
    const [payment] = await world.sql<{ id: string }>('select id::text from payments where reference = ?', [id]);
    const inNative = await httpCall({
      origin: world.origin,
      method: 'POST',
      path: `/api/v1/payments/${payment?.id ?? ''}/refunds`,
      headers: { ...native, 'content-type': 'application/json' },
      body: JSON.stringify({ amountMinor: 100 }),
    });
    expect([inNative.status, inNative.text]).toEqual([409, expect.stringContaining('"INVALID_OPERATION_STATE"')]);
  });

  test('at a gateway that takes none it is refused at once', async () => {
    // Otherwise the shop would be told that the refund is pending, and no event would report that it failed.
    const id = await paid();
    await world.sql(`update payments set gateway = '${NO_REFUNDS}' where reference = ?`, [id]);
    const { status, json } = await post('/refunds', { transaction_id: id, amount: 1 });
    expect([status, json['code']]).toEqual([400, 'INVALID_REFUND_PARAMETERS']);
  });

  test('of a payment that is not completed there is none', async () => {
    const { status, json } = await post('/refunds', { transaction_id: await created() });
    expect([status, json['code']]).toEqual([400, 'INVALID_REFUND_PARAMETERS']);
  });

  test.each([
    [{}, 'transaction_id', 'The transaction_id field is required.'],
    [{ amount: 0 }, 'amount', expect.stringMatching(/above zero/)],
    [{ amount: 1.005 }, 'amount', expect.stringMatching(/decimal places/)],
    [{ amount: '5' }, 'amount', 'The amount must be a number.'],
  ])('refuses %j', async (change, field, message) => {
    // Errors are reported by field, in OwnPay's format.
    const body = 'amount' in change ? { transaction_id: await paid(), ...change } : change;
    const { status, json } = await post('/refunds', body);
    expect([status, json['errors']]).toEqual([400, { [field]: [message] }]);
  });

  test('the same key gives money back once', async () => {
    // A retry after a lost answer must not refund twice.
    const body = { transaction_id: await paid(), amount: 10 };
    const headers = { 'idempotency-key': 'refund-1' };
    const [first, again] = [await post('/refunds', body, { headers }), await post('/refunds', body, { headers })];
    expect([again.status, again.text]).toEqual([201, first.text]);
  });
});

test('the document is served, and names this installation', async () => {
  // Client generators read the document.
  const { status, text } = await httpCall({ origin: world.origin, path: '/openapi/ownpay.json' });
  expect([status, JSON.parse(text)]).toMatchObject([200, { servers: [{ url: `${world.origin}/api/v1` }] }]);
});
