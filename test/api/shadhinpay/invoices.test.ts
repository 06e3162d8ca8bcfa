import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { httpCall } from '../http-call.ts';
import { WEB_URL } from '../api-world.ts';
import { aKey, dataOf, rowsOf, shadhinpayCall, type ShadhinpayAnswer } from './shadhinpay-client.ts';
import { INVOICE, openShadhinpayWorld, type Keys, type Shop, type ShadhinpayWorld } from './shadhinpay-world.ts';

let world: ShadhinpayWorld;
let shop: Shop;
/** Serves the native API, which uses another gateway. */
let nativeOrigin: string;

beforeAll(async () => {
  world = await openShadhinpayWorld();
  shop = await world.shop();
  nativeOrigin = await world.listen();
});
afterAll(() => world.close());

interface Sending {
  readonly keys?: Keys;
  readonly headers?: Readonly<Record<string, string>>;
}

const create = (body: unknown = INVOICE, { keys = shop.keys, headers = {} }: Sending = {}): Promise<ShadhinpayAnswer> =>
  shadhinpayCall({ origin: world.origin, method: 'POST', path: '/invoices', keys, body, headers });
const act = (id: unknown, action: 'send' | 'cancel', keys = shop.keys): Promise<ShadhinpayAnswer> =>
  shadhinpayCall({ origin: world.origin, method: 'POST', path: `/invoices/${String(id)}/${action}`, keys });
const read = (path: string, keys = shop.keys): Promise<ShadhinpayAnswer> =>
  shadhinpayCall({ origin: world.origin, path: `/invoices${path}`, keys });

async function made(change: object = {}, keys = shop.keys): Promise<Record<string, unknown>> {
  const answer = await create({ ...INVOICE, ...change }, { keys });
  expect(answer.status).toBe(201);
  return dataOf(answer);
}

/** Calls the native API as the same application. */
async function native(path: string, { method = 'GET', body }: { method?: string; body?: unknown } = {}) {
  const answer = await httpCall({ origin: nativeOrigin, method, path: `/api/v1${path}`, credentials: shop.test, body });
  return { status: answer.status, data: (JSON.parse(answer.text) as { data: Record<string, unknown> }).data };
}

const numberOf = (number: unknown) => `INV-${shop.business.businessId.slice(0, 7)}-${String(number).padStart(5, '0')}`;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const REFERENCE = /^sp_inv_[0-9A-Za-z]{22}$/;
const TOMORROW = new Date(Date.now() + 86_400_000).toISOString();

