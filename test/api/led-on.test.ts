import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Registration } from '../../core/applications/store/applications.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call } from './contract-client.ts';
import { httpCall } from './http-call.ts';

let world: ApiWorld;
let origin: string;
let web: string;
let shop: Registration;

beforeAll(async () => {
  world = await openApiWorld();
  origin = await world.listen();
  web = await world.listen({ pages: true });
  shop = await world.register();
});
afterAll(() => world.close());

async function created(fields: object = {}): Promise<string> {
  const body = { amountMinor: 10_000, customerReference: 'cust_1', ...fields };
  const { data } = await call({ origin, method: 'POST', path: '/payments', credentials: shop.test, body });
  return String(data['reference']);
}

async function page(reference: string, { query = '', headers = {} } = {}): Promise<string> {
  return (await httpCall({ origin: web, path: `/checkout/${reference}${query}`, headers })).text;
}

const goOn = (reference: string) => httpCall({ origin: web, method: 'POST', path: `/checkout/${reference}/continue` });

const signals = (reference: string): number => world.dispatch.signalled.filter((told) => told === reference).length;

const later = (reference: string, seconds: number): Promise<object[]> =>
  world.sql(
    `update payments set callback_signalled_at = null, last_unsigned_signalled_at = now() - ? * interval '1 second' where reference = ?`,
    [seconds, reference],
  );

/** A callback about which the gateway has not been queried yet. */
const waitingCallback = (reference: string, claimsNoMoney: boolean): Promise<object[]> =>
  world.sql(
    `insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, reference, kind, signature_valid, raw_payload, digest,
       claims_no_money)
     select p.application_id, p.mode, p.id, t.id, t.gateway, t.reference, 'cancel', true, '', decode(md5(t.reference) || md5(t.reference), 'hex'), ?
     from payments p join payment_attempts t on t.payment_id = p.id where p.reference = ?`,
    [claimsNoMoney, reference],
  );

test('a payer who opens the page for the first time is neither warned nor asked about', async () => {
  // Most payments take this path, so it must not cost an extra statement or query.
  const reference = await created();
  const shown = await page(reference);
  expect(shown).toContain('Continue to payment');
  expect(shown).not.toContain('do not pay a second time');
  expect(signals(reference)).toBe(0);
});

test('a payer who was sent to the gateway and opens the page again waits for its answer, then is told not to pay twice', async () => {
  // The payer may have paid without a callback. If the page offered to pay as if nothing had happened, they could pay twice.
  const reference = await created();
  expect(await goOn(reference)).toMatchObject({ status: 303 });
  const asked = await page(reference);
  expect(asked).toContain('Confirming your payment');
  expect(asked).not.toContain('Continue to payment');
  expect(signals(reference)).toBe(1);
  await later(reference, 10);
  const answered = await page(reference);
  expect(answered).toContain('If you have just paid, wait a moment and do not pay a second time.');
  expect(answered).toContain('Check again');
  expect(answered.indexOf('do not pay a second time')).toBeLessThan(answered.indexOf('Continue to payment'));
  expect(signals(reference)).toBe(1);
  await later(reference, 61);
  await page(reference);
  expect(signals(reference)).toBe(2);
});

test('a page that looks again by itself, or a program that looks at the link, has nobody asked', async () => {
  // A tab that is left open must not query the gateway all night.
  const reference = await created();
  await goOn(reference);
  await page(reference, { headers: { 'sec-fetch-mode': 'cors' } });
  await page(reference, { headers: { 'user-agent': 'WhatsApp/2.23' } });
  expect(signals(reference)).toBe(0);
});

test('a payer who was sent to the gateway is told before another way is offered, too', async () => {
  // Otherwise the payer could pay again at the second gateway.
  const reference = await created({ gateways: ['bkash', 'sslcommerz'] });
  await httpCall({
    origin: web,
    method: 'POST',
    path: `/checkout/${reference}/gateway`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from('gateway=bkash'),
  });
  expect(await page(reference, { query: '?choose=1' })).toContain('Confirming your payment');
  await later(reference, 10);
  const shown = await page(reference, { query: '?choose=1' });
  expect(shown).toContain('name="gateway"');
  expect(shown).toContain('do not pay a second time');
});

