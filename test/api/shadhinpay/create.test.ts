import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WEB_URL } from '../api-world.ts';
import { aKey, anOrder, dataOf, shadhinpayCall, type ShadhinpayAnswer } from './shadhinpay-client.ts';
import { openShadhinpayWorld, PAYMENT, type Shop, type ShadhinpayWorld } from './shadhinpay-world.ts';

let world: ShadhinpayWorld;
let shop: Shop;

beforeAll(async () => {
  world = await openShadhinpayWorld();
  shop = await world.shop();
});
afterAll(() => world.close());

const SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const PAYMENT_ID = /^PAY_\d{8}_[0-9A-Z]{6}$/;

interface Sending {
  readonly headers?: Record<string, string>;
  readonly keys?: Shop['keys'];
}

function create(body: unknown, { headers = aKey(), keys = shop.keys }: Sending = {}): Promise<ShadhinpayAnswer> {
  return shadhinpayCall({ origin: world.origin, method: 'POST', path: '/payments', keys, body, headers });
}

/** Returns the request from the documentation, with a new order number. */
const order = (change: object = {}) => ({ ...PAYMENT, merchantTxnId: anOrder(), ...change });
const read = (id: unknown, keys = shop.keys) =>
  shadhinpayCall({ origin: world.origin, path: `/payments/${String(id)}`, keys });

