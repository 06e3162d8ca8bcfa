import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { httpCall } from '../http-call.ts';
import { aKey, anOrder, dataOf, rowsOf, shadhinpayCall, type ShadhinpayAnswer } from './shadhinpay-client.ts';
import { openShadhinpayWorld, PAYMENT, type Keys, type Shop, type ShadhinpayWorld } from './shadhinpay-world.ts';

let world: ShadhinpayWorld;
let shop: Shop;

beforeAll(async () => {
  world = await openShadhinpayWorld();
  shop = await world.shop();
});
afterAll(() => world.close());

const get = (path: string, keys: Keys = shop.keys): Promise<ShadhinpayAnswer> =>
  shadhinpayCall({ origin: world.origin, path, keys });
const post = (path: string, body: unknown, { keys = shop.keys, headers = {} } = {}): Promise<ShadhinpayAnswer> =>
  shadhinpayCall({ origin: world.origin, method: 'POST', path, keys, body, headers });

async function created(keys: Keys = shop.keys, change: object = {}): Promise<string> {
  const body = { ...PAYMENT, merchantTxnId: anOrder(), ...change };
  return String(dataOf(await post('/payments', body, { keys, headers: aKey() }))['paymentId']);
}

async function paid(keys: Keys = shop.keys, change: object = {}): Promise<string> {
  const id = await created(keys, change);
  const [row] = await world.sql<{ id: string }>('select id::text from payments where reference = ?', [id]);
  await world.pay(row?.id ?? '');
  return id;
}

const set = (id: string, change: string) => world.sql(`update payments set ${change} where reference = ?`, [id]);
const idsOf = (answer: ShadhinpayAnswer) => rowsOf(answer).map((row) => row['paymentId']);

