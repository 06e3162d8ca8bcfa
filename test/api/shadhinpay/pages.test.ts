import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { BKASH_CAPABILITIES } from '../../../gateways/bkash/gateway.ts';
import { NAGAD_CAPABILITIES } from '../../../gateways/nagad/gateway.ts';
import { GATEWAY_PAGE } from '../fake-dispatch.ts';
import { httpCall, type HttpAnswer } from '../http-call.ts';
import { aKey, anOrder, dataOf, shadhinpayCall } from './shadhinpay-client.ts';
import { openShadhinpayWorld, PAYMENT, type Shop, type ShadhinpayWorld } from './shadhinpay-world.ts';

let world: ShadhinpayWorld;
let shop: Shop;
let pages: string;

beforeAll(async () => {
  world = await openShadhinpayWorld();
  shop = await world.shop();
  pages = await world.listen({ pages: true, gateways: [BKASH_CAPABILITIES, NAGAD_CAPABILITIES] });
});
afterAll(() => world.close());

beforeEach(() => {
  world.dispatch.opening = 'opens';
});

async function created(change: object = {}): Promise<Record<string, unknown> & { paymentId: string }> {
  const body = { ...PAYMENT, merchantTxnId: anOrder(), ...change };
  const data = dataOf(
    await shadhinpayCall({
      origin: world.origin,
      method: 'POST',
      path: '/payments',
      keys: shop.keys,
      body,
      headers: aKey(),
    }),
  );
  return { ...data, paymentId: String(data['paymentId']) };
}

/**
 * Requests a page as its own polling script does. When a payer navigates to it after visiting the vendor, the vendor is
 * queried first.
 */
const open = (path: string): Promise<HttpAnswer> =>
  httpCall({ origin: pages, path, headers: { 'sec-fetch-mode': 'cors' } });
/** Sends the page's own form as a browser does. */
const choose = (id: string, gateway: string): Promise<HttpAnswer> => {
  const origin = pages.replace('127.0.0.1', 'localhost');
  return httpCall({
    origin: pages,
    method: 'POST',
    path: `/pay/${id}/gateway`,
    body: `gateway=${gateway}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin, host: new URL(origin).host },
  });
};
const offered = ({ text }: HttpAnswer) => [...text.matchAll(/name="gateway" value="(\w+)"/g)].map(([, name]) => name);
const end = (id: string, change: string) => world.sql(`update payments set ${change} where reference = ?`, [id]);

test('with a preferred vendor the page leads straight on to it', async () => {
  // As documented: no picker and no button in between.
  const { paymentId, vendor } = await created();
  const { status, headers } = await open(`/pay/${paymentId}`);
  expect([vendor, status, headers['location']]).toEqual(['BKASH', 303, GATEWAY_PAGE]);
});

test('without one the page offers bKash and Nagad and nothing else, and vendor is null until one is chosen', async () => {
  // The contract has two vendors, so the application's other gateways must not be offered.
  const { paymentId, vendor, status } = await created({ preferredVendor: null });
  expect([vendor, status]).toEqual([null, 'PENDING']);
  const page = await open(`/pay/${paymentId}`);
  expect(page.status).toBe(200);
  expect(offered(page)).toEqual(['bkash', 'nagad']);
  expect(page.text).toContain(`/pay/${paymentId}/gateway`);
  expect(page.text).not.toContain('/checkout/');
  const chosen = await choose(paymentId, 'nagad');
  expect(chosen.status).toBe(303);
  const read = await shadhinpayCall({ origin: world.origin, path: `/payments/${paymentId}`, keys: shop.keys });
  expect(dataOf(read)['vendor']).toBe('NAGAD');
});

test('a payer who has chosen can choose again, from the page that waits and from the one that is open', async () => {
  // The links of the page must work: this contract's payments have another path than the others'.
  const { paymentId } = await created({ preferredVendor: null });
  for (const opening of ['times out', 'opens'] as const) {
    world.dispatch.opening = opening;
    await choose(paymentId, opening === 'opens' ? 'bkash' : 'nagad');
    const page = await open(`/pay/${paymentId}`);
    expect([opening, page.status, page.text.includes('/checkout/')]).toEqual([opening, 200, false]);
    const [, again = ''] = /href="([^"]+choose=1[^"]*)"/.exec(page.text) ?? [];
    const picker = await open(again.replaceAll('&#38;', '&'));
    expect([picker.status, offered(picker)]).toEqual([200, ['bkash', 'nagad']]);
    expect(picker.text).not.toContain('/checkout/');
  }
});

test('a business that has one vendor leaves its payer no choice', async () => {
  // A page with one button would only cost the payer a step.
  const one = await world.shop({ gatewaysAllowed: ['nagad', 'sslcommerz'] });
  const body = { ...PAYMENT, merchantTxnId: anOrder(), preferredVendor: null };
  const answer = await shadhinpayCall({
    origin: world.origin,
    method: 'POST',
    path: '/payments',
    keys: one.keys,
    body,
    headers: aKey(),
  });
  expect(dataOf(answer)['vendor']).toBe('NAGAD');
});

test('a payment has its page at /pay/ and nowhere else', async () => {
  // A reference of one contract must not be found at another contract's address.
  const { paymentId } = await created();
  const { reference } = await world.paidPayment(shop);
  for (const path of [`/checkout/${paymentId}`, `/pay/${reference}`, `/pay/${paymentId.toLowerCase()}`, '/pay/PAY_x']) {
    expect([path, (await open(path)).status]).toEqual([path, 404]);
  }
  const open404 = await httpCall({ origin: world.origin, path: `/api/v1/checkout/${paymentId}` });
  expect(open404.status).toBe(404);
});

test('the outcome is shown for a moment, then the browser goes back with what the shop may know', async () => {
  // Payers can read the outcome and need not press anything.
  const { paymentId, merchantTxnId } = await created();
  await end(paymentId, `status = 'FAILED', ended_at = now()`);
  const page = await open(`/pay/${paymentId}`);
  const back = `${PAYMENT.callbackUrl}?paymentId=${paymentId}&merchantTxnId=${String(merchantTxnId)}&status=FAILED`;
  expect([page.status, page.headers['refresh']]).toEqual([200, `5; url=${back}`]);
  expect(page.text).toContain(back.replaceAll('&', '&#38;'));
  expect(page.text).not.toContain('8801712345678');
  await end(paymentId, `ended_at = now() - interval '1 hour'`);
  expect((await open(`/pay/${paymentId}`)).headers['refresh']).toBeUndefined();
});

test('a payer who came back unpaid is not sent away again by himself', async () => {
  // Otherwise the page would send the payer back and forth between shop and vendor.
  const { paymentId } = await created();
  await world.sql(
    `insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, kind, raw_payload, digest, consumed_at, signature_valid)
     select t.application_id, t.mode, t.payment_id, t.id, t.gateway, 'cancel', '', sha256('x'), now(), false
     from payments p join payment_attempts t on t.payment_id = p.id where p.reference = ?`,
    [paymentId],
  );
  const page = await open(`/pay/${paymentId}`);
  expect(page.status).toBe(200);
  expect(page.text).toContain(`/pay/${paymentId}/continue`);
});