test.each([
  ['says itself that nothing was paid', true, 'You came back without paying'],
  ['claims anything else', false, 'Confirming your payment'],
])('of an open payment, a waiting callback that %s', async (_name, claimsNoMoney, title) => {
  // "Confirming your payment" would have a payer who cancelled believe that they had paid.
  const reference = await created();
  await waitingCallback(reference, claimsNoMoney);
  const shown = await page(reference);
  expect(shown).toContain(title);
  expect(shown).not.toContain('Continue to payment');
});

test.each([
  ['says itself that nothing was paid', true, 'Payment cancelled'],
  ['claims anything else', false, 'Looking for your money'],
])('of a payment that ended unpaid, a waiting callback that %s', async (_name, claimsNoMoney, title) => {
  // A payer who cancelled must not be told for half a minute that Lenden is looking for their money.
  const reference = await created();
  await world.sql(`update payments set status = 'CANCELLED', ended_at = now() where reference = ?`, [reference]);
  await waitingCallback(reference, claimsNoMoney);
  expect(await page(reference)).toContain(title);
});

test.each([
  ['of the attempt that settled it', 'settled', false],
  ['of another attempt', 'other', true],
])('a page of success tells of a second charge that is asked about, by news %s', async (_name, whose, told) => {
  // With two tabs and two gateways, the second charge is posted some seconds after the page of the first one is shown.
  const reference = await created({ gateways: ['bkash', 'sslcommerz'] });
  await httpCall({
    origin: web,
    method: 'POST',
    path: `/checkout/${reference}/gateway`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from('gateway=bkash'),
  });
  await world.sql(
    `insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id, superseded_at)
     select application_id, mode, payment_id, number + 1, substr(md5(reference), 1, 20), 'sslcommerz', 'store', now() from payment_attempts
     where payment_id = (select id from payments where reference = ?)`,
    [reference],
  );
  await world.sql(
    `update payment_attempts set status = 'CONFIRMED', gross_minor = 10000, fee_minor = 0, evidence = '{}', confirmed_at = now()
     where number = 1 and payment_id = (select id from payments where reference = ?)`,
    [reference],
  );
  await world.sql(`update payments set status = 'SUCCEEDED', paid_at = now(), ended_at = now() where reference = ?`, [
    reference,
  ]);
  await world.sql(
    `insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, reference, kind, signature_valid, raw_payload, digest)
     select p.application_id, p.mode, p.id, t.id, t.gateway, t.reference, 'ipn', true, '', decode(md5(t.reference) || md5(t.reference), 'hex')
     from payments p join payment_attempts t on t.payment_id = p.id where p.reference = ? and (t.status = 'CONFIRMED') = (? = 'settled')`,
    [reference, whose],
  );
  const shown = await page(reference);
  expect(shown).toContain('Payment successful');
  expect(shown.includes('whether you were charged a second time')).toBe(told);
  expect(shown.includes('http-equiv="refresh"')).toBe(told);
});

test('a payer who returns from the gateway sees the page in the language that they chose', async () => {
  // The gateway sends the payer back to an address that does not name the language.
  const reference = await created();
  const { headers } = await httpCall({ origin: web, path: `/checkout/${reference}?lang=bn` });
  const [cookie = ''] = [headers['set-cookie'] ?? []].flat();
  expect(cookie).toBe('lenden_language=bn; Path=/; HttpOnly; SameSite=Lax');
  const back = { cookie: 'lenden_language=bn', 'accept-language': 'en' };
  expect(await page(reference, { headers: back })).toContain('<html lang="bn">');
  expect(await page(reference, { query: '?lang=en', headers: back })).toContain('<html lang="en">');
  expect(await page(reference, { headers: { cookie: 'lenden_language=xx' } })).toContain('<html lang="en">');
});