describe('POST /payments', () => {
  test('answers the documented request field by field, and tells the same on reading', async () => {
    // Otherwise clients written from the documentation would break.
    const answer = await create(PAYMENT);
    expect([answer.status, Object.keys(answer.json)]).toEqual([201, ['status', 'message', 'data']]);
    const data = dataOf(answer);
    expect(answer.json).toMatchObject({ status: 'success', message: 'Payment initiated successfully' });
    expect(data).toEqual({
      paymentId: expect.stringMatching(PAYMENT_ID),
      merchantTxnId: 'order-7831',
      amount: '1500.50',
      currency: 'BDT',
      status: 'PENDING',
      vendor: 'BKASH',
      paymentUrl: `${WEB_URL}/pay/${String(data['paymentId'])}`,
      description: 'Order #7831',
      refundTotal: '0.00',
      initiatedAt: expect.stringMatching(SECONDS),
      completedAt: null,
      expiresAt: expect.stringMatching(SECONDS),
      valueA: 'campaign=summer',
    });
    const minutes = (Date.parse(String(data['expiresAt'])) - Date.parse(String(data['initiatedAt']))) / 60_000;
    expect(minutes).toBe(15);
    expect(String(data['paymentId']).slice(4, 12)).toBe(String(data['initiatedAt']).slice(0, 10).replaceAll('-', ''));
    expect(dataOf(await read(data['paymentId']))).toEqual(data);
  });

  test('takes what is optional as absent or null, and echoes all four values', async () => {
    // Programs send null for a missing value.
    const { amount, currency, callbackUrl } = PAYMENT;
    const needed = { amount, currency, callbackUrl };
    expect((await create({ ...needed, merchantTxnId: anOrder() })).status).toBe(201);
    const empty = Object.fromEntries(
      [
        'preferredVendor',
        'customerPhone',
        'customerEmail',
        'description',
        'valueB',
        'expiresInMinutes',
        'isSandbox',
      ].map((name) => [name, null]),
    );
    expect((await create({ ...needed, ...empty, merchantTxnId: anOrder() })).status).toBe(201);
    const values = { valueA: 'ক', valueB: '', valueC: '{"a":1}', valueD: 'd'.repeat(500) };
    const { paymentId, ...told } = dataOf(await create(order(values)));
    expect(told).toMatchObject(values);
    expect(dataOf(await read(paymentId))).toMatchObject(values);
  });

  test('takes lines and tabs: the description on one line, the values as they are', async () => {
    // Line breaks from a shop's form must not cost the sale, and its own data must come back unchanged.
    const values = { valueA: '{\r\n\t"a": 1\n}', valueB: '\n' };
    const { paymentId } = dataOf(await create(order({ description: 'Blue shirt\r\nsize\tL', ...values })));
    expect(dataOf(await read(paymentId))).toMatchObject({ description: 'Blue shirt size L', ...values });
  });

  test.each([
    ['10', '1000', '10.00'],
    ['10.5', '1050', '10.50'],
    ['1500.50', '150050', '1500.50'],
    ['200000', '20000000', '200000.00'],
    ['70.10', '7010', '70.10'],
    ['00000000000000070.10', '7010', '70.10'],
  ])('an amount of "%s" is %s minor units', async (amount, minor, told) => {
    // An amount must never pass through a float, and is always written with two decimals.
    const data = dataOf(await create(order({ amount })));
    const [row] = await world.sql<{ minor: string }>(
      'select amount_minor::text as minor from payments where reference = ?',
      [data['paymentId']],
    );
    expect([row?.minor, data['amount']]).toEqual([minor, told]);
  });

  test('names each field that is wrong, in the documented words', async () => {
    // Forms show these messages beside their fields.
    const { status, json } = await create(order({ amount: '9.99', callbackUrl: 'shop.example.com' }));
    expect([status, json]).toEqual([
      400,
      {
        status: 'error',
        errorType: 'VALIDATION_ERROR',
        message: 'Invalid payment request',
        data: { amount: 'Amount must be between 10.00 and 200000.00', callbackUrl: 'Invalid URL format' },
      },
    ]);
    expect((await create({})).json).toEqual({
      status: 'error',
      errorType: 'VALIDATION_ERROR',
      message: 'Invalid payment request',
      data: {
        amount: 'Amount is required',
        currency: 'Currency is required',
        merchantTxnId: 'Merchant txn ID is required',
        callbackUrl: 'Callback URL is required',
      },
    });
  });

  test.each([
    [{ amount: 1500.5 }, 'amount', 'Amount must be a decimal string'],
    [{ amount: '200000.01' }, 'amount', 'Amount must be between 10.00 and 200000.00'],
    [{ amount: '1000000000000' }, 'amount', 'Amount must be between 10.00 and 200000.00'],
    [{ amount: `${'9'.repeat(40)}.99` }, 'amount', 'Amount must be between 10.00 and 200000.00'],
    [{ amount: '9'.repeat(41) }, 'amount', /decimal string/],
    [{ amount: '15.005' }, 'amount', /at most two decimal places/],
    [{ amount: '1e3' }, 'amount', /decimal string/],
    [{ amount: '-15' }, 'amount', /decimal string/],
    [{ amount: ' 15' }, 'amount', /decimal string/],
    [{ amount: '৫০০' }, 'amount', /decimal string/],
    [{ currency: 'USD' }, 'currency', 'Currency must be BDT'],
    [{ currency: null }, 'currency', 'Currency is required'],
    [{ merchantTxnId: '' }, 'merchantTxnId', 'Merchant txn ID is required'],
    [{ merchantTxnId: 7 }, 'merchantTxnId', 'Merchant txn ID must be text'],
    [{ merchantTxnId: 'a\u0000b' }, 'merchantTxnId', /control characters/],
    [{ merchantTxnId: 'a\nb' }, 'merchantTxnId', /control characters/],
    [{ description: 'a\u0000b' }, 'description', /control characters/],
    [{ valueA: 'a\u0000b' }, 'valueA', /control characters/],
    [{ merchantTxnId: 'x'.repeat(256) }, 'merchantTxnId', /at most 255/],
    [{ callbackUrl: 'javascript:alert(1)' }, 'callbackUrl', /https/],
    [{ callbackUrl: 'https://a:b@shop.example/' }, 'callbackUrl', /user name/],
    [{ callbackUrl: 'https://shop.example\\@evil.example' }, 'callbackUrl', /backslash/],
    [{ preferredVendor: 'ROCKET' }, 'preferredVendor', 'Preferred vendor must be BKASH or NAGAD'],
    [{ preferredVendor: 'bkash' }, 'preferredVendor', 'Preferred vendor must be BKASH or NAGAD'],
    [{ customerPhone: '<b>' }, 'customerPhone', /phone number/],
    [{ customerEmail: 'jane@' }, 'customerEmail', /email address/],
    [{ valueA: 'x'.repeat(501) }, 'valueA', /at most 500/],
    [{ valueB: { a: 1 } }, 'valueB', /must be text/],
    [{ expiresInMinutes: 0 }, 'expiresInMinutes', /at least 1/],
    [{ expiresInMinutes: 1_441 }, 'expiresInMinutes', /at most 1440/],
    [{ expiresInMinutes: 1.5 }, 'expiresInMinutes', /integer/],
    [{ isSandbox: 'yes' }, 'isSandbox', /true or false/],
    [{ isSandbox: false }, 'isSandbox', /must not be false with a test key/],
  ])('refuses %j', async (change, field, message) => {
    // Hostile or invalid input must be reported by field and must not be stored.
    const { status, json } = await create(order(change));
    expect([status, json['errorType']]).toEqual([400, 'VALIDATION_ERROR']);
    expect(json['data']).toEqual({ [field]: typeof message === 'string' ? message : expect.stringMatching(message) });
  });

  test('a live key takes no http callback and no isSandbox, a test key both', async () => {
    // A sandbox configuration must not go live by accident.
    const live = await shop.anotherKey('LIVE');
    const body = order({ callbackUrl: 'http://localhost:3001/return', isSandbox: true });
    const refused = await create(body, { keys: live });
    expect([refused.status, refused.json['data']]).toEqual([
      400,
      { callbackUrl: expect.stringMatching(/https/), isSandbox: 'Is sandbox must not be true with a live key' },
    ]);
    expect((await create(body)).status).toBe(201);
    expect((await create(order({ isSandbox: false }), { keys: live })).status).toBe(201);
  });

  test('expiresInMinutes is the window', async () => {
    // The shop reserves its stock for the same time.
    const { initiatedAt, expiresAt } = dataOf(await create(order({ expiresInMinutes: 90 })));
    expect(Date.parse(String(expiresAt)) - Date.parse(String(initiatedAt))).toBe(90 * 60_000);
  });

  test('a vendor that the business may not use is 422 VENDOR_UNAVAILABLE', async () => {
    // The documented error code. Lenden must not choose another vendor for the payer.
    const { keys } = await world.shop({ gatewaysAllowed: ['bkash'] });
    const { status, json } = await create(order({ preferredVendor: 'NAGAD' }), { keys });
    expect([status, json]).toEqual([
      422,
      { status: 'error', errorType: 'VENDOR_UNAVAILABLE', message: 'The vendor is not available', data: null },
    ]);
    const none = await world.shop({ gatewaysAllowed: ['sslcommerz'] });
    const { preferredVendor: _vendor, ...open } = order();
    expect((await create(open, { keys: none.keys })).json['errorType']).toBe('VENDOR_UNAVAILABLE');
  });

  test('is INITIATED while the vendor has not opened its page, and 502 when it refuses for good', async () => {
    // If the vendor is slow, the payer can wait on our page. A shop must not get the URL of a checkout that can never open.
    world.dispatch.opening = 'times out';
    try {
      const answer = await create(order());
      expect([answer.status, dataOf(answer)['status']]).toEqual([201, 'INITIATED']);
      world.dispatch.opening = 'refuses';
      const refused = order();
      const [key, another] = ['refused-1', 'refused-2'].map((name) => ({ headers: { 'x-idempotency-key': name } }));
      for (const times of [1, 2]) {
        const { status, json } = await create(refused, key);
        expect([times, status, json]).toMatchObject([times, 502, { errorType: 'VENDOR_ERROR', data: null }]);
      }
      // The failed payment keeps its `merchantTxnId`, as docs/shadhinpay.md says.
      expect((await create(refused, another)).json).toMatchObject({ errorType: 'DUPLICATE_RESOURCE' });
    } finally {
      world.dispatch.opening = 'opens';
    }
  });
});

