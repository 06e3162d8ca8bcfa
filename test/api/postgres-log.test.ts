import { readFileSync, statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { openOperatorWorld, bearer, type OperatorWorld } from './admin/operator-world.ts';
import { openOwnpayWorld, INTENT, type OwnpayShop, type OwnpayWorld } from './ownpay/ownpay-world.ts';
import { openShadhinpayWorld, type Shop, type ShadhinpayWorld } from './shadhinpay/shadhinpay-world.ts';
import { testServers } from '../support/test-servers.ts';
import { until } from '../support/until.ts';
import type { Registration } from '../../core/applications/store/applications.ts';
import { httpCall, type HttpAnswer } from './http-call.ts';

/** Part of everything that is sent, so that any leak into the log is found. */
const CANARY = `canary${randomBytes(6).toString('hex')}`;

/** Values that databases can fail on. Each one is well-formed JSON or part of a well-formed URL. */
const HOSTILE: Readonly<Record<string, unknown>> = {
  NUL: `${CANARY}\u0000`,
  'half of a character': `${CANARY}\ud800`,
  'the other half': `\udc00${CANARY}`,
  'far too long': CANARY + 'x'.repeat(20_000),
  quotes: `${CANARY}'; select '"\\$1?`,
  'a number beyond all': 1e300,
  'digits beyond all': '9'.repeat(60),
  'a negative number': -1,
  'a fraction': 0.001,
  'a day that is none': '2026-02-31',
  'the last of all years': '+275760-09-13T00:00:00Z',
  'year 9999': '9999-12-31',
  'year 0': '0000-01-01',
  'instant of year 0': '0000-01-01T00:00:00Z',
  'far offset': '9999-12-31T23:59:59-23:59',
  nested: { [`${CANARY}\u0000`]: { deep: ['\u0000', 1e308, '\ud800'] } },
  nothing: null,
};

const IN_PATHS = [
  `${CANARY}%00`,
  `${CANARY}%ED%A0%80`,
  '%FF',
  '9'.repeat(30),
  '9223372036854775808',
  `${CANARY}'`,
  '0000-01-01',
  '0001-01-01',
  '0000-01-01T00:00:00Z',
  '9999-12-31',
  '9999-12-31T23:59:59-23:59',
  '-1',
  '1e3',
];

let operators: OperatorWorld;
let ownpay: OwnpayWorld;
let shadhinpay: ShadhinpayWorld;
let native: Registration;
let ownpayShop: OwnpayShop;
let shadhinpayShop: Shop;
let token: string;
let origins: { operators: string; pages: string };
let logBegan: number;

beforeAll(async () => {
  logBegan = statSync(testServers().postgresLog).size;
  [operators, ownpay, shadhinpay] = await Promise.all([openOperatorWorld(), openOwnpayWorld(), openShadhinpayWorld()]);
  // Logs every statement, as an administrator might do for a while.
  for (const world of [operators.api, ownpay, shadhinpay]) {
    const name = new URL(world.databaseUrl).pathname.slice(1);
    await world.sql(`alter database "${name}" set log_statement = 'all'`);
  }
  origins = { operators: await operators.api.listen(), pages: await operators.api.listen({ pages: true }) };
  native = await operators.api.register({ rateLimitPerMinute: 1_000_000 });
  ownpayShop = await ownpay.shop({ rateLimitPerMinute: 1_000_000 });
  shadhinpayShop = await shadhinpay.shop({ rateLimitPerMinute: 1_000_000 });
  await operators.addOperator({ email: 'root@example.com' });
  token = await operators.logIn('root@example.com');
});

afterAll(async () => {
  await Promise.all([operators.close(), ownpay.close(), shadhinpay.close()]);
});

function logged(): string {
  return readFileSync(testServers().postgresLog, 'utf8').slice(logBegan);
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

type Send = (request: Request) => Promise<HttpAnswer>;

/** Fails with the list of all requests that caused a server error. */
async function expectNoServerError(send: Send, requests: readonly (Request & { readonly what: string })[]) {
  const failed: unknown[] = [];
  for (const { what, ...request } of requests) {
    const { status, text } = await send(request);
    if (status >= 500) {
      failed.push({ what, status, text: text.slice(0, 200), ...request });
    }
  }
  expect(failed).toEqual([]);
}

const Document = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ parameters: z.array(z.object({ name: z.string(), in: z.string() })).default([]) })),
  ),
});

