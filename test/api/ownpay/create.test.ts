import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WEB_URL } from '../api-world.ts';
import { ownpayCall, type OwnpayAnswer } from './ownpay-client.ts';
import { INTENT, openOwnpayWorld, type OwnpayShop, type OwnpayWorld } from './ownpay-world.ts';

let world: OwnpayWorld;
let shop: OwnpayShop;

beforeAll(async () => {
  world = await openOwnpayWorld();
  shop = await world.shop();
});
afterAll(() => world.close());

const SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

function create(body: unknown, headers: Record<string, string> = {}): Promise<OwnpayAnswer> {
  return ownpayCall({ origin: world.origin, method: 'POST', path: '/payment-intents', key: shop.key, body, headers });
}

/** Creates an intent whose amount is exactly this text. */
function withAmount(text: string): Promise<OwnpayAnswer> {
  const body = JSON.stringify({ ...INTENT, amount: 'AMOUNT' }).replace('"AMOUNT"', text);
  return create(body, { 'content-type': 'application/json' });
}

async function storedMinor({ json }: OwnpayAnswer): Promise<string | undefined> {
  const [row] = await world.sql<{ amount_minor: string }>(
    'select amount_minor::text from payments where reference = ?',
    [json['transaction_id']],
  );
  return row?.amount_minor;
}