describe('GET /payments/{paymentId}', () => {
  test.each([
    ['CREATED', 'INITIATED'],
    ['PENDING', 'PENDING'],
    ['FAILED', 'FAILED'],
    ['CANCELLED', 'CANCELLED'],
    ['EXPIRED', 'EXPIRED'],
    ['PARTIALLY_REFUNDED', 'COMPLETED'],
    ['REFUNDED', 'REFUNDED'],
  ])('%s is told as %s', async (own, told) => {
    // A shop acts on these statuses.
    const id = own.endsWith('REFUNDED') ? await paid() : await created();
    await set(id, `status = '${own}'${/FAILED|CANCELLED|EXPIRED/.test(own) ? ', ended_at = now()' : ''}`);
    expect(dataOf(await get(`/payments/${id}`))).toMatchObject({ paymentId: id, status: told });
  });

  test('a completed one says when', async () => {
    // A shop must be able to read again what the webhook said.
    const id = await paid();
    expect(dataOf(await get(`/payments/${id}`))).toMatchObject({
      status: 'COMPLETED',
      refundTotal: '0.00',
      completedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });

  test('one that was made in the native API is there, too, and the other way round', async () => {
    // A payment can be listed, read and refunded in each contract, whichever one created it.
    const { reference } = await world.paidPayment(shop);
    expect(dataOf(await get(`/payments/${reference}`))).toMatchObject({
      paymentId: reference,
      merchantTxnId: null,
      vendor: 'SSLCOMMERZ',
      status: 'COMPLETED',
    });
    const id = await paid(shop.keys, { merchantTxnId: 'found natively' });
    const native = { 'x-api-key': shop.test.apiKey, 'x-api-secret': shop.test.apiSecret };
    const listed = await httpCall({
      origin: world.origin,
      path: '/api/v1/payments?customerReference=found%20natively',
      headers: native,
    });
    expect(listed.text).toContain(`"reference":"${id}"`);
    const refund = await post(`/payments/${reference}/refunds`, { amount: '1', reason: 'r' });
    expect([refund.status, dataOf(refund)]).toMatchObject([202, { paymentId: reference, amount: '1.00' }]);
  });

  test("another business's and the other mode's look absent", async () => {
    // A key is valid for one business in one mode.
    const id = await paid();
    const refund = dataOf(await post(`/payments/${id}/refunds`, { amount: '1', reason: 'r' }))['refundId'];
    for (const keys of [(await world.shop()).keys, await shop.anotherKey('LIVE')]) {
      for (const answer of [
        await get(`/payments/${id}`, keys),
        await get(`/payments/${id}/refunds`, keys),
        await get(`/refunds/${String(refund)}`, keys),
        await post(`/payments/${id}/refunds`, { reason: 'r' }, { keys }),
      ]) {
        expect([answer.status, answer.json['errorType']]).toEqual([404, 'RESOURCE_NOT_FOUND']);
      }
      expect((await get('/payments', keys)).json).toMatchObject({
        data: [],
        pagination: { totalElements: 0, totalPages: 0 },
        summary: { successCount: 0, failedCount: 0, totalAmount: '0.00' },
      });
    }
  });
});

describe('GET /payments', () => {
  test('pages, filters and sums', async () => {
    // A merchant must get exactly what they filtered for, with numbers that add up.
    const { keys } = await world.shop();
    const list = (query: string) => get(`/payments?${query}`, keys);
    const ids = [
      await paid(keys, { amount: '100.10' }),
      await created(keys, { amount: '200.20', merchantTxnId: 'mine & only' }),
      await paid(keys, { amount: '300', preferredVendor: 'NAGAD' }),
      await created(keys, { amount: '400' }),
    ];
    const [first = '', second = '', third = '', fourth = ''] = ids;
    await set(fourth, `status = 'FAILED', ended_at = now()`);
    const all = await list('');
    expect(idsOf(all)).toEqual([fourth, third, second, first]);
    expect(all.json).toMatchObject({
      status: 'success',
      pagination: { page: 0, size: 20, totalElements: 4, totalPages: 1 },
      summary: { successCount: 2, failedCount: 1, totalAmount: '1000.30' },
    });
    const page = await list('page=1&size=3');
    expect(idsOf(page)).toEqual([first]);
    expect(page.json).toMatchObject({
      pagination: { page: 1, size: 3, totalElements: 4, totalPages: 2 },
      summary: { successCount: 2, failedCount: 1, totalAmount: '1000.30' },
    });
    expect(idsOf(await list('status=COMPLETED'))).toEqual([third, first]);
    expect((await list('status=COMPLETED')).json['summary']).toEqual({
      successCount: 2,
      failedCount: 0,
      totalAmount: '400.10',
    });
    expect(idsOf(await list('vendor=NAGAD'))).toEqual([third]);
    expect(idsOf(await list('amountMin=200.20&amountMax=300'))).toEqual([third, second]);
    expect(idsOf(await list('merchantTxnId=mine%20%26%20only'))).toEqual([second]);
    await set(first, `created_at = '2026-05-17T10:00:00.900Z'`);
    expect(idsOf(await list('from=2026-05-17T10:00:00Z&to=2026-05-17T10:00:00Z'))).toEqual([first]);
    expect(idsOf(await list('from=2026-05-17T16:00:00%2B06:00&to=2026-05-17T16:00:01%2B06:00'))).toEqual([first]);
    expect(idsOf(await list('to=2026-05-17T09:59:59Z'))).toEqual([]);
  });

  test('a day that ends at its last millisecond has nothing of the next one', async () => {
    // A payment in the totals of two days would be counted twice.
    const { keys } = await world.shop();
    const [last, next] = [await created(keys), await created(keys)];
    await set(last, `created_at = '2026-05-17T23:59:59.999Z'`);
    await set(next, `created_at = '2026-05-18T00:00:00.500Z'`);
    const day = (from: string, to: string) => get(`/payments?from=${from}&to=${to}`, keys);
    expect(idsOf(await day('2026-05-17T00:00:00.000Z', '2026-05-17T23:59:59.999Z'))).toEqual([last]);
    expect(idsOf(await day('2026-05-18T00:00:00.000Z', '2026-05-18T23:59:59.999Z'))).toEqual([next]);
  });

  test.each([
    'page=-1',
    'page=x',
    'size=0',
    'size=101',
    'status=PAID',
    'vendor=bkash',
    'from=2026-05-17',
    'to=yesterday',
    'amountMin=ten',
    'amountMax=1e3',
    'merchantTxnId=',
    'page=1&page=2',
  ])('refuses %s', async (query) => {
    // A filter that is not understood must not return everything.
    const { status, json } = await get(`/payments?${query}`);
    expect([status, json['errorType']]).toEqual([400, 'VALIDATION_ERROR']);
  });
});

describe('refunds', () => {
  test('goes through its states; more than was paid, or oftener than its vendor gives back, there is none', async () => {
    // A refund that can never be made must not be accepted.
    const id = await paid();
    const tooMuch = await post(`/payments/${id}/refunds`, { amount: '1500.51', reason: 'r' });
    expect([tooMuch.status, tooMuch.json]).toEqual([
      422,
      { status: 'error', errorType: 'REFUND_NOT_ALLOWED', message: expect.stringMatching(/exceed/), data: null },
    ]);
    const part = await post(`/payments/${id}/refunds`, {
      amount: '500',
      reason: 'Returned,\r\nunopened',
      merchantRef: 'return-12',
    });
    expect([part.status, part.json]).toEqual([
      202,
      {
        status: 'success',
        data: {
          refundId: expect.stringMatching(/^REF_\d{8}_[0-9A-Z]{6}$/),
          paymentId: id,
          amount: '500.00',
          currency: 'BDT',
          status: 'INITIATED',
          reason: 'Returned, unopened',
          merchantRef: 'return-12',
          initiatedAt: expect.stringMatching(/Z$/),
          completedAt: null,
        },
      },
    ]);
    const more = await post(`/payments/${id}/refunds`, { amount: '1', reason: 'r' });
    expect([more.status, more.json]).toMatchObject([
      422,
      { errorType: 'REFUND_NOT_ALLOWED', message: expect.stringMatching(/once/), data: null },
    ]);
    const { refundId } = dataOf(part);
    for (const odd of ['%00', 'REF_%00', 'x'.repeat(100)]) {
      expect((await get(`/refunds/${odd}`)).json).toMatchObject({ errorType: 'RESOURCE_NOT_FOUND' });
    }
    expect(dataOf(await get(`/refunds/${String(refundId)}`))).toEqual(dataOf(part));
    expect((await get(`/payments/${id}/refunds`)).json).toMatchObject({
      data: [dataOf(part)],
      pagination: { page: 0, size: 20, totalElements: 1, totalPages: 1 },
    });
    await world.sql(`update refunds set accepted_at = now() where reference = ?`, [refundId]);
    expect(dataOf(await get(`/refunds/${String(refundId)}`))).toMatchObject({
      status: 'PROCESSING',
      completedAt: null,
    });
    await world.sql(
      `update refunds set status = 'SUCCEEDED', ended_at = now(), succeeded_at = now() where reference = ?`,
      [refundId],
    );
    expect(dataOf(await get(`/refunds/${String(refundId)}`))).toMatchObject({
      status: 'COMPLETED',
      completedAt: expect.stringMatching(/Z$/),
    });
    expect(dataOf(await get(`/payments/${id}`))).toMatchObject({ refundTotal: '500.00' });
  });

  test('of a payment that is not completed, or of a vendor without refunds, there is none', async () => {
    for (const id of [await created(), await paid(shop.keys, { preferredVendor: 'NAGAD' })]) {
      const { status, json } = await post(`/payments/${id}/refunds`, { reason: 'r' });
      expect([status, json['errorType']]).toEqual([422, 'REFUND_NOT_ALLOWED']);
    }
  });

  test.each([
    [{}, 'reason', 'Reason is required'],
    [{ reason: null }, 'reason', 'Reason is required'],
    [{ reason: 'r', amount: '0.00' }, 'amount', 'Amount must be greater than 0'],
    [{ reason: 'r', amount: 5 }, 'amount', 'Amount must be a decimal string'],
    [{ reason: 'r', amount: '1.005' }, 'amount', /two decimal places/],
    [{ reason: 'r', merchantRef: 'x'.repeat(256) }, 'merchantRef', /at most 255/],
  ])('refuses %j', async (body, field, message) => {
    // Errors are reported by field, as for payments.
    const { status, json } = await post(`/payments/${await paid()}/refunds`, body);
    expect([status, json]).toEqual([
      400,
      {
        status: 'error',
        errorType: 'VALIDATION_ERROR',
        message: 'Invalid refund request',
        data: { [field]: typeof message === 'string' ? message : expect.stringMatching(message) },
      },
    ]);
  });

  test('of more than was paid there is none, however many digits it has', async () => {
    // Too large an amount is refused as too large, not as malformed.
    const id = await paid();
    for (const amount of ['9'.repeat(13), '9'.repeat(40)]) {
      const { status, json } = await post(`/payments/${id}/refunds`, { amount, reason: 'r' });
      expect([amount, status, json['errorType']]).toEqual([amount, 422, 'REFUND_NOT_ALLOWED']);
    }
  });

  test('the same key gives money back once, and is another one for another payment', async () => {
    // A retry after a lost answer must not refund twice.
    const [id, other] = [await paid(), await paid()];
    const headers = { ...aKey(), 'content-type': 'application/json' };
    const send = (of: string, body: string) => post(`/payments/${of}/refunds`, body, { headers });
    const first = await send(id, '{"amount":"10","reason":"r"}');
    const again = await send(id, '{ "reason": "r", "amount": "10" }');
    expect([again.status, again.text, again.headers['idempotent-replay']]).toEqual([202, first.text, 'true']);
    expect((await send(other, '{"amount":"10","reason":"r"}')).json['errorType']).toBe('IDEMPOTENCY_CONFLICT');
    expect((await send(id, '{"amount":"11","reason":"r"}')).json['errorType']).toBe('IDEMPOTENCY_CONFLICT');
    expect(rowsOf(await get(`/payments/${id}/refunds`))).toHaveLength(1);
  });

  test('without a key each request is a refund of its own', async () => {
    // The key is recommended but not required.
    const { reference: id } = await world.paidPayment(shop);
    const body = { amount: '10', reason: 'r' };
    const [first, second] = [await post(`/payments/${id}/refunds`, body), await post(`/payments/${id}/refunds`, body)];
    expect(dataOf(first)['refundId']).not.toBe(dataOf(second)['refundId']);
  });
});

test('the document is served, and names this installation', async () => {
  // Client generators read the document.
  const { status, text } = await httpCall({ origin: world.origin, path: '/openapi/shadhinpay.json' });
  expect([status, JSON.parse(text)]).toMatchObject([200, { servers: [{ url: `${world.origin}/api/v1` }] }]);
});