/** Yields every documented path and parameter with each hostile text. */
function* addressesOf(file: string, wanted: (path: string) => boolean): Generator<Request & { what: string }> {
  const text = readFileSync(new URL(`../../openapi/${file}`, import.meta.url), 'utf8');
  for (const [path, item] of Object.entries(Document.parse(JSON.parse(text)).paths).filter(([path]) => wanted(path))) {
    for (const [method, { parameters }] of Object.entries(item)) {
      for (const hostile of IN_PATHS) {
        const at = {
          method: method.toUpperCase(),
          what: `${method} ${path}`,
          ...(method === 'get' ? {} : { body: {} }),
        };
        const filled = `/api/v1${path.replaceAll(/\{\w+\}/g, '1')}`;
        if (path.includes('{')) {
          yield { ...at, path: `/api/v1${path.replaceAll(/\{\w+\}/g, hostile)}` };
        }
        for (const { name } of parameters.filter((parameter) => parameter.in === 'query')) {
          yield { ...at, path: `${filled}?${name}=${hostile}`, what: `${at.what} ${name}` };
        }
      }
    }
  }
}

/** Yields the body with each of its leaves replaced by each hostile value in turn. */
function* bodiesOf(at: Omit<Request, 'body'>, body: unknown): Generator<Request & { what: string }> {
  for (const place of placesIn(body)) {
    for (const [name, value] of Object.entries(HOSTILE)) {
      yield {
        ...at,
        body: replaced(body, { place, value }),
        what: `${at.method} ${at.path} ${place.join('.')}: ${name}`,
      };
    }
  }
}

function placesIn(node: unknown): string[][] {
  if (typeof node !== 'object' || node === null) {
    return [[]];
  }
  return [
    ...(Array.isArray(node) ? [] : [[]]),
    ...Object.entries(node).flatMap(([name, inner]) => placesIn(inner).map((rest) => [name, ...rest])),
  ];
}

function replaced(node: unknown, { place, value }: { place: readonly string[]; value: unknown }): unknown {
  const [name, ...rest] = place;
  if (name === undefined) {
    return value;
  }
  const members = node as Record<string, unknown>;
  const changed = { ...members, [name]: replaced(members[name], { place: rest, value }) };
  return Array.isArray(node) ? Object.values(changed) : changed;
}

let keys = 0;
const freshKey = (): string => `key-${(keys += 1)}`;

const toNative: Send = (request) =>
  httpCall({
    origin: origins.operators,
    credentials: native.test,
    ...request,
    headers: { 'idempotency-key': freshKey() },
  });
const toOwnpay: Send = (request) =>
  httpCall({ origin: ownpay.origin, ...request, headers: { authorization: `Bearer ${ownpayShop.key}` } });
const toShadhinpay: Send = (request) =>
  httpCall({
    origin: shadhinpay.origin,
    ...request,
    headers: { ...shadhinpayShop.keys, 'x-idempotency-key': freshKey() },
  });
const toAdmin: Send = (request) => httpCall({ origin: origins.operators, ...request, headers: bearer(token) });

const PAYMENT = {
  amountMinor: 10_000,
  customerReference: CANARY,
  customerEmail: `${CANARY}@example.com`,
  customerPhone: '+8801711111111',
  customerName: CANARY,
  productName: CANARY,
  invoiceId: 1,
  returnUrl: `https://shop.example/${CANARY}`,
};
const INVOICE = {
  customerReference: CANARY,
  customerEmail: `${CANARY}@example.com`,
  customerName: CANARY,
  customerPhone: '+8801711111111',
  customerAddress: CANARY,
  notes: CANARY,
  dueDate: '2030-01-01',
  lineItems: [{ description: CANARY, qty: 1, unitAmountMinor: 10_000 }],
};