describe('POST /payment-intents', () => {
  test('answers 201 field by field as documented, and keeps every field', async () => {
    // Otherwise clients written from the documentation would break, or lose what they sent.
    const { status, json, headers } = await create(INTENT);
    expect([status, Object.keys(json)]).toEqual([
      201,
      ['success', 'transaction_id', 'payment_url', 'status', 'expires_at'],
    ]);
    expect(json).toEqual({
      success: true,
      transaction_id: expect.stringMatching(/^txn_[0-9a-f]{16}$/),
      payment_url: `${WEB_URL}/checkout/${String(json['transaction_id'])}`,
      status: 'pending',
      expires_at: expect.stringMatching(SECONDS),
    });
    const minutes = (Date.parse(String(json['expires_at'])) - Date.now()) / 60_000;
    expect(Math.abs(minutes - 30)).toBeLessThan(2);
    expect(headers['x-ratelimit-limit']).toBe('1000');
    expect(Math.abs(Number(headers['x-ratelimit-reset']) - Date.now() / 1_000)).toBeLessThan(120);

    const { gateway, amount, currency, ...kept } = INTENT;
    const read = await ownpayCall({
      origin: world.origin,
      path: `/payment-intents/${String(json['transaction_id'])}`,
      key: shop.key,
    });
    expect(read.json).toMatchObject({ ...json, gateway, amount, currency, ...kept, paid_at: null });
  });

  test('takes what is optional as absent, null or empty lists of members', async () => {
    // PHP clients send null for a missing value.
    const { customer_phone: _phone, description: _text, cancel_url: _url, metadata: _metadata, ...needed } = INTENT;
    expect((await create(needed)).status).toBe(201);
    const empty = { customer_phone: null, description: null, cancel_url: null, metadata: null };
    expect((await create({ ...needed, ...empty })).status).toBe(201);
  });

  test('takes empty texts and PHP’s empty array for what is left out', async () => {
    // Forms send an empty string for a field that was left empty. A shop must not lose the sale for it.
    const blank = { customer_phone: '', description: '', cancel_url: '', metadata: [] };
    const { status, json } = await create({ ...INTENT, ...blank });
    expect(status).toBe(201);
    const path = `/payment-intents/${String(json['transaction_id'])}`;
    const read = await ownpayCall({ origin: world.origin, path, key: shop.key });
    expect(read.json).toMatchObject({ customer_phone: null, description: null, cancel_url: null, metadata: null });
    expect((await create({ ...INTENT, metadata: ['a'] })).json['errors']).toEqual({
      metadata: ['The metadata must be an object.'],
    });
  });

  test.each([
    [{ description: 'Blue shirt\r\nsize\tL' }, { description: 'Blue shirt size L' }],
    [{ customer_phone: '+880 (1712) 345-678 ext. 9' }, { customer_phone: '+880 (1712) 345-678  9' }],
    [{ customer_phone: '017/12.34' }, { customer_phone: '0171234' }],
    [{ customer_phone: '1'.repeat(40) }, { customer_phone: '1'.repeat(30) }],
    [{ customer_phone: '<b>' }, { customer_phone: null }],
    [{ customer_phone: 'n/a (-)' }, { customer_phone: null }],
    [{ customer_phone: ' ' }, { customer_phone: null }],
    [{ customer_name: 'x'.repeat(151) }, { customer_name: 'x'.repeat(150) }],
    [{ customer_name: `${'x'.repeat(149)}😀😀` }, { customer_name: `${'x'.repeat(149)}😀` }],
    [{ customer_name: `${' '.repeat(150)}Jane` }, { customer_name: 'Jane' }],
  ])('%j is kept as %j', async (change, kept) => {
    // A customer's way of typing must not cost the shop a sale.
    const { status, json } = await create({ ...INTENT, ...change });
    expect(status).toBe(201);
    const path = `/payment-intents/${String(json['transaction_id'])}`;
    expect((await ownpayCall({ origin: world.origin, path, key: shop.key })).json).toMatchObject(kept);
  });

  test('a repeated order_id makes another payment', async () => {
    // A payer whose first payment failed tries again for the same order.
    const [first, second] = [await create(INTENT), await create(INTENT)];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.json['transaction_id']).not.toBe(second.json['transaction_id']);
  });

  test.each([
    ['99.99', '9999'],
    ['100', '10000'],
    ['99.990', '9999'],
    ['70.10', '7010'],
    ['1234.56', '123456'],
    ['450000.07', '45000007'],
  ])('an amount of %s is %s minor units', async (amount, minor) => {
    // An amount must never pass through a float: 70.10 × 100 would be 7009.999….
    expect(await storedMinor(await withAmount(amount))).toBe(minor);
  });

  test.each([
    ['99.999', /at most the decimal places/],
    ['1e2', /plain decimal/],
    ['-5', /plain decimal/],
    ['0', /between 10.00 and/],
    ['0.01', /between 10.00 and/],
    ['99999999999999999999', /plain decimal|between/],
    ['9.99', /between 10.00 and/],
    ['"99.99"', /must be a number/],
    ['true', /must be a number/],
    ['[99.99]', /must be a number/],
    ['null', /^The amount field is required\.$/],
  ])('an amount of %s is refused', async (amount, message) => {
    // Text that is not exactly an amount must not be converted to one.
    const { status, json } = await withAmount(amount);
    expect([status, json['code']]).toEqual([400, 'VALIDATION_ERROR']);
    expect(json['errors']).toEqual({ amount: [expect.stringMatching(message)] });
  });

  test('answers 400 with all messages by field, in the documented words', async () => {
    // Forms show these messages beside their fields.
    const { status, json } = await create({ currency: 'US' });
    const required = (field: string) => [`The ${field} field is required.`];
    expect([status, json]).toEqual([
      400,
      {
        error: true,
        message: 'Validation failed.',
        code: 'VALIDATION_ERROR',
        errors: {
          gateway: required('gateway'),
          amount: ['The amount field is required.'],
          currency: ['Invalid currency code.'],
          order_id: required('order_id'),
          customer_name: required('customer_name'),
          customer_email: required('customer_email'),
          return_url: required('return_url'),
        },
      },
    ]);
  });

  test('tells a missing amount and a currency that does not exist in one answer, as documented', async () => {
    // The example of the contract: its reader can correct both errors at once.
    const { amount: _amount, ...rest } = INTENT;
    const { status, text } = await create({ ...rest, currency: 'ZZZ' });
    expect([status, JSON.stringify((JSON.parse(text) as { errors: unknown }).errors)]).toEqual([
      400,
      '{"amount":["The amount field is required."],"currency":["Invalid currency code."]}',
    ]);
  });

  test('tells what its own rules and the application’s refuse together, in the order of the contract', async () => {
    // A customer should correct a form once, not once for each set of rules.
    const { customer_name: _name, ...rest } = INTENT;
    const { status, text } = await create({
      ...rest,
      cancel_url: 'ftp://shop.example/cancel',
      return_url: 'ftp://shop.example/back',
      customer_email: 'nobody',
      currency: 'BDT',
      amount: 1,
    });
    expect(status).toBe(400);
    expect(Object.keys((JSON.parse(text) as { errors: object }).errors)).toEqual([
      'amount',
      'customer_name',
      'customer_email',
      'return_url',
      'cancel_url',
    ]);
  });

  test.each([
    [{ currency: 'XYZ' }, 'currency', 'Invalid currency code.'],
    [{ currency: 'USD' }, 'currency', "Currency USD is not enabled for gateway 'sslcommerz'."],
    [{ order_id: '' }, 'order_id', 'The order_id field is required.'],
    [{ order_id: 7.5 }, 'order_id', 'The order_id must be a string.'],
    [{ order_id: 'a\u0000b' }, 'order_id', 'The order_id must not contain control characters.'],
    [{ order_id: 'x'.repeat(256) }, 'order_id', 'The order_id must be at most 255 characters.'],
    [{ customer_name: null }, 'customer_name', 'The customer_name field is required.'],
    [{ customer_email: 'jane@' }, 'customer_email', 'The customer_email must be an email address.'],
    [{ customer_name: 'x'.repeat(1_001) }, 'customer_name', 'The customer_name must be at most 1000 characters.'],
    [{ customer_phone: '1'.repeat(1_001) }, 'customer_phone', 'The customer_phone must be at most 1000 characters.'],
    [{ customer_phone: ['1'] }, 'customer_phone', 'The customer_phone must be a string.'],
    [{ metadata: ['a'] }, 'metadata', 'The metadata must be an object.'],
    [{ metadata: { a: 'x'.repeat(20_000) } }, 'metadata', expect.stringMatching(/at most 16384/)],
    [{ return_url: 'javascript:alert(1)' }, 'return_url', expect.stringMatching(/absolute https URL/)],
    [{ return_url: 'https://shop.example\\@evil.example' }, 'return_url', expect.stringMatching(/backslashes/)],
    [{ cancel_url: 'https://a:b@shop.example/' }, 'cancel_url', expect.stringMatching(/user name/)],
  ])('refuses %j', async (change, field, message) => {
    // Hostile or invalid input must be reported by field and must not be stored.
    const { status, json } = await create({ ...INTENT, ...change });
    expect([status, json['errors']]).toEqual([400, { [field]: [message] }]);
  });

  test('metadata comes back to the digit', async () => {
    // The merchant's metadata must come back unchanged, including numbers beyond 2^53.
    const metadata = '{"b":1.10,"a":12345678901234567890,"t":{"x":[null,"৳"]}}';
    const body = JSON.stringify({ ...INTENT, metadata: 'META' }).replace('"META"', metadata);
    const { json } = await create(body, { 'content-type': 'application/json' });
    const path = `/payment-intents/${String(json['transaction_id'])}`;
    const read = await ownpayCall({ origin: world.origin, path, key: shop.key });
    expect(read.text).toContain(`"metadata":${metadata}`);
  });

  test.each([
    ['nagad', {}],
    ['no such <gateway>', {}],
    ['__proto__', {}],
    ['sslcommerz', { gatewaysAllowed: ['another'] }],
  ])('answers 404 GATEWAY_NOT_FOUND for %s %j', async (gateway, settings) => {
    // The documented answer, also if the gateway exists but this application may not use it.
    const { key } = await world.shop(settings);
    const body = { ...INTENT, gateway, currency: 'USD' };
    const { status, json } = await ownpayCall({
      origin: world.origin,
      method: 'POST',
      path: '/payment-intents',
      key,
      body,
    });
    expect([status, json]).toEqual([
      404,
      { error: true, message: `Gateway '${gateway}' is not configured or inactive.`, code: 'GATEWAY_NOT_FOUND' },
    ]);
  });

  test('is pending with a payment_url also when the gateway does not answer in time', async () => {
    // The payer can continue: our page waits for the session.
    world.dispatch.opening = 'times out';
    try {
      const { status, json } = await create(INTENT);
      expect([status, json['status']]).toEqual([201, 'pending']);
    } finally {
      world.dispatch.opening = 'opens';
    }
  });

  test('is 502 when the gateway refuses for good', async () => {
    // A shop must not get the URL of a checkout that can never open.
    world.dispatch.opening = 'refuses';
    try {
      const { status, json } = await create(INTENT);
      expect([status, json['code']]).toEqual([502, 'GATEWAY_ERROR']);
    } finally {
      world.dispatch.opening = 'opens';
    }
  });
});

