import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../core/applications/store/applications.ts';
import { openApiWorld, WEB_URL, type ApiWorld } from './api-world.ts';
import { call, type Answer } from './contract-client.ts';
import { GATEWAY_PAGE } from './fake-dispatch.ts';

let world: ApiWorld;
let origin: string;
let shop: Registration;

beforeAll(async () => {
  world = await openApiWorld();
  origin = await world.listen();
  shop = await world.register({ name: 'Storefront', receiptsEnabled: true });
});
afterAll(() => world.close());

/** The body from the published getting-started guide. */
const GUIDE_BODY = {
  amountMinor: 10_000,
  currency: 'BDT',
  customerReference: 'cust_123',
  customerEmail: 'jane@example.com',
  productName: 'Pro plan',
};

function create(body: object = GUIDE_BODY): Promise<Answer> {
  return call({ origin, method: 'POST', path: '/payments', credentials: shop.test, body });
}

function get(path: string): Promise<Answer> {
  return call({ origin, path, credentials: shop.test });
}

describe('the published examples', () => {
  test('GET /app/me tells id, name and mode of the credential', async () => {
    // Clients check their credentials with exactly these members.
    const answer = await get('/app/me');
    expect(answer.status).toBe(200);
    expect(answer.data).toEqual({ id: Number(shop.applicationId), name: 'Storefront', mode: 'TEST' });
    expect(answer.meta).toMatchObject({ success: true, message: null, errorCode: null });
    expect(Math.abs(Date.parse(answer.meta.timestamp) - Date.now())).toBeLessThan(10_000);
    expect((await call({ origin, path: '/app/me', credentials: shop.live })).data['mode']).toBe('LIVE');
  });

  test('POST /payments answers reference, PENDING and a checkoutUrl made of the reference', async () => {
    // The application sends the payer to this address.
    const { status, data, meta } = await create();
    expect(status).toBe(201);
    expect(data).toMatchObject({ status: 'PENDING', amountMinor: 10_000, currency: 'BDT', mode: 'TEST' });
    expect(data['reference']).toMatch(/^pay_[0-9A-Za-z]{22}$/);
    expect(data['checkoutUrl']).toBe(`${WEB_URL}/checkout/${String(data['reference'])}`);
    expect(data['redirectUrl']).toBe(GATEWAY_PAGE);
    expect(meta).toMatchObject({ success: true, message: 'Resource created' });
  });

  test('the two required members are enough and the currency is BDT then', async () => {
    // Existing clients send only the two required members.
    const { status, data } = await create({ amountMinor: 10_000, customerReference: 'cust_min' });
    expect(status).toBe(201);
    expect(data['currency']).toBe('BDT');
  });

  test('GET /payments/{id} reads what was created', async () => {
    // Otherwise an application would get different data from creating and reading a payment.
    const created = await create();
    const read = await get(`/payments/${String(created.data['id'])}`);
    expect(read.data).toEqual({ ...created.data, updatedAt: read.data['updatedAt'] });
  });

  test('GET /payments?customerReference= lists that customer only, newest first', async () => {
    // An application that lost an answer finds its payment by its own reference.
    const ids = [];
    for (const customerReference of ['list_1', 'list_2', 'list_1']) {
      ids.push((await create({ ...GUIDE_BODY, customerReference })).data['id']);
    }
    const { payload } = await get('/payments?customerReference=list_1');
    expect(payload).toMatchObject([{ id: ids[2] }, { id: ids[0] }]);
    expect(payload).toHaveLength(2);
    expect((await get('/payments')).meta.errorCode).toBe('VALIDATION_ERROR');
  });

  test('GET /checkout/{reference} needs no credential and shows no customer', async () => {
    // The checkout page has only the reference, and a stranger with the link must not see the customer.
    const { data } = await create();
    const answer = await call({ origin, path: `/checkout/${String(data['reference'])}` });
    expect(answer.data).toEqual({
      reference: data['reference'],
      status: 'PENDING',
      amountMinor: 10_000,
      amountDisplay: '100.00',
      currency: 'BDT',
      appName: 'Storefront',
      gateway: 'sslcommerz',
      gatewayRedirectUrl: GATEWAY_PAGE,
      paidAt: null,
    });
    expect(answer.text).not.toContain('jane');
  });
});