describe('an invoice', () => {
  test('is answered field by field, sent at once', async () => {
    // Total = subtotal − discount + tax, to the poisha, and every amount is a string.
    const answer = await create();
    expect([answer.status, answer.json['status'], answer.json['message']]).toEqual([
      201,
      'success',
      'Invoice created successfully',
    ]);
    const data = dataOf(answer);
    expect(data).toEqual({
      invoiceId: expect.stringMatching(REFERENCE),
      invoiceNumber: numberOf(1),
      status: 'SENT',
      currency: 'BDT',
      items: [
        { description: 'Cotton shirt', quantity: 2, unitPrice: '750.00', amount: '1500.00' },
        { description: 'Gift wrap', quantity: 1, unitPrice: '0.00', amount: '0.00' },
      ],
      subtotal: '1500.00',
      discount: '100.50',
      tax: '70.25',
      total: '1469.75',
      amountPaid: '0.00',
      customerName: 'Jane Doe',
      customerEmail: 'jane@example.com',
      customerPhone: '8801712345678',
      note: 'Thank you.',
      redirectUrl: 'https://shop.example.com/thanks',
      publicUrl: `${WEB_URL}/i/${String(data['invoiceId'])}`,
      paymentId: null,
      createdAt: expect.stringMatching(INSTANT),
      sentAt: expect.stringMatching(INSTANT),
      paidAt: null,
      expiresAt: null,
    });
    expect(dataOf(await read(`/${String(data['invoiceId'])}`))).toEqual(data);
  });

  test('needs nothing but items, and leaves out what was not sent', async () => {
    // A shop sends only what it knows.
    const data = dataOf(await create({ items: [{ description: 'Tea', quantity: 1, unitPrice: '10' }] }));
    expect(data).toMatchObject({ subtotal: '10.00', discount: '0.00', tax: '0.00', total: '10.00' });
    for (const name of ['customerName', 'customerEmail', 'customerPhone', 'note', 'redirectUrl']) {
      expect([name, name in data]).toEqual([name, false]);
    }
  });

  test('takes what was typed into fields of several lines', async () => {
    // Browsers send CRLF. An item's description is one line on the invoice.
    const { invoiceId, note, items } = await made({
      note: 'Thank you.\r\nCome again.',
      items: [{ description: 'Cotton shirt\r\nsize\tL', quantity: 1, unitPrice: '750' }],
      discount: null,
      tax: null,
    });
    expect([note, items]).toEqual([
      'Thank you.\nCome again.',
      [{ description: 'Cotton shirt size L', quantity: 1, unitPrice: '750.00', amount: '750.00' }],
    ]);
    expect(dataOf(await read(`/${String(invoiceId)}`))).toMatchObject({ note, items });
  });

  test('may stay a draft, which has no number and no page until it is sent', async () => {
    // A number cannot be withdrawn, so it is assigned only when the invoice is sent.
    const draft = await made({ draft: true });
    expect(draft).toMatchObject({ status: 'DRAFT', invoiceNumber: null, publicUrl: null, sentAt: null });
    const { dispatch } = world;
    const before = dispatch.delivered.length;
    const sent = await act(draft['invoiceId'], 'send');
    expect([sent.status, dataOf(sent)]).toMatchObject([
      200,
      { status: 'SENT', invoiceNumber: expect.stringMatching(/-\d{5}$/), sentAt: expect.stringMatching(INSTANT) },
    ]);
    expect(dataOf(await act(draft['invoiceId'], 'send'))).toEqual(dataOf(sent));
    // The contract has no event for it, so nothing is sent to its receivers.
    expect(dispatch.delivered.slice(before)).toEqual([]);
  });

  test('takes its number from the one counter of the application and mode', async () => {
    // The law requires numbers without gaps, whichever API created the invoice.
    const own = await world.shop();
    const first = dataOf(await create(INVOICE, { keys: own.keys }));
    const between = await httpCall({
      origin: nativeOrigin,
      method: 'POST',
      path: '/api/v1/invoices',
      credentials: own.test,
      body: {
        customerReference: 'c',
        currency: 'BDT',
        lineItems: [{ description: 'a', qty: 1, unitAmountMinor: 5_000 }],
      },
    });
    const third = dataOf(await create(INVOICE, { keys: own.keys }));
    const label = own.business.businessId.slice(0, 7);
    expect([
      first['invoiceNumber'],
      (JSON.parse(between.text) as { data: { number: string } }).data.number,
      third['invoiceNumber'],
    ]).toEqual([`INV-${label}-00001`, 'INV-000002', `INV-${label}-00003`]);
  });
});