describe('Idempotency-Key', () => {
  const text = JSON.stringify(INTENT);
  const send = (key: string, body = text) =>
    create(body, { 'content-type': 'application/json', 'idempotency-key': key });

  test('the same bytes get the same answer; one byte more is a collision', async () => {
    // A retry after a lost answer must not create a second payment. OwnPay compares bytes, not the parsed content.
    const first = await send('order-1_A');
    const again = await send('order-1_A');
    expect([again.status, again.text]).toEqual([201, first.text]);
    const other = await send('order-1_A', `${text} `);
    expect([other.status, other.json['code']]).toEqual([400, 'IDEMPOTENCY_COLLISION']);
  });

  test('gives the first answer again although the request would be refused by now', async () => {
    // A shop whose answer was lost would believe the refusal, although its customer can pay.
    const other = await world.shop();
    const sendTo = (key: string) =>
      ownpayCall({
        origin: world.origin,
        method: 'POST',
        path: '/payment-intents',
        key: other.key,
        body: text,
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
      });
    const first = await sendTo('order-7');
    await world.sql(`update applications set gateways_allowed = '{bkash}' where id = ?`, [
      other.applicationId.toString(),
    ]);
    const again = await sendTo('order-7');
    expect([again.status, again.text]).toEqual([201, first.text]);
    const another = await sendTo('order-8');
    expect([another.status, another.json['code']]).toEqual([404, 'GATEWAY_NOT_FOUND']);
  });

  test('a duplicate of a running request is told 409', async () => {
    // Two clicks at the same time must create one payment.
    world.dispatch.opening = 'opens slowly';
    try {
      const answers = await Promise.all([send('duplicates'), send('duplicates')]);
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
      expect(answers.find(({ status }) => status === 409)?.headers['retry-after']).toMatch(/^\d+$/);
    } finally {
      world.dispatch.opening = 'opens';
    }
  });

  test.each(['', 'x'.repeat(65), 'a b', 'ä', 'a.b'])('refuses the key "%s"', async (key) => {
    // As documented: at most 64 letters, digits, - and _.
    const { status, json } = await send(key);
    expect([status, json['code']]).toEqual([400, 'VALIDATION_ERROR']);
  });
});
