import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../core/applications/store/applications.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call, type Answer } from './contract-client.ts';

let world: ApiWorld;
let origin: string;
let shop: Registration;

beforeAll(async () => {
  world = await openApiWorld();
  origin = await world.listen();
  shop = await world.register();
});
afterAll(() => world.close());

let paymentsBefore: number;
beforeEach(async () => {
  paymentsBefore = await countPayments();
});

async function countPayments(): Promise<number> {
  const [row] = await world.sql<{ count: number }>('select count(*)::int as count from payments');
  return row?.count ?? -1;
}

const VALID = { amountMinor: 10_000, customerReference: 'cust_1' };

function post(
  body: unknown,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<Answer> {
  return call({ origin, method: 'POST', path: '/payments', credentials: shop.test, body, headers });
}

async function expectRefused(answer: Answer, fields: readonly string[]): Promise<void> {
  expect(answer.status).toBe(400);
  expect(Object.keys(answer.data).sort()).toEqual([...fields].sort());
  expect(await countPayments()).toBe(paymentsBefore);
}

describe('amounts', () => {
  test.each([
    '0',
    '-1',
    '0.1',
    '1e3',
    '1.0',
    'NaN',
    '9007199254740992',
    '9223372036854775808',
    'null',
    '1.005',
    '"১০০"',
    '"10000"',
    '১০০',
    '+10000',
    '010000',
    '-0',
    'true',
    '[10000]',
    '{"value":10000}',
    '1e400',
  ])('amountMinor %s is refused, named and changes nothing', async (literal) => {
    // Amounts are integers in minor units. If they were rounded or converted, the payer could pay a wrong amount.
    const answer = await post(`{"amountMinor":${literal},"customerReference":"c"}`);
    const unparsable = ['NaN', '১০০', '+10000', '010000'].includes(literal);
    await expectRefused(answer, [unparsable ? 'body' : 'amountMinor']);
  });

  test('a missing amount and a missing customer are both named at once', async () => {
    // An integrator can then fix a request in one step.
    const answer = await post('{}');
    await expectRefused(answer, ['amountMinor', 'customerReference']);
    expect(answer.data).toEqual({ amountMinor: 'is required', customerReference: 'is required' });
  });
});

describe('currencies', () => {
  test.each(['bdt', 'BD', 'XXX', 'ABC', 'JPY', 'USD', 'BDTT', ''])('%p is refused', async (currency) => {
    // Otherwise the gateway would reject the payment only when the payer wants to pay.
    await expectRefused(await post(JSON.stringify({ ...VALID, currency })), ['currency']);
  });

  test('no amount finer than the minor unit is rounded', async () => {
    // 100.001 BDT is not a valid amount.
    await expectRefused(await post('{"amountMinor":10000.1,"currency":"BDT","customerReference":"c"}'), [
      'amountMinor',
    ]);
  });
});

describe('members given twice', () => {
  test.each([
    '{"amountMinor":10000,"amountMinor":1000,"customerReference":"c"}',
    '{"amountMinor":10000,"customerReference":"c","\\u0061mountMinor":1000}',
    '{"amountMinor":10000,"customerReference":"c","x":{"a":1,"a":2}}',
  ])('%s is refused', async (body) => {
    // Two JSON parsers could otherwise read two different amounts in one body.
    await expectRefused(await post(body), ['body']);
  });

  test('a query parameter twice is refused', async () => {
    // It is unclear which of the two values the caller means.
    const answer = await call({
      origin,
      path: '/payments?customerReference=a&customerReference=b',
      credentials: shop.test,
    });
    await expectRefused(answer, ['customerReference']);
  });
});

describe('encodings', () => {
  const body = JSON.stringify({ ...VALID, customerName: 'জেন' });

  test.each([
    ['no content type', Buffer.from(body), {}],
    ['text/plain', body, { 'content-type': 'text/plain' }],
    ['a form', 'amountMinor=10000', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['UTF-16 by name', Buffer.from(body, 'utf16le'), { 'content-type': 'application/json; charset=utf-16' }],
    ['JSON of another kind', body, { 'content-type': 'application/jsonp' }],
  ])('%s is 415', async (_name, bytes, headers) => {
    // A body of an undeclared type could be read in a way that the client does not mean.
    const answer = await post(bytes, headers);
    expect(answer.meta.errorCode).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect(await countPayments()).toBe(paymentsBefore);
  });

  test.each([
    ['UTF-16 that claims nothing', Buffer.from(body, 'utf16le')],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    [
      'an overlong encoding',
      Buffer.concat([Buffer.from('{"customerReference":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
    ],
    ['an empty body', Buffer.alloc(0)],
    ['half a body', Buffer.from(body.slice(0, 20))],
    ['a bare value', Buffer.from('7')],
    ['a list', Buffer.from('[]')],
    ['nothing but null', Buffer.from('null')],
  ])('%s is 400', async (_name, bytes) => {
    // A malformed body must be the client's error, never a 500.
    await expectRefused(await post(bytes), ['body']);
  });

  test.each([
    ['application/json', 'no charset'],
    ['application/json; charset=utf-8', 'UTF-8'],
    ['Application/JSON;charset="UTF-8"', 'quoted'],
  ])('%s is taken (%s)', async (contentType) => {
    // Valid clients spell the content type differently.
    expect((await post(body, { 'content-type': contentType })).status).toBe(201);
  });

  test.each(['customerReference', 'customerName', 'productName'])(
    'NUL, control characters and lone surrogates in %s are refused, not passed to Postgres',
    async (field) => {
      // Postgres rejects NUL with an error that would become a 500.
      for (const escape of ['\\u0000', '\\u0007', '\\n', '\\ud800', '\\udc00x']) {
        const json = JSON.stringify({ ...VALID, [field]: 'TEXT' }).replace('TEXT', `a${escape}b`);
        await expectRefused(await post(json), [field]);
      }
      await expectRefused(await post(JSON.stringify({ ...VALID, [field]: ' \u00a0 ' })), [field]);
      await expectRefused(await post(JSON.stringify({ ...VALID, [field]: 'x'.repeat(256) })), [field]);
    },
  );

  test('NUL in a query is refused as well', async () => {
    // The value of a query parameter reaches Postgres too.
    const answer = await call({ origin, path: '/payments?customerReference=a%00b', credentials: shop.test });
    await expectRefused(answer, ['customerReference']);
  });

  test('right-to-left overrides, emoji and Bengali are stored as they came', async () => {
    // Text is stored unchanged and escaped only where it is shown.
    const customerReference = '\u202Egnp.exe 💳 লেনদেন e\u0301';
    const created = await post(JSON.stringify({ ...VALID, customerReference, customerName: '\u202Eevil' }));
    expect(created.status).toBe(201);
    const [row] = await world.sql<{ customer_reference: string; customer_name: string }>(
      'select customer_reference, customer_name from payments where id = ?',
      [created.data['id']],
    );
    expect(row).toEqual({ customer_reference: customerReference, customer_name: '\u202Eevil' });
    const path = `/payments?customerReference=${encodeURIComponent(customerReference)}`;
    expect((await call({ origin, path, credentials: shop.test })).payload).toMatchObject([{ id: created.data['id'] }]);
  });
});

describe('e-mail addresses', () => {
  const longest = `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.com`;

  test.each(['jane@example.com', "o'neil+x@mail.example.co", `${'a'.repeat(64)}@example.com`, longest])(
    '%s is taken',
    async (customerEmail) => {
      // Otherwise a payer with an unusual address could not pay.
      expect((await post(JSON.stringify({ ...VALID, customerEmail }))).status).toBe(201);
    },
  );

  test.each([
    `${'a'.repeat(65)}@example.com`,
    `jane@${'b'.repeat(64)}.com`,
    `x${longest}`,
    'jane@example',
    'jane@-example.com',
    'jane@example-.com',
    '.jane@example.com',
    'jane.@example.com',
    'ja..ne@example.com',
    'jane@example.com\n',
    'jane@@example.com',
  ])('%p is refused and named', async (customerEmail) => {
    // Otherwise the gateway would get an address that no mail server accepts.
    await expectRefused(await post(JSON.stringify({ ...VALID, customerEmail })), ['customerEmail']);
  });
});

describe('members that are not the client’s to set', () => {
  test('are ignored: the row has its defaults and no prototype is touched', async () => {
    // Otherwise a caller could mark a payment as paid, extend its life or move it to another application.
    const created = await post(
      '{"amountMinor":10000,"customerReference":"mass","status":"SUCCEEDED","amountCaptured":100,"appId":"other","applicationId":999,' +
        '"mode":"LIVE","id":1,"reference":"pay_x","paidAt":"2020-01-01T00:00:00Z","expiresAt":"9999-12-31T23:59:60","gateway":"free",' +
        '"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
    );
    expect(created.status).toBe(201);
    expect(created.data).toMatchObject({
      status: 'PENDING',
      mode: 'TEST',
      applicationId: Number(shop.applicationId),
      gateway: 'sslcommerz',
    });
    const [row] = await world.sql<{ paid_at: Date | null; lives_minutes: number }>(
      'select paid_at, round(extract(epoch from expires_at - created_at) / 60)::int as lives_minutes from payments where id = ?',
      [created.data['id']],
    );
    expect(row).toEqual({ paid_at: null, lives_minutes: 30 });
    expect(Reflect.get({}, 'admin')).toBeUndefined();
  });
});

describe('size and depth', () => {
  const huge = JSON.stringify({ ...VALID, productName: 'x'.repeat(70_000) });

  test.each([
    ['declared', false],
    ['in chunks', true],
  ])('a body over 64 KiB is 413, %s', async (_name, chunked) => {
    // Otherwise large bodies would use up the memory before they are parsed.
    const answer = await call({
      origin,
      method: 'POST',
      path: '/payments',
      credentials: shop.test,
      body: huge,
      chunked,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.meta.errorCode).toBe('PAYLOAD_TOO_LARGE');
    expect(answer.status).toBe(413);
    expect(await countPayments()).toBe(paymentsBefore);
  });

  test('deep nesting and thousands of members are refused', async () => {
    // Otherwise a small body could keep the strict parser busy for a long time.
    await expectRefused(await post(`{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`), ['body']);
    const many = `{${Array.from({ length: 10_001 }, (_, i) => `"k${i.toString(36)}":1`).join(',')}}`.slice(0, 64_000);
    await expectRefused(await post(many), ['body']);
  });
});

describe('ids in paths', () => {
  test.each(['0', '-1', '1.5', 'abc', '9007199254740992', '99999999999999999999', '%00', '1%20', '0x10', '১'])(
    '/payments/%s is a 400 or a 404, never a server error',
    async (id) => {
      // A malformed id in a path must never cause a 500.
      const answer = await call({ origin, path: `/payments/${id}`, credentials: shop.test });
      expect([400, 404]).toContain(answer.status);
    },
  );

  test.each([
    'pay_',
    'pay_1',
    `pay_${'a'.repeat(22)}`,
    `PAY_${'a'.repeat(22)}`,
    'x'.repeat(4_000),
    '%F0%9F%92%B3',
    '%00',
  ])('/checkout/%s is 404', async (reference) => {
    // References match exactly, including case.
    const answer = await call({ origin, path: `/checkout/${reference}` });
    expect(answer.meta.errorCode).toBe('RESOURCE_NOT_FOUND');
  });
});
