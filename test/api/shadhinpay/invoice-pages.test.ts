import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BKASH_CAPABILITIES } from '../../../gateways/bkash/gateway.ts';
import { NAGAD_CAPABILITIES } from '../../../gateways/nagad/gateway.ts';
import { httpCall, type HttpAnswer } from '../http-call.ts';
import { dataOf, shadhinpayCall } from './shadhinpay-client.ts';
import { INVOICE, openShadhinpayWorld, type Shop, type ShadhinpayWorld } from './shadhinpay-world.ts';

let world: ShadhinpayWorld;
let shop: Shop;
let pages: string;
/** Serves the native API, which uses another gateway. */
let nativeOrigin: string;

beforeAll(async () => {
  world = await openShadhinpayWorld();
  shop = await world.shop();
  nativeOrigin = await world.listen();
  pages = await world.listen({ pages: true, gateways: [BKASH_CAPABILITIES, NAGAD_CAPABILITIES] });
});
afterAll(() => world.close());

interface Made {
  readonly invoiceId: string;
  readonly path: string;
  readonly number: string;
}

async function made(change: object = {}, { keys } = shop): Promise<Made> {
  const body = { ...INVOICE, ...change };
  const data = dataOf(await shadhinpayCall({ origin: world.origin, method: 'POST', path: '/invoices', keys, body }));
  const invoiceId = String(data['invoiceId']);
  return { invoiceId, path: `/i/${invoiceId}`, number: String(data['invoiceNumber']) };
}

const BROWSER = { 'user-agent': 'Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36' };
const open = (path: string, headers: Record<string, string> = BROWSER, method = 'GET'): Promise<HttpAnswer> =>
  httpCall({ origin: pages, path, headers, method });
const statusOf = async ({ invoiceId }: Made): Promise<unknown> =>
  dataOf(await shadhinpayCall({ origin: world.origin, path: `/invoices/${invoiceId}`, keys: shop.keys }))['status'];

function post(path: string, body: string): Promise<HttpAnswer> {
  const origin = pages.replace('127.0.0.1', 'localhost');
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin, host: new URL(origin).host };
  return httpCall({ origin: pages, method: 'POST', path, body, headers });
}

/** Creates an invoice of the same application through the native contract. */
async function nativeInvoice(): Promise<{ id: number; payableUrl: string }> {
  const { text } = await httpCall({
    origin: nativeOrigin,
    method: 'POST',
    path: '/api/v1/invoices',
    credentials: shop.test,
    body: {
      customerReference: 'c',
      currency: 'BDT',
      lineItems: [{ description: 'a', qty: 1, unitAmountMinor: 9_000 }],
    },
  });
  return (JSON.parse(text) as { data: { id: number; payableUrl: string } }).data;
}

const ALL = 'choice=asked&expected=146975';

interface PaymentRow {
  readonly reference: string;
  readonly contract: string;
  readonly gateway: string | null;
  readonly choices: string | null;
  readonly customer_phone: string | null;
  readonly merchant_reference: string | null;
  readonly return_url: string;
  readonly product_name: string;
  readonly minutes: number;
}

async function paymentsOf({ invoiceId }: Made): Promise<PaymentRow[]> {
  return world.sql<PaymentRow>(
    `select p.reference, p.contract, p.gateway, array_to_string(p.gateway_choices, ',') as choices, p.customer_phone, p.merchant_reference,
       p.return_url, p.product_name, round(extract(epoch from p.expires_at - p.created_at) / 60)::integer as minutes
     from payments p join invoices i on i.id = p.invoice_id where i.reference = ? order by p.id`,
    [invoiceId],
  );
}