describe('what makes no invoice is refused field by field', () => {
  const item = { description: 'Tea', quantity: 1, unitPrice: '100' };
  const TOTAL = 'Total must be between 10.00 and 200000.00';
  test.each<[object, Record<string, string>]>([
    [{ items: [] }, { items: 'Items must hold at least one item' }],
    [{}, { items: 'Items is required' }],
    [{ items: null }, { items: 'Items is required' }],
    [{ items: 'tea' }, { items: 'Items must be a list' }],
    [{ items: [{ ...item, quantity: 0 }] }, { 'items.0.quantity': 'Quantity must be greater than 0' }],
    [{ items: [{ ...item, quantity: 1.5 }] }, { 'items.0.quantity': 'Quantity must be a plain integer' }],
    [{ items: [{ ...item, quantity: '1' }] }, { 'items.0.quantity': 'Quantity must be a plain integer' }],
    [{ items: [{ ...item, quantity: 1e15 }] }, { 'items.0.quantity': 'Quantity must be at most 1000000' }],
    [{ items: [{ ...item, unitPrice: 100 }] }, { 'items.0.unitPrice': 'Unit price must be a decimal string' }],
    [
      { items: [{ ...item, unitPrice: '-1' }] },
      { 'items.0.unitPrice': 'Unit price must be a decimal string, with at most two decimal places' },
    ],
    [
      { items: [{ ...item, unitPrice: '1.005' }] },
      { 'items.0.unitPrice': 'Unit price must be a decimal string, with at most two decimal places' },
    ],
    [{ items: [{ ...item, description: ' ' }] }, { 'items.0.description': 'Description must not be blank' }],
    [{ items: [{ quantity: 1, unitPrice: '100' }] }, { 'items.0.description': 'Description is required' }],
    [{ items: [{ ...item, unitPrice: '9.99' }] }, { items: TOTAL }],
    [{ items: [{ ...item, unitPrice: '200000.01' }] }, { items: TOTAL }],
    [{ items: [{ ...item, quantity: 1_000_000, unitPrice: '999999999999.99' }] }, { items: TOTAL }],
    [{ items: [{ ...item, unitPrice: '9'.repeat(40) }] }, { items: TOTAL }],
    [{ items: [item], tax: '199900.01' }, { items: TOTAL }],
    [{ items: [item], tax: '1'.repeat(17) }, { items: TOTAL }],
    [{ items: [item], discount: '90.01' }, { items: TOTAL }],
    [{ items: [item], discount: '100' }, { items: TOTAL }],
    [{ items: [item], discount: '100.01' }, { discount: 'Discount must not exceed the subtotal' }],
    [{ items: [item], currency: 'USD' }, { currency: 'Currency must be BDT' }],
    [{ items: [item], customerEmail: 'jane' }, { customerEmail: 'Customer email must be an email address' }],
    [{ items: [item], customerPhone: 'me' }, { customerPhone: 'Customer phone must be a phone number' }],
    [{ items: [item], note: 'a\u0000b' }, { note: 'Note must not contain control characters' }],
    [{ items: [item], draft: 'yes' }, { draft: 'Draft must be true or false' }],
    [
      { items: [item], redirectUrl: 'javascript:alert(1)' },
      { redirectUrl: 'Redirect URL must be an absolute https URL without spaces or backslashes' },
    ],
    [{ items: [item], redirectUrl: 'shop' }, { redirectUrl: 'Invalid URL format' }],
    [{ items: [item], expiresAt: '2020-01-01T00:00:00Z' }, { expiresAt: 'Expires at must be in the future' }],
    [{ items: [item], expiresAt: '9999-01-01T00:00:00Z' }, { expiresAt: 'Expires at must be within five years' }],
    [
      { items: [item], expiresAt: 'tomorrow' },
      { expiresAt: 'Expires at must be an ISO 8601 date-time, such as 2026-05-17T10:00:00Z' },
    ],
    [
      { items: [item], discount: '101', expiresAt: '2020-01-01T00:00:00Z' },
      { discount: 'Discount must not exceed the subtotal', expiresAt: 'Expires at must be in the future' },
    ],
  ])('%j', async (body, data) => {
    // The caller can correct a field that is named.
    const answer = await create(body);
    expect([answer.status, answer.json]).toEqual([
      400,
      {
        status: 'error',
        errorType: expect.stringMatching(/^(VALIDATION_ERROR|MISSING_REQUIRED_FIELD)$/),
        message: 'Invalid invoice request',
        data,
      },
    ]);
  });

  test('as many as two hundred and one items, and a body that is no JSON', async () => {
    // These limits bound the work that one request can cause.
    const many = await create({ items: Array.from({ length: 201 }, () => item) });
    expect([many.status, many.json['data']]).toEqual([400, { items: 'Items must hold at most 200 items' }]);
    for (const [body, status, errorType] of [
      ['{"items":', 400, 'INVALID_FORMAT'],
      ['{"items":[],"items":[]}', 400, 'INVALID_FORMAT'],
      [JSON.stringify({ note: 'x'.repeat(70_000) }), 413, 'PAYLOAD_TOO_LARGE'],
    ] as const) {
      const answer = await create(body, { headers: { 'content-type': 'application/json' } });
      expect([answer.status, answer.json['errorType']]).toEqual([status, errorType]);
    }
  });

  test('a plain http address with a live key', async () => {
    // With real money, payers must be sent back over TLS.
    const keys = await shop.anotherKey('LIVE');
    const redirectUrl = 'http://localhost:3001/thanks';
    const live = await create({ ...INVOICE, redirectUrl }, { keys });
    expect([live.status, live.json['data']]).toEqual([400, { redirectUrl: 'Redirect URL must be an https URL' }]);
    expect((await create({ ...INVOICE, redirectUrl })).status).toBe(201);
  });
});