describe('what would make the database fail', () => {
  // Postgres itself logs a failed statement, where Lenden's log censoring does not apply.
  test('is refused before it gets there: bodies of the native contract', async () => {
    const { createPayment, refunded } = await begun();
    expect(createPayment).toBe(201);
    await expectNoServerError(toNative, [
      ...bodiesOf({ method: 'POST', path: '/api/v1/payments' }, PAYMENT),
      ...bodiesOf({ method: 'POST', path: '/api/v1/invoices' }, INVOICE),
      ...bodiesOf({ method: 'POST', path: `/api/v1/payments/${refunded}/refunds` }, { amountMinor: 1, reason: CANARY }),
    ]);
  });

  test('is refused before it gets there: bodies of the two other contracts', async () => {
    await expectNoServerError(toOwnpay, [
      ...bodiesOf({ method: 'POST', path: '/api/v1/payment-intents' }, { ...INTENT, customer_name: CANARY }),
      ...bodiesOf(
        { method: 'POST', path: '/api/v1/refunds' },
        { transaction_id: 'txn_0123456789abcdef', amount: 1.5, reason: CANARY },
      ),
    ]);
    const order = {
      amount: '100.00',
      currency: 'BDT',
      merchantTxnId: CANARY,
      callbackUrl: 'https://shop.example/return',
      customerPhone: '8801712345678',
      customerEmail: `${CANARY}@example.com`,
      description: CANARY,
      valueA: CANARY,
      expiresInMinutes: 15,
    };
    await expectNoServerError(toShadhinpay, [
      ...bodiesOf({ method: 'POST', path: '/api/v1/payments' }, order),
      ...bodiesOf(
        { method: 'POST', path: '/api/v1/invoices' },
        {
          customerName: CANARY,
          customerEmail: `${CANARY}@example.com`,
          customerPhone: '8801712345678',
          amount: '100.00',
          currency: 'BDT',
          description: CANARY,
          expiresAt: '2030-01-01T00:00:00Z',
          dueDate: '2030-01-01',
          items: [{ name: CANARY, description: CANARY, quantity: 1, unitPrice: '100.00' }],
          metadata: { a: CANARY },
          notes: CANARY,
        },
      ),
    ]);
  });

  const ofOperators = (path: string): boolean => /^\/(admin|auth)\//.test(path);
  test.each<[string, Send, string, (path: string) => boolean]>([
    ['the native contract', (request) => toNative(request), 'native.json', (path) => !ofOperators(path)],
    [
      'operators',
      (request) => toAdmin(request),
      'native.json',
      (path) => ofOperators(path) && !path.startsWith('/auth/log'),
    ],
    ['OwnPay', (request) => toOwnpay(request), 'ownpay.json', () => true],
    ['ShadhinPay', (request) => toShadhinpay(request), 'shadhinpay.json', () => true],
  ])('is refused before it gets there: paths and queries of %s', async (_whose, send, file, wanted) => {
    await expectNoServerError(send, [...addressesOf(file, wanted)]);
  });

  test('is refused before it gets there: callbacks, pages and the login', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const bodies = [
      `tran_id=${CANARY}%00&val_id=%00`,
      `tran_id=%ED%A0%80${CANARY}`,
      Buffer.from([0xff, 0xfe, 0x00, 0x41]),
    ];
    await expectNoServerError(
      ({ body, ...request }) => httpCall({ origin: origins.operators, ...request, body, headers: form }),
      bodies.flatMap((body) => [
        { method: 'POST', path: '/gateway/sslcommerz/test/ipn', body, what: 'callback' },
        { method: 'POST', path: '/gateway/stripe/test/ipn', body, what: 'callback' },
      ]),
    );
    await expectNoServerError(
      (request) => httpCall({ origin: origins.pages, ...request }),
      IN_PATHS.flatMap((hostile) => [
        { method: 'GET', path: `/checkout/${hostile}`, what: 'checkout' },
        { method: 'GET', path: `/invoice/${hostile}`, what: 'invoice' },
        { method: 'GET', path: `/pay/${hostile}`, what: 'invoice' },
      ]),
    );
    await expectNoServerError(
      (request) => httpCall({ origin: origins.operators, ...request }),
      [
        ...bodiesOf(
          { method: 'POST', path: '/api/v1/auth/login' },
          { email: `${CANARY}@example.com`, password: CANARY },
        ),
      ],
    );
  });
});

/** Creates a payment that can be refunded. */
async function begun(): Promise<{ createPayment: number; refunded: string }> {
  const { invoiceId: _invoice, ...payment } = PAYMENT;
  const { status } = await toNative({ method: 'POST', path: '/api/v1/payments', body: payment });
  const { id } = await operators.api.paidPayment(native);
  return { createPayment: status, refunded: id };
}

describe("the server's log", () => {
  // An administrator who ships the database's log must not ship payers' data.
  test('holds no value of a statement, although each one is logged, and none of a row that was refused', async () => {
    await operators.api.sql('alter table payments add constraint refused check (amount_minor <> 12345)');
    const { invoiceId: _invoice, ...payment } = PAYMENT;
    const answer = await toNative({
      method: 'POST',
      path: '/api/v1/payments',
      body: { ...payment, amountMinor: 12_345 },
    });
    expect(answer.status).toBe(500);
    await until(() => logged().includes('violates check constraint "refused"'));
    const lines = logged().split('\n');
    expect(lines.filter((line) => line.includes('insert into "payments"')).length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes(CANARY)).slice(0, 5)).toEqual([]);
  });
});