describe('receipts', () => {
  test('exist only for settled payments of apps that enabled them', async () => {
    // A receipt states that money was taken.
    const { data } = await create();
    const path = `/payments/${String(data['id'])}/receipt`;
    expect((await get(path)).meta.errorCode).toBe('INVALID_OPERATION_STATE');
    await world.sql(
      `update payments set status = 'SUCCEEDED', paid_at = now(), ended_at = now(), gateway_txn_id = 'BANK1' where id = ?`,
      [data['id']],
    );
    const receipt = await get(path);
    expect(receipt.status).toBe(200);
    expect(receipt.data).toMatchObject({
      paymentId: data['id'],
      amountMinor: 10_000,
      amountDisplay: '100.00',
      customerReference: 'cust_123',
      appName: 'Storefront',
      gatewayTxnId: 'BANK1',
      mode: 'TEST',
    });
    const plain = await world.register();
    const other = await call({ origin, method: 'POST', path: '/payments', credentials: plain.test, body: GUIDE_BODY });
    const refused = await call({
      origin,
      path: `/payments/${String(other.data['id'])}/receipt`,
      credentials: plain.test,
    });
    expect(refused.meta.errorCode).toBe('RESOURCE_NOT_FOUND');
  });
});

describe('explain', () => {
  test('tells where a payment stands, what it waits for and until when', async () => {
    // Support answers "where is my money" from this endpoint alone.
    const { data } = await create();
    const { data: told } = await get(`/payments/${String(data['id'])}/explain`);
    expect(told).toMatchObject({ status: 'PENDING', waitingFor: 'payer', until: data['expiresAt'] });
    expect(told['timeline']).toMatchObject([
      { event: 'payment created' },
      { event: 'attempt 1 created', detail: 'sslcommerz' },
    ]);
  });
});

describe('limits of the app and the gateway', () => {
  test.each([
    [999, 'below the least that the gateway takes'],
    [50_000_001, 'above the most that the gateway takes'],
  ])('%i is refused: %s', async (amountMinor) => {
    // Otherwise the payer would be sent to a gateway that cannot take the amount.
    const answer = await create({ ...GUIDE_BODY, amountMinor });
    expect(answer.status).toBe(400);
    expect(answer.meta.errorCode).toBe('AMOUNT_OUT_OF_BOUNDS');
    expect(Object.keys(answer.data)).toEqual(['amountMinor']);
  });

  test('an app may set narrower ones, and the bounds themselves are allowed', async () => {
    // Bounds are inclusive, and the narrower bound applies.
    const narrow = await world.register({ minAmountMinor: 5_000n, maxAmountMinor: 6_000n });
    const of = async (amountMinor: number): Promise<number> => {
      const body = { amountMinor, customerReference: 'c' };
      return (await call({ origin, method: 'POST', path: '/payments', credentials: narrow.test, body })).status;
    };
    expect([await of(4_999), await of(5_000), await of(6_000), await of(6_001)]).toEqual([400, 201, 201, 400]);
  });

  test('an invoice that does not exist for this app is 404 and creates nothing', async () => {
    // A payment must not be linked to another application's invoice.
    const answer = await create({ ...GUIDE_BODY, customerReference: 'inv', invoiceId: 7 });
    expect(answer.meta.errorCode).toBe('RESOURCE_NOT_FOUND');
    expect((await get('/payments?customerReference=inv')).payload).toEqual([]);
  });
});

describe('return URLs', () => {
  test('only registered origins are taken where an app has any, and hostile spellings never', async () => {
    // Otherwise a payer could be redirected from Lenden's page to an attacker's site.
    const bound = await world.register({ returnOrigins: ['https://shop.example'] });
    const of = (returnUrl: string, credentials = bound.test): Promise<Answer> =>
      call({
        origin,
        method: 'POST',
        path: '/payments',
        credentials,
        body: { amountMinor: 10_000, customerReference: 'c', returnUrl },
      });
    const good = await of('https://shop.example/back?order=1#done');
    expect(good.data['returnUrl']).toBe('https://shop.example/back?order=1#done');
    const hostile = [
      '//evil.example',
      String.raw`https:/\evil.example`,
      'https://shop.example@evil.example',
      'https://shop.example.evil.example',
      'https://evil.example',
      'https://shop.example:8443/',
      'http://shop.example/',
      'javascript:alert(1)',
      'data:text/html,x',
      'https://xn--shp-0na.example/',
      'https://shop.example/\r\nSet-Cookie: a=b',
      'https://shop.example\\@evil.example',
      '',
    ];
    for (const returnUrl of hostile) {
      const answer = await of(returnUrl);
      expect([returnUrl, answer.status, Object.keys(answer.data)]).toEqual([returnUrl, 400, ['returnUrl']]);
    }
    expect((await of('http://localhost:5000/back', shop.test)).status).toBe(201);
    expect((await of('http://shop.example/back', shop.live)).status).toBe(400);
  });
});