describe('a key', () => {
  test('is not asked for, and keeps a repeated request from making a second invoice', async () => {
    // A shop that lost the answer retries, and its library may write the body differently.
    const headers = aKey();
    const first = await create(INVOICE, { headers });
    const { items, ...rest } = INVOICE;
    const rewritten = `  ${JSON.stringify({ ...rest, items }, null, 3).replaceAll('Jane', '\\u004aane')}\n`;
    const again = await create(rewritten, { headers: { ...headers, 'content-type': 'application/json' } });
    expect([again.status, again.text, again.headers['idempotent-replay']]).toEqual([201, first.text, 'true']);
    const other = await create({ ...INVOICE, tax: '70.26' }, { headers });
    expect([other.status, other.json['errorType']]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    const broken = await create(INVOICE, { headers: { 'x-idempotency-key': 'x'.repeat(256) } });
    expect([broken.status, broken.json['errorType']]).toEqual([400, 'VALIDATION_ERROR']);
  });

  test('used by ten at once makes one invoice with one number', async () => {
    // Two clicks must create one invoice.
    const own = await world.shop();
    const headers = aKey();
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(INVOICE, { keys: own.keys, headers })));
    const numbers = answers.filter(({ status }) => status === 201).map((answer) => dataOf(answer)['invoiceNumber']);
    expect(numbers.length).toBeGreaterThan(0);
    expect(new Set(numbers).size).toBe(1);
    for (const { status, json } of answers.filter((answer) => answer.status !== 201)) {
      expect([status, json['errorType']]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    }
    expect((await read('', own.keys)).json).toMatchObject({ pagination: { totalElements: 1 } });
  });

  test('is another one in another mode, for another operation and in another contract', async () => {
    // A client that numbers its requests from 1 in each of them must not get a conflict.
    const headers = aKey();
    const first = await create(INVOICE, { headers });
    const live = await create(INVOICE, { headers, keys: await shop.anotherKey('LIVE') });
    const payment = await httpCall({
      origin: nativeOrigin,
      method: 'POST',
      path: '/api/v1/invoices',
      credentials: shop.test,
      headers: { 'idempotency-key': headers['x-idempotency-key'] },
      body: { customerReference: 'c', currency: 'BDT', lineItems: [{ description: 'a', qty: 1, unitAmountMinor: 1 }] },
    });
    expect([live.status, payment.status]).toEqual([201, 201]);
    expect(dataOf(live)['invoiceId']).not.toBe(dataOf(first)['invoiceId']);
  });
});