describe('the page of an invoice', () => {
  test('shows what is billed and nothing of the customer', async () => {
    // Anyone with the link may read the page, so it must not show the customer's data.
    const invoice = await made();
    const { status, text, headers } = await open(invoice.path);
    expect(status).toBe(200);
    for (const shown of ['Cotton shirt', '1,469.75', '70.25', invoice.number, 'Thank you.', `${invoice.path}/pay`]) {
      expect([shown, text.includes(shown)]).toEqual([shown, true]);
    }
    for (const hidden of ['Jane', 'jane@', '8801712345678', 'shop.example.com', '/pay/sp_inv_']) {
      expect([hidden, text.includes(hidden)]).toEqual([hidden, false]);
    }
    expect(text).toContain('>Tax<');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect((await open(`${invoice.path}/pdf`)).headers['content-disposition']).toContain(invoice.number);
  });

  test('is at /i/ and nowhere else, and there is none of a draft', async () => {
    // A reference of one contract must not be found at another contract's address.
    const { invoiceId } = await made();
    const draft = await made({ draft: true });
    const url = (await nativeInvoice()).payableUrl;
    const reference = url.split('/').at(-1) ?? '';
    for (const path of [
      `/pay/${invoiceId}`,
      `/checkout/${invoiceId}`,
      `/i/${reference}`,
      `/i/${invoiceId.toLowerCase()}`,
      `/i/${invoiceId}0`,
      draft.path,
      '/i/sp_inv_0000000000000000000000',
      '/i/',
    ]) {
      expect([path, (await open(path)).status]).toEqual([path, 404]);
    }
    expect((await open(`/pay/${reference}`)).status).toBe(200);
  });

  test('leads to a picker of bKash and Nagad, by a payment of the contract', async () => {
    // The payment works like any other payment of the contract: the customer's phone number is prefilled, and the
    // contract's expiry applies.
    const invoice = await made();
    const begun = await post(`${invoice.path}/pay`, ALL);
    const [payment] = await paymentsOf(invoice);
    expect(payment).toEqual({
      reference: expect.stringMatching(/^PAY_\d{8}_[0-9A-Z]{6}$/),
      contract: 'shadhinpay',
      gateway: null,
      choices: 'bkash,nagad',
      customer_phone: INVOICE.customerPhone,
      merchant_reference: null,
      return_url: INVOICE.redirectUrl,
      product_name: invoice.number,
      minutes: 15,
    });
    expect([begun.status, begun.headers['location']]).toEqual([303, `/pay/${String(payment?.reference)}?lang=en`]);
    const picker = await open(`/pay/${String(payment?.reference)}`);
    const offered = [...picker.text.matchAll(/name="gateway" value="(\w+)"/g)].map(([, name]) => name);
    expect(offered).toEqual(['bkash', 'nagad']);
    // Another tab with the same request is redirected to the same checkout.
    expect((await post(`${invoice.path}/pay`, ALL)).headers['location']).toBe(begun.headers['location']);
    const shown = dataOf(
      await shadhinpayCall({
        origin: world.origin,
        path: `/payments/${String(payment?.reference)}`,
        keys: shop.keys,
      }),
    );
    expect(shown).toMatchObject({ amount: '1469.75', merchantTxnId: null, status: 'PENDING', vendor: null });
  });

  test('with one vendor leads straight on, and its own policy lets the form go there', async () => {
    // A browser follows a form's redirects only to origins that the page's policy names.
    const one = await world.shop({ gatewaysAllowed: ['nagad', 'sslcommerz'] });
    const invoice = await made({ redirectUrl: null }, one);
    const page = await open(invoice.path);
    const policy = /form-action ([^;]+)/.exec(page.headers['content-security-policy'] ?? '')?.[1] ?? '';
    expect(policy.split(' ').length).toBeGreaterThan(1);
    await post(`${invoice.path}/pay`, ALL);
    const [payment] = await paymentsOf(invoice);
    expect(payment).toMatchObject({ gateway: 'nagad', choices: null });
    expect(payment?.return_url).toBe(`${pages.replace('127.0.0.1', 'localhost')}${invoice.path}`);
  });

  test('takes nothing where the business has no vendor, and no sum but the one that is due', async () => {
    // A payer must not be charged an amount that was not requested.
    const none = await world.shop({ gatewaysAllowed: ['sslcommerz'] });
    const invoice = await made({}, none);
    expect((await open(invoice.path)).text).toContain('cannot be paid online');
    expect((await post(`${invoice.path}/pay`, ALL)).status).toBe(422);
    const other = await made();
    for (const form of ['choice=asked&expected=146974', 'choice=amount&expected=146975&amount=20', 'choice=x']) {
      const answer = await post(`${other.path}/pay`, form);
      expect([form, [400, 422].includes(answer.status)]).toEqual([form, true]);
    }
    expect([...(await paymentsOf(invoice)), ...(await paymentsOf(other))]).toEqual([]);
  });

  test('a payment that has ended sends its payer to the shop, or back to the invoice', async () => {
    // The payer should not have to find the way back, and an empty order reference must not be added to the URL.
    const invoice = await made();
    await post(`${invoice.path}/pay`, ALL);
    const [payment] = await paymentsOf(invoice);
    await world.sql(`update payments set status = 'FAILED', ended_at = now() where reference = ?`, [
      payment?.reference,
    ]);
    const ended = await open(`/pay/${String(payment?.reference)}`);
    expect(ended.headers['refresh']).toBe(
      `5; url=${INVOICE.redirectUrl}?paymentId=${String(payment?.reference)}&status=FAILED`,
    );
  });
});