test('empty texts mean what was left out', async () => {
  // Forms send an empty string for a field that was left empty.
  const blank = { preferredVendor: '', customerPhone: '', customerEmail: '', description: '' };
  const answer = await create(order(blank));
  expect([answer.status, dataOf(answer)['vendor'], dataOf(answer)['description']]).toEqual([201, null, undefined]);
});

test('the first answer is given again although the vendor was withdrawn since', async () => {
  // A shop whose answer was lost would believe the refusal, although its customer can pay.
  const other = await world.shop();
  const [body, headers] = [order({ preferredVendor: 'BKASH' }), aKey()];
  const first = await create(body, { headers, keys: other.keys });
  await world.sql(`update applications set gateways_allowed = '{nagad}' where id = ?`, [
    other.applicationId.toString(),
  ]);
  const again = await create(body, { headers, keys: other.keys });
  expect([again.status, again.text, again.headers['idempotent-replay']]).toEqual([201, first.text, 'true']);
  expect((await create(order({ preferredVendor: 'BKASH' }), { keys: other.keys })).status).toBe(422);
});

describe('merchantTxnId', () => {
  test('belongs to one payment of a business and mode', async () => {
    // Two servers that request the same order must not make it payable twice.
    const body = order();
    expect((await create(body)).status).toBe(201);
    const { status, json } = await create(body);
    expect([status, json['errorType'], json['data']]).toEqual([409, 'DUPLICATE_RESOURCE', null]);
    expect((await create(body, { keys: await shop.anotherKey() })).json['errorType']).toBe('DUPLICATE_RESOURCE');
    expect((await create(body, { keys: await shop.anotherKey('LIVE') })).status).toBe(201);
    expect((await create(body, { keys: (await world.shop()).keys })).status).toBe(201);
  });

  test('of two at once one wins, and the loser’s key is free for another order', async () => {
    // The unique index decides, not an earlier read.
    const body = order();
    const headers = [aKey(), aKey(), aKey(), aKey()];
    const answers = await Promise.all(headers.map((header) => create(body, { headers: header })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
    const rows = await world.sql('select id from payments where merchant_reference = ?', [body.merchantTxnId]);
    expect(rows).toHaveLength(1);
    const loser = headers[answers.findIndex(({ status }) => status === 409)];
    expect((await create(order(), loser === undefined ? {} : { headers: loser })).status).toBe(201);
  });
});

describe('X-Idempotency-Key', () => {
  const text = { 'content-type': 'application/json' };

  test.each([
    ['none', {}, 'MISSING_REQUIRED_FIELD', 'X-Idempotency-Key is required'],
    ['an empty one', { 'x-idempotency-key': '' }, 'VALIDATION_ERROR', /1 to 255 octets/],
    ['a long one', { 'x-idempotency-key': 'x'.repeat(256) }, 'VALIDATION_ERROR', /1 to 255 octets/],
  ])('with %s nothing is made', async (_case, headers, errorType, message) => {
    // Without a key, a retry after a lost answer would look like a second order.
    const { status, json } = await create(order(), { headers });
    expect([status, json['errorType'], json['data']]).toEqual([
      400,
      errorType,
      { 'X-Idempotency-Key': typeof message === 'string' ? message : expect.stringMatching(message) },
    ]);
  });

  test('the same meaning gets the same bytes and says so; another value is a conflict', async () => {
    // Clients may serialize a retry differently, and the order of JSON members has no meaning.
    const headers = { ...aKey(), ...text };
    const body = order();
    const first = await create(JSON.stringify(body), { headers });
    expect(first.headers['idempotent-replay']).toBeUndefined();
    const shuffled = JSON.stringify(Object.fromEntries(Object.entries(body).toReversed()), null, 2).replace(
      'Order #7831',
      String.raw`\u004frder #7831`,
    );
    const again = await create(shuffled, { headers });
    expect([again.status, again.text, again.headers['idempotent-replay']]).toEqual([201, first.text, 'true']);
    const other = await create({ ...body, valueA: 'campaign=winter' }, { headers });
    expect([other.status, other.json]).toMatchObject([
      409,
      { status: 'error', errorType: 'IDEMPOTENCY_CONFLICT', data: null },
    ]);
  });

  test('a duplicate of a running request is told 409 and when to come again', async () => {
    // Two clicks at the same time must create one payment.
    world.dispatch.opening = 'opens slowly';
    try {
      const [headers, body] = [aKey(), order()];
      const answers = await Promise.all([create(body, { headers }), create(body, { headers })]);
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
      const duplicate = answers.find(({ status }) => status === 409);
      expect([duplicate?.json['errorType'], duplicate?.headers['retry-after']]).toEqual([
        'IDEMPOTENCY_CONFLICT',
        expect.stringMatching(/^\d+$/),
      ]);
    } finally {
      world.dispatch.opening = 'opens';
    }
  });

  test('an INITIATED answer is not kept: the same request hears later how it went on', async () => {
    // An undecided answer must not be replayed for a day.
    const [headers, body] = [aKey(), order()];
    world.dispatch.opening = 'times out';
    const first = await create(body, { headers });
    world.dispatch.opening = 'opens';
    const again = await create(body, { headers });
    expect([dataOf(first)['status'], dataOf(again)['status']]).toEqual(['INITIATED', 'PENDING']);
    expect(dataOf(again)['paymentId']).toBe(dataOf(first)['paymentId']);
    // A client that counts its payments must see that it already knows this one.
    expect([first, again].map(({ headers: { 'idempotent-replay': told } }) => told)).toEqual([undefined, 'true']);
  });

  test('is a business’s own', async () => {
    // Two shops may use the same key without affecting each other.
    const headers = aKey();
    const other = await world.shop();
    const [first, second] = [await create(order(), { headers }), await create(order(), { headers, keys: other.keys })];
    expect([first.status, second.status]).toEqual([201, 201]);
  });
});