describe('cancelling', () => {
  test('ends what was sent; repeated, it is answered as it stands', async () => {
    // A retry after a lost answer must not fail.
    const { invoiceId, invoiceNumber } = await made();
    const cancelled = await act(invoiceId, 'cancel');
    expect([cancelled.status, cancelled.json['message'], dataOf(cancelled)]).toMatchObject([
      200,
      'Invoice cancelled successfully',
      { status: 'CANCELLED', invoiceNumber },
    ]);
    expect(dataOf(await act(invoiceId, 'cancel'))).toEqual(dataOf(cancelled));
    const sent = await act(invoiceId, 'send');
    expect([sent.status, sent.json]).toMatchObject([
      409,
      { status: 'error', errorType: 'INVALID_STATUS_TRANSITION', message: 'The invoice is CANCELLED', data: null },
    ]);
  });

  test('is refused for what is paid, expired or was never sent', async () => {
    const paid = await made();
    const [row] = await world.sql<{ id: string }>('select id from invoices where reference = ?', [paid['invoiceId']]);
    await world.settle(row?.id, 146_975);
    const draft = await made({ draft: true, expiresAt: TOMORROW });
    const expired = await made({ expiresAt: TOMORROW });
    await world.sql(`update invoices set status = 'VOID', voided_at = now(), expired_at = now() where reference = ?`, [
      expired['invoiceId'],
    ]);
    for (const [{ invoiceId }, status] of [
      [paid, 'PAID'],
      [draft, 'DRAFT'],
      [expired, 'EXPIRED'],
    ] as const) {
      const answer = await act(invoiceId, 'cancel');
      expect([answer.status, answer.json['errorType'], answer.json['message']]).toEqual([
        409,
        'INVALID_STATUS_TRANSITION',
        `The invoice is ${status}`,
      ]);
      expect(dataOf(await read(`/${String(invoiceId)}`))['status']).toBe(status);
    }
  });

  test('is refused while somebody pays, and possible when he has not', async () => {
    // Money must not arrive for an invoice that has just ended.
    const { invoiceId } = await made();
    const [row] = await world.sql<{ id: string }>('select id from invoices where reference = ?', [invoiceId]);
    const payment = await native('/payments', {
      method: 'POST',
      body: { amountMinor: 146_975, customerReference: 'c', invoiceId: Number(row?.id) },
    });
    expect(payment.status).toBe(201);
    const refused = await act(invoiceId, 'cancel');
    expect([refused.status, refused.json['errorType'], refused.json['message']]).toEqual([
      422,
      'BUSINESS_RULE_VIOLATION',
      expect.stringMatching(/^A payment of the invoice is in progress; it expires at /),
    ]);
    await world.sql(`update payments set status = 'FAILED', ended_at = now() where id = ?`, [payment.data['id']]);
    expect(dataOf(await act(invoiceId, 'cancel'))['status']).toBe('CANCELLED');
  });

  test('a draft whose expiry has passed is not sent', async () => {
    // Customers could not pay it.
    const { invoiceId } = await made({ draft: true, expiresAt: TOMORROW });
    await world.sql(`update invoices set expires_at = now() where reference = ?`, [invoiceId]);
    const sent = await act(invoiceId, 'send');
    expect([sent.status, sent.json['errorType'], sent.json['message']]).toEqual([
      422,
      'BUSINESS_RULE_VIOLATION',
      'The expiry of the invoice has passed',
    ]);
  });
});