describe('VIEWED', () => {
  test('is told once a person has opened the page', async () => {
    // The shop learns that its customer has seen the invoice.
    const invoice = await made();
    expect(await statusOf(invoice)).toBe('SENT');
    expect((await open(invoice.path)).status).toBe(200);
    expect(await statusOf(invoice)).toBe('VIEWED');
    const [first] = await world.sql<{ at: string }>('select viewed_at::text as at from invoices where reference = ?', [
      invoice.invoiceId,
    ]);
    await open(invoice.path);
    const [again] = await world.sql<{ at: string }>('select viewed_at::text as at from invoices where reference = ?', [
      invoice.invoiceId,
    ]);
    expect(again).toEqual(first);
    expect(
      dataOf(
        await shadhinpayCall({
          origin: world.origin,
          method: 'POST',
          path: `/invoices/${invoice.invoiceId}/cancel`,
          keys: shop.keys,
        }),
      )['status'],
    ).toBe('CANCELLED');
  });

  test.each<[string, Record<string, string>]>([
    ['WhatsApp', { 'user-agent': 'WhatsApp/2.23.20.0 A' }],
    ['Facebook', { 'user-agent': 'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)' }],
    ['Telegram', { 'user-agent': 'TelegramBot (like TwitterBot)' }],
    ['Slack', { 'user-agent': 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)' }],
    ['Google', { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' }],
    ['a browser that loads ahead', { ...BROWSER, 'sec-purpose': 'prefetch;prerender' }],
    ['an older one', { ...BROWSER, purpose: 'prefetch' }],
    ['a script of a page', { ...BROWSER, 'sec-fetch-mode': 'cors' }],
  ])('is not what %s does with a link', async (_who, headers) => {
    // A chat program creates a preview as soon as the link is sent.
    const invoice = await made();
    expect((await open(invoice.path, headers)).status).toBe(200);
    expect(await statusOf(invoice)).toBe('SENT');
  });

  test('is not what HEAD, the PDF, the colours or a form do', async () => {
    // Only opening the page itself counts as viewing.
    const invoice = await made();
    expect((await open(invoice.path, BROWSER, 'HEAD')).status).toBe(200);
    await open(`${invoice.path}/pdf`);
    await open(`${invoice.path}/brand.css`);
    await post(`${invoice.path}/pay`, 'choice=x');
    expect(await statusOf(invoice)).toBe('SENT');
  });

  test('is also told of a native invoice, and changes nothing that its own API shows', async () => {
    // The invoice stores that it was viewed, and only this contract shows it.
    const data = await nativeInvoice();
    const path = new URL(data.payableUrl).pathname;
    await open(path);
    expect(await statusOf({ invoiceId: path.split('/').at(-1) ?? '', path, number: '' })).toBe('VIEWED');
    const read = await httpCall({
      origin: nativeOrigin,
      path: `/api/v1/invoices/${data.id}`,
      credentials: shop.test,
    });
    expect((JSON.parse(read.text) as { data: unknown }).data).toEqual(data);
  });
});

describe('the last moment to pay', () => {
  const year = new Date().getUTCFullYear() + 1;
  const inBangla = new Intl.NumberFormat('bn-BD', { useGrouping: false }).format(year);
  test.each([
    ['at midnight in Dhaka', 'T18:00:00Z', `Due by 31 December ${year}`, `৩১ ডিসেম্বর, ${inBangla}`],
    [
      'within a day',
      'T10:30:00Z',
      `Due by 31 December ${year} at 16:30 GMT+6`,
      `৩১ ডিসেম্বর, ${inBangla} এ ১৬:৩০ GMT +৬`,
    ],
  ])('%s is shown as it is', async (_when, time, english, bangla) => {
    // A payer who comes on the named day must be able to pay.
    const invoice = await made({ expiresAt: `${year}-12-31${time}` });
    const deadlineOf = async (language: string): Promise<string> => {
      const { text } = await open(`${invoice.path}?lang=${language}`);
      const [, deadline = ''] = /<p class="deadline">(.*?)<\/p>/s.exec(text) ?? [];
      return deadline
        .replaceAll(/<[^>]*>/g, '')
        .replaceAll(/\s+/g, ' ')
        .trim();
    };
    expect(await deadlineOf('en')).toBe(english);
    expect(await deadlineOf('bn')).toBe(`পরিশোধের শেষ তারিখ ${bangla}`);
    // The page must not name a day on which the invoice has already expired.
    expect((await open(invoice.path)).text).not.toContain(`January ${year + 1}`);
  });
});

describe('after its expiry', () => {
  test('nobody can begin to pay, before anything was written about it', async () => {
    // The page must compare the expiry with the clock, without waiting for the workflow.
    const invoice = await made({ expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    await open(invoice.path);
    await world.sql(`update invoices set expires_at = now() where reference = ?`, [invoice.invoiceId]);
    const page = await open(invoice.path);
    expect(page.text).toContain('This invoice has expired');
    expect(page.text).not.toContain('<form');
    expect((await open(`${invoice.path}?lang=bn`)).text).toContain('মেয়াদ শেষ');
    expect((await post(`${invoice.path}/pay`, ALL)).status).toBe(422);
    const [row] = await world.sql<{ id: string }>('select id from invoices where reference = ?', [invoice.invoiceId]);
    const native = await httpCall({
      origin: nativeOrigin,
      method: 'POST',
      path: '/api/v1/payments',
      credentials: shop.test,
      body: { amountMinor: 146_975, customerReference: 'c', invoiceId: Number(row?.id) },
    });
    expect([native.status, JSON.parse(native.text)]).toMatchObject([
      409,
      { meta: { errorCode: 'INVALID_OPERATION_STATE' } },
    ]);
    expect(await paymentsOf(invoice)).toEqual([]);
    // EXPIRED is final, so it is shown only once it is stored.
    expect(await statusOf(invoice)).toBe('VIEWED');
  });

  test('whoever has begun goes on from the page', async () => {
    // The payer began in time.
    const invoice = await made({ expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    await post(`${invoice.path}/pay`, ALL);
    await world.sql(`update invoices set expires_at = now() where reference = ?`, [invoice.invoiceId]);
    const page = await open(invoice.path);
    const [payment] = await paymentsOf(invoice);
    expect(page.text).not.toContain('has expired');
    expect(page.text).toContain(`/pay/${String(payment?.reference)}`);
    expect(page.text).not.toContain(`${invoice.path}/pay`);
  });
});
