import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { open, press, type Page, type Visit } from '../../../scripts/development/demo/payer.ts';
import { httpCall } from '../http-call.ts';
import { startTestStack, type TestStack } from '../../support/stack.ts';
import { openShopHook, type ShopEvent, type ShopHook } from './shop-hook.ts';
import { until } from '../../support/until.ts';

let stack: TestStack;
let hook: ShopHook;

beforeAll(async () => {
  stack = await startTestStack();
  hook = await openShopHook(stack, null);
});

afterAll(async () => {
  await hook.close();
  await stack.stop();
});

type Data = Readonly<Record<string, unknown>>;

async function call(path: string, body?: object): Promise<Data> {
  const { clientId, businessId, testKey } = stack.dev.apps.shadhinpay;
  const response = await fetch(`${stack.dev.api}${path}`, {
    headers: {
      'Client-Id': clientId,
      'Business-Id': businessId,
      'X-Api-Key': testKey,
      'Content-Type': 'application/json',
    },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return ((await response.json()) as { data: Data }).data;
}

const INVOICE = {
  items: [{ description: 'Cotton shirt', quantity: 2, unitPrice: '750.25' }],
  tax: '99.50',
  redirectUrl: 'http://localhost:3001/thanks?from=mail',
};

const standing = (id: unknown, status: string): Promise<Data> =>
  until(async () => {
    const data = await call(`/invoices/${String(id)}`);
    return data['status'] === status ? data : undefined;
  });

/** Requests a page as a navigating browser does. Node's own fetch does not send those headers. */
const navigate: Visit = async (url, { method, body }) => {
  const form = body === undefined ? {} : { body: body.toString() };
  const { status, headers, text } = await httpCall({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: {
      'user-agent': 'Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36',
      'sec-fetch-mode': 'navigate',
      host: url.host,
      origin: url.origin,
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...form,
  });
  return { status, headers: { get: (name) => headers[name] ?? null }, text: () => Promise.resolve(text) };
};

/** Goes from the invoice's page through the picker and bKash's three prefilled forms. Returns the page where the browser ends. */
async function payByBkash(publicUrl: unknown): Promise<Page> {
  const page = await open(String(publicUrl), navigate);
  const picker = await press(page, { form: 'form[action*="/pay"]' });
  const wallet = await press(picker, { form: 'form[action*="/gateway"]', button: 'bkash' });
  const otp = await press(wallet, { form: 'form', button: 'next' });
  const pin = await press(otp, { form: 'form', button: 'next' });
  return press(pin, { form: 'form', button: 'pay' });
}

/** Returns the HMAC that PHP computes over the documented text. */
function phpSignature(text: string, secret: string): string {
  const script = 'echo hash_hmac("sha256", stream_get_contents(STDIN), $argv[1]);';
  const { stdout, status, error } = spawnSync('php', ['-r', script, '--', secret], { input: text, encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`php: ${String(error)}`);
  }
  return stdout;
}

function requireSigned({ signature, body, eventId }: ShopEvent): Data {
  const [, time = '', v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  expect(v1).toBe(phpSignature(`t=${time}.${body}`, stack.dev.apps.shadhinpay.webhookSecret));
  const told = JSON.parse(body) as Data;
  expect([told['eventId'], told['businessId']]).toEqual([eventId, stack.dev.apps.shadhinpay.id]);
  return told;
}

test('an invoice is opened, paid by bKash, told and refunded, and stays paid', async () => {
  // Covers the whole journey of an invoice, on real processes, over HTTP.
  const made = await call('/invoices', { ...INVOICE, customerPhone: '01770618575' });
  const { invoiceId, publicUrl } = made;
  expect([made['status'], made['total'], publicUrl]).toEqual([
    'SENT',
    '1600.00',
    `${stack.dev.web}/i/${String(invoiceId)}`,
  ]);
  const page = await payByBkash(publicUrl);
  expect(page.url.pathname).toMatch(/^\/pay\/PAY_\d{8}_[0-9A-Z]{6}$/);
  const paymentId = page.url.pathname.split('/').at(-1);
  const told = requireSigned(await hook.eventOf('invoice.paid', invoiceId));
  expect(told).toMatchObject({
    eventType: 'invoice.paid',
    payload: {
      invoiceId,
      invoiceNumber: made['invoiceNumber'],
      amount: '1600.00',
      currency: 'BDT',
      status: 'PAID',
      paymentId,
      vendor: 'BKASH',
    },
  });
  expect(requireSigned(await hook.eventOf('payment.completed', paymentId))).toMatchObject({
    payload: { paymentId, merchantTxnId: null, amount: '1600.00', status: 'COMPLETED', vendor: 'BKASH' },
  });
  const paid = await standing(invoiceId, 'PAID');
  expect(paid).toMatchObject({ amountPaid: '1600.00', paymentId, paidAt: expect.any(String) });
  const back = await fetch(`${stack.dev.web}/pay/${String(paymentId)}`);
  expect(back.headers.get('refresh')).toBe(
    `5; url=${INVOICE.redirectUrl}&paymentId=${String(paymentId)}&status=COMPLETED`,
  );
  expect((await open(String(publicUrl))).document.textContent).toContain('this invoice is paid');

  const refund = await call(`/payments/${String(paymentId)}/refunds`, { reason: 'Returned' });
  expect(refund['status']).toBe('INITIATED');
  requireSigned(await hook.eventOf('payment.refunded', paymentId));
  expect(await call(`/invoices/${String(invoiceId)}`)).toEqual(paid);
});

test('one that a payer only looked at is VIEWED, one whose payment failed is SENT again', async () => {
  // The shop must see what its customer has done.
  const { invoiceId, publicUrl } = await call('/invoices', { ...INVOICE, customerPhone: '01770618576' });
  await open(String(publicUrl), navigate);
  await standing(invoiceId, 'VIEWED');
  await payByBkash(publicUrl);
  await standing(invoiceId, 'SENT');
  await open(String(publicUrl), navigate);
  await standing(invoiceId, 'VIEWED');
});

test('one that nobody pays expires by itself, and its page says so', async () => {
  // The invoice's own workflow expires it, and a signed event reports it.
  const expiresAt = new Date(Date.now() + 4_000).toISOString();
  const { invoiceId, publicUrl } = await call('/invoices', { ...INVOICE, expiresAt });
  const told = requireSigned(await hook.eventOf('invoice.expired', invoiceId));
  expect(told).toMatchObject({ payload: { invoiceId, status: 'EXPIRED', paymentId: null } });
  await standing(invoiceId, 'EXPIRED');
  expect((await open(String(publicUrl))).document.textContent).toContain('This invoice has expired');
});