describe('the list', () => {
  test('has pages and every filter, in the shape of the contract’s lists', async () => {
    // A shop that reconciles must find each invoice once.
    const own = await world.shop();
    const { keys } = own;
    const first = await made({ draft: true }, keys);
    const second = await made({}, keys);
    const third = await made(
      { items: [{ description: 'Tea', quantity: 1, unitPrice: '50' }], discount: null, tax: null },
      keys,
    );
    await act(third['invoiceId'], 'cancel', keys);
    const ids = async (query: string): Promise<unknown[]> =>
      rowsOf(await read(query, keys)).map(({ invoiceId }) => invoiceId);
    const all = await read('', keys);
    expect(all.json).toMatchObject({
      status: 'success',
      message: 'Invoices retrieved successfully',
      pagination: { page: 0, size: 20, totalElements: 3, totalPages: 1 },
    });
    expect(await ids('')).toEqual([third, second, first].map(({ invoiceId }) => invoiceId));
    expect(await ids('?page=1&size=2')).toEqual([first['invoiceId']]);
    for (const [query, found] of [
      ['status=DRAFT', [first]],
      ['status=SENT', [second]],
      ['status=VIEWED', []],
      ['status=PAID', []],
      ['status=CANCELLED', [third]],
      ['status=EXPIRED', []],
      ['amountMin=1469.75', [second, first]],
      ['amountMax=1469.74', [third]],
      [`from=${String(first['createdAt'])}`, [third, second, first]],
      [`to=${String(third['createdAt'])}`, [third, second, first]],
      ['to=2020-01-01T00:00:00Z', []],
      [`invoiceNumber=${String(second['invoiceNumber'])}`, [second]],
      ['invoiceNumber=INV-000001', []],
      ['invoiceNumber=1', []],
    ] as const) {
      expect([query, await ids(`?${query}`)]).toEqual([query, found.map(({ invoiceId }) => invoiceId)]);
    }
    for (const query of ['status=ISSUED', 'size=101', 'page=-1', 'from=yesterday', 'amountMin=x']) {
      const refused = await read(`?${query}`, keys);
      expect([query, refused.status, refused.json['errorType']]).toEqual([query, 400, 'VALIDATION_ERROR']);
    }
  });

  test('to the last millisecond of a day has nothing of the next one', async () => {
    // An invoice in the lists of two days would be counted twice.
    const { keys } = await world.shop();
    const [last, next] = [await made({ draft: true }, keys), await made({ draft: true }, keys)];
    for (const [{ invoiceId }, at] of [
      [last, '2026-05-17T23:59:59.999Z'],
      [next, '2026-05-18T00:00:00.500Z'],
    ] as const) {
      await world.sql('update invoices set created_at = ? where reference = ?', [at, invoiceId]);
    }
    const found = rowsOf(await read('?to=2026-05-17T23:59:59.999Z', keys));
    expect(found.map(({ invoiceId }) => invoiceId)).toEqual([last['invoiceId']]);
  });
});

