import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startBkash, walk, type Bkash } from './merchant.ts';

let bkash: Bkash;
beforeAll(async () => {
  bkash = await startBkash();
});
afterAll(() => bkash.close());

const statusOf = (back: URL | null): string | null => back?.searchParams.get('status') ?? null;

test.each([
  ['pays', {}, 'success'],
  ['gives up', { outcome: 'cancel' }, 'cancel'],
  ['fails', { outcome: 'fail' }, 'failure'],
])('a payer who %s is sent back by GET, and no money has moved', async (_name, last, status) => {
  // The callback reports what the payer did. It does not prove that money moved.
  const session = await bkash.create();
  const { status: code, back } = await walk(session, last);
  expect([code, statusOf(back)]).toEqual([302, status]);
  expect(back?.searchParams.get('paymentID')).toBe(session['paymentID']);
  expect(await bkash.query(session['paymentID'])).toMatchObject({ transactionStatus: 'Initiated' });
});

test('whoever leaves is sent nowhere and may come back', async () => {
  // A payer who closes the tab has not ended the payment.
  const session = await bkash.create();
  expect((await walk(session, { outcome: 'leave' })).back).toBeNull();
  expect(statusOf((await walk(session)).back)).toBe('success');
});

test('a callback URL with a query of its own keeps it', async () => {
  const session = await bkash.create({ callbackURL: 'http://shop.example/back?order=7' });
  expect((await walk(session)).back?.search).toMatch(/^\?order=7&paymentID=TR0011/);
});

test.each([
  ['01770618575', 'success', '0000'],
  ['8801770618576', 'success', '2023'],
  ['+8801770618578', 'cancel', '2056'],
])(
  'the payer %s of ShadhinPay’s sandbox comes back with %s, and the execution answers %s',
  async (payer, status, code) => {
    // ShadhinPay's documentation gives these numbers for tests.
    const session = await bkash.create({ payerReference: payer });
    expect(statusOf((await walk(session)).back)).toBe(status);
    expect(await bkash.execute(session['paymentID'])).toMatchObject({ statusCode: code });
  },
);

test('the payer 01770618577 is never answered, and may still give up', async () => {
  // This number is for tests of polling and expiry.
  const session = await bkash.create({ payerReference: '01770618577' });
  const { status, back, html } = await walk(session);
  expect([status, back]).toEqual([200, null]);
  expect(html).toContain('does not answer');
  expect(await bkash.query(session['paymentID'])).toMatchObject({
    transactionStatus: 'Initiated',
    verificationStatus: 'Incomplete',
  });
  expect(statusOf((await walk(session, { outcome: 'cancel' })).back)).toBe('cancel');
});

test('a payer’s reference that is a wallet’s number fills in the page', async () => {
  // The real page does this too, to save the payer typing.
  const session = await bkash.create({ payerReference: '01929918378' });
  expect(await (await fetch(String(session['bkashURL']))).text()).toContain('value="01929918378"');
});

describe('a wrong', () => {
  test.each([
    ['wallet', { wallet: '12345' }],
    ['one-time password', { otp: '000000' }],
    ['PIN', { pin: '00000' }],
  ])('%s is asked for again', async (_name, last) => {
    // A form that is sent directly must not skip one of the three steps.
    const session = await bkash.create();
    const { status, back, html } = await walk(session, last);
    expect([status, back]).toEqual([200, null]);
    expect(html).toContain('role="alert"');
    expect(await bkash.query(session['paymentID'])).toMatchObject({ verificationStatus: 'Incomplete' });
  });

  test('PIN three times ends the payment', async () => {
    // The page itself decides this failure.
    const session = await bkash.create();
    await walk(session, { pin: '0' });
    await walk(session, { pin: '0' });
    expect(statusOf((await walk(session, { pin: '0' })).back)).toBe('failure');
    expect(await bkash.execute(session['paymentID'])).toMatchObject({ statusCode: '2056' });
  });
});

test.each([
  ['01823074817', '2023'],
  ['01823074818', '2037'],
])('the payer of wallet %s agrees, and the execution fails with %s', async (wallet, code) => {
  // Only the execution shows this failure.
  const session = await bkash.create();
  expect(statusOf((await walk(session, { wallet })).back)).toBe('success');
  expect(await bkash.execute(session['paymentID'])).toMatchObject({ statusCode: code });
  expect(await bkash.execute(session['paymentID'])).toMatchObject({ statusCode: '2056' });
});

test('the page opens by its own link only, loads nothing, and a payment that is over sends the browser back', async () => {
  // The hash in the link must be required, and a second click must not reach an old page.
  const session = await bkash.create({ merchantInvoiceNumber: 'A"quoted' });
  const url = new URL(String(session['bkashURL']));
  const page = await fetch(url);
  expect(await page.text()).toContain('Invoice A&quot;quoted');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  url.searchParams.set('hash', 'guessed');
  expect((await fetch(url)).status).toBe(404);
  await walk(session);
  expect(statusOf((await walk(session, { outcome: 'cancel' })).back)).toBe('success');
});