describe('nobody else’s', () => {
  test('of another business, of the other mode and unknown ones look the same', async () => {
    // The answer must not even reveal that an invoice exists.
    const { invoiceId } = await made();
    const others = [(await world.shop()).keys, await shop.anotherKey('LIVE')];
    const absent = {
      status: 'error',
      errorType: 'RESOURCE_NOT_FOUND',
      message: 'Invoice not found',
      data: null,
    };
    for (const keys of others) {
      for (const answer of [
        await read(`/${String(invoiceId)}`, keys),
        await act(invoiceId, 'cancel', keys),
        await act(invoiceId, 'send', keys),
      ]) {
        expect([answer.status, answer.json]).toEqual([404, absent]);
      }
      expect(rowsOf(await read('', keys)).map((row) => row['invoiceId'])).not.toContain(invoiceId);
    }
    for (const id of ['sp_inv_0000000000000000000000', 'sp_inv_', '1', "x'%20or%201=1", 'SP_INV_1', '%00']) {
      const answer = await read(`/${id}`);
      expect([id, answer.status, answer.json]).toEqual([id, 404, absent]);
    }
    expect(dataOf(await read(`/${String(invoiceId)}`))['status']).toBe('SENT');
  });

  test('a wrong key, another method and an unknown path are told in the contract’s shape', async () => {
    const wrong = await create(INVOICE, { keys: { ...shop.keys, 'x-api-key': `sk_test_${'0'.repeat(32)}` } });
    expect([wrong.status, wrong.json['errorType']]).toEqual([401, 'INVALID_API_KEY']);
    const { origin } = world;
    const method = await shadhinpayCall({ origin, method: 'DELETE', path: '/invoices/sp_inv_1', keys: shop.keys });
    expect([method.status, method.json['errorType']]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    const below = await shadhinpayCall({ origin, method: 'POST', path: '/invoices/sp_inv_1/void/x', keys: shop.keys });
    expect([below.status, below.json['errorType']]).toEqual([404, 'RESOURCE_NOT_FOUND']);
    // No other contract has these paths, so this contract answers even without a credential.
    for (const action of ['send', 'cancel'] as const) {
      const path = `/invoices/sp_inv_1/${action}`;
      const nobody = await shadhinpayCall({ origin, method: 'POST', path });
      expect([nobody.status, nobody.json['errorType']]).toEqual([401, 'INVALID_API_KEY']);
    }
  });
});

describe('one invoice in two APIs', () => {
  test('made here it is read, voided and found natively, with its number and its page', async () => {
    // The tools of operators and accountants must see every invoice.
    const data = await made({ expiresAt: TOMORROW });
    const list = await native(`/invoices?customerReference=${String(data['invoiceId'])}`);
    const [shown] = list.data as unknown as Record<string, unknown>[];
    expect(shown).toMatchObject({
      number: data['invoiceNumber'],
      status: 'ISSUED',
      totalMinor: 146_975,
      discountMinor: 10_050,
      taxMinor: 7_025,
      taxes: [{ name: 'Tax', basisPoints: null, amountMinor: 7_025 }],
      customerEmail: 'jane@example.com',
      payableUrl: data['publicUrl'],
      dueDate: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    });
    const voided = await native(`/invoices/${String(shown?.['id'])}/void`, { method: 'POST' });
    expect(voided.data['status']).toBe('VOID');
    expect(dataOf(await read(`/${String(data['invoiceId'])}`))['status']).toBe('CANCELLED');
  });

  test('made natively it is read, listed and cancelled here, with its own number and page', async () => {
    // The number and page that the payer got must stay valid.
    const bill = await native('/invoices', {
      method: 'POST',
      body: {
        customerReference: 'cust_1',
        currency: 'BDT',
        lineItems: [{ description: 'Plan', qty: 2, unitAmountMinor: 25_000 }],
        taxes: [{ name: 'VAT', basisPoints: 1_500 }],
        notes: 'Net 30',
      },
    });
    const url = String(bill.data['payableUrl']);
    const invoiceId = url.split('/').at(-1);
    const shown = dataOf(await read(`/${String(invoiceId)}`));
    expect(shown).toMatchObject({
      invoiceId,
      invoiceNumber: bill.data['number'],
      status: 'SENT',
      items: [{ description: 'Plan', quantity: 2, unitPrice: '250.00', amount: '500.00' }],
      subtotal: '500.00',
      tax: '75.00',
      total: '575.00',
      note: 'Net 30',
      publicUrl: url,
    });
    expect(url).toBe(`${WEB_URL}/pay/${String(invoiceId)}`);
    expect(rowsOf(await read(`?invoiceNumber=${String(bill.data['number'])}`))).toEqual([shown]);
    expect(dataOf(await act(invoiceId, 'cancel'))['status']).toBe('CANCELLED');
    expect((await native(`/invoices/${String(bill.data['id'])}`)).data['status']).toBe('VOID');
  });

  test('a draft made here can be edited natively, and keeps what only this API knows', async () => {
    // A correction must not lose the address to which the payer is sent back.
    const draft = await made({ draft: true, expiresAt: TOMORROW });
    const [row] = await world.sql<{ id: string }>('select id from invoices where reference = ?', [draft['invoiceId']]);
    const edited = await native(`/invoices/${String(row?.id)}`, {
      method: 'PUT',
      body: {
        customerReference: 'cust_1',
        currency: 'BDT',
        lineItems: [{ description: 'Shirt', qty: 1, unitAmountMinor: 80_000 }],
      },
    });
    expect(edited.status).toBe(200);
    expect(dataOf(await act(draft['invoiceId'], 'send'))).toMatchObject({
      total: '800.00',
      redirectUrl: INVOICE.redirectUrl,
      customerPhone: INVOICE.customerPhone,
      expiresAt: draft['expiresAt'],
      invoiceNumber: expect.stringMatching(/^INV-HB_/),
    });
  });
});
