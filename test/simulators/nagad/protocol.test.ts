import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { goodHeaders, merchantId, newOrderId, pay, returned, startNagad } from './merchant.ts';
import type { Json } from './merchant.ts';
import { open, press, readForm } from '../payer.ts';

let both: Awaited<ReturnType<typeof startNagad>>;
beforeAll(async () => {
  both = await startNagad();
});
afterAll(() => both.close());

const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

describe('a payment', () => {
  test('is initialized, completed, paid and verified, member by member', async () => {
    // Clients read these documented members by name and format.
    const orderId = newOrderId();
    const first = await both.api.initialize(orderId);
    expect(Object.keys(first.body).toSorted()).toEqual(['sensitiveData', 'signature']);
    const { told, signed } = both.api.opened(first.body);
    expect(signed).toBe(true);
    expect(Object.keys(told)).toEqual(['paymentReferenceId', 'challenge', 'acceptDateTime']);
    expect(told['acceptDateTime']).toMatch(/^20\d{12}$/);
    const ref = String(told['paymentReferenceId']);
    expect(Buffer.from(ref, 'base64').toString()).toMatch(
      new RegExp(`^\\d{13}\\.${merchantId}\\.${orderId}\\.[0-9a-f]{20}$`),
    );
    const second = await both.api.complete(
      { orderId, ref, challenge: String(told['challenge']) },
      { amount: '16', body: { additionalMerchantInfo: { shop: 'A' } } },
    );
    expect(second).toEqual({
      status: 200,
      body: { callBackUrl: `${both.url}/check-out/${ref}`, status: 'Success' },
    });
    expect(await both.api.verify(ref)).toMatchObject({ status: 'Initiated', amount: '16', issuerPaymentRefNo: null });
    const back = returned(await pay({ page: String(second.body['callBackUrl']) }, 'pay', { mobile: '01612345428' }));
    expect(back).toEqual({
      merchant: merchantId,
      order_id: orderId,
      payment_ref_id: ref,
      status: 'Success',
      status_code: '00_0000_000',
      message: 'Successful Transaction',
      payment_dt: expect.stringMatching(/^20\d{12}$/),
      issuer_payment_ref: expect.stringMatching(/^[0-9A-Z]{8}$/),
    });
    const date = expect.stringMatching(/^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.0$/);
    expect(await both.api.verify(ref)).toEqual({
      merchantId,
      orderId,
      paymentRefId: ref,
      amount: '16',
      clientMobileNo: '016****5428',
      merchantMobileNo: expect.any(String),
      orderDateTime: date,
      issuerPaymentDateTime: date,
      issuerPaymentRefNo: back['issuer_payment_ref'],
      additionalMerchantInfo: '{"shop":"A"}',
      status: 'Success',
      statusCode: '000',
      cancelIssuerDateTime: null,
      cancelIssuerRefNo: null,
      serviceType: null,
    });
    expect((await both.api.charges()).filter((line) => line['tranId'] === orderId)).toMatchObject([
      { gateway: 'nagad', valId: ref, amount: '16.00', currency: 'BDT', bankTranId: back['issuer_payment_ref'] },
    ]);
  });

  test.each([
    ['fail', 'Failed'],
    ['abort', 'Aborted'],
  ])('ends by %s as %s without a charge', async (button, status) => {
    const order = await both.api.order();
    expect(returned(await pay(order, button))).toMatchObject({ status, issuer_payment_ref: '' });
    expect(await both.api.verify(order.ref)).toMatchObject({ status, issuerPaymentRefNo: null });
    expect((await both.api.charges()).some((line) => line['tranId'] === order.orderId)).toBe(false);
  });

  test.each([
    ['16', undefined],
    ['16.5', undefined],
    ['16.50', undefined],
    ['16', 'fail'],
    ['16.5', 'abort'],
    ['16.00', 'leave'],
  ])('of %s keeps its amount as it was sent, in every status (%s)', async (amount, button) => {
    // Some clients compare the amount that they sent with the one that they read.
    const order = await both.api.order(amount);
    await pay(order, button);
    expect(await both.api.verify(order.ref)).toMatchObject({ amount });
  });

  test('is charged once however often its page is sent, and leads back every time', async () => {
    // An impatient payer must not be charged twice.
    const order = await both.api.order();
    const page = await open(order.page);
    const [one, two] = await Promise.all([press(page, 'pay'), press(page, 'pay')]);
    expect(returned(two)).toEqual(returned(one));
    expect(returned(await open(order.page))).toEqual(returned(one));
    expect((await both.api.charges()).filter((line) => line['tranId'] === order.orderId)).toHaveLength(1);
  });

  test('is left as it is by who leaves, and by who sends nonsense', async () => {
    // Only a decision of the payer may change the order.
    const order = await both.api.order();
    expect((await pay(order, 'leave')).html).toContain('Back to the payment');
    expect((await pay(order, 'pay', { mobile: '12' })).status).toBe(400);
    expect((await pay(order, 'explode')).status).toBe(400);
    expect(await both.api.verify(order.ref)).toMatchObject({ status: 'Ready' });
  });

  test('shows its steps to a verification, where they are switched on', async () => {
    // A client must handle the statuses between Initiated and the end.
    await both.api.control('PUT', 'nagad/config', { steps: true });
    const order = await both.api.order();
    const otp = await pay(order);
    expect(await both.api.verify(order.ref)).toMatchObject({ status: 'OtpSent' });
    const pin = await press(otp, 'pay');
    expect(await both.api.verify(order.ref)).toMatchObject({ status: 'OtpVerified' });
    expect(returned(await press(pin, 'pay'))).toMatchObject({ status: 'Success' });
    const wrong = await both.api.order();
    expect(returned(await press(await pay(wrong), 'pay', { otp: '999999' }))).toMatchObject({
      status: 'Failed',
      message: 'Invalid OTP',
    });
    await both.api.control('PUT', 'nagad/config', { steps: false });
  });

  test('has a page without script that names amount and order', async () => {
    // A browser without JavaScript must be able to pay, with one form that is posted to its own address.
    const order = await both.api.order('1050.50');
    const page = await open(order.page);
    expect(page.html).toContain('1050.50 BDT');
    expect(page.html).toContain(order.orderId);
    expect(page.html).not.toContain('<script');
    expect(readForm(page).buttons).toEqual(['pay', 'fail', 'abort', 'leave']);
  });

  test('goes back to an address that has a query of its own', async () => {
    const begun = await both.api.begin();
    const url = `${both.merchant.url}/back?shop=1`;
    const { body } = await both.api.complete(begun, { body: { merchantCallbackURL: url } });
    const back = returned(await pay({ page: String(body['callBackUrl']) }));
    expect(back).toMatchObject({ shop: '1', status: 'Success' });
  });

  test('also works under the path of the live host', async () => {
    // Clients switch to the live host by changing their base URL.
    const order = await both.api.order();
    const answer = await fetch(`${both.url}/api/dfs/verify/payment/${order.ref}`);
    expect(await answer.json()).toMatchObject({ orderId: order.orderId });
  });
});

/** The expected refusal: a status other than 200, and the members that clients read. */
const refused = (reason: string) => ({
  status: 400,
  body: { reason, message: expect.any(String), devMessage: expect.any(String) },
});

describe('initialize refuses', () => {
  const secrets: [string, Json, string][] = [
    ['another merchant inside', { merchantId: '683000000000002' }, 'InvalidMerchant'],
    ['another order inside', { orderId: 'OTHER' }, 'InvalidOrderId'],
    ['another time inside', { datetime: '20260101000000' }, 'InvalidApiRequest'],
    ['no challenge', { challenge: '' }, 'InvalidApiRequest'],
  ];
  test.each(secrets)('%s', async (_what, secret, reason) => {
    // The signed data must agree with the address.
    expect(await both.api.initialize(newOrderId(), { secret })).toMatchObject(refused(reason));
  });

  test('what is signed by another key, or over other bytes', async () => {
    // The signature covers the decrypted bytes as received, and only the merchant's key is accepted.
    const orderId = newOrderId();
    const secret = { merchantId, datetime: '20261122101112', orderId, challenge: 'c' };
    const strange = both.api.envelope(secret, undefined, stranger);
    expect(await both.api.initialize(orderId, { body: strange })).toMatchObject(refused('SignatureVerificationFailed'));
    const spaced = both.api.envelope(secret, JSON.stringify(secret, null, 1));
    const { signature } = both.api.envelope(secret);
    expect(await both.api.initialize(orderId, { body: { ...spaced, signature } })).toMatchObject(
      refused('SignatureVerificationFailed'),
    );
    expect(await both.api.initialize(orderId, { body: spaced })).toMatchObject({ status: 200 });
  });

  test.each([
    ['garbage', { sensitiveData: Buffer.alloc(256, 7).toString('base64') }, 'DecryptionError'],
    ['no base64', { sensitiveData: '{}' }, 'DecryptionError'],
    ['nothing', { sensitiveData: undefined }, 'InvalidApiRequest'],
    ['no signature', { signature: undefined }, 'InvalidApiRequest'],
    ['no time', { dateTime: undefined }, 'InvalidApiRequest'],
  ])('%s', async (_what, body, reason) => {
    expect(await both.api.initialize(newOrderId(), { body })).toMatchObject(refused(reason));
  });

  test.each(['x-km-api-version', 'x-km-ip-v4', 'x-km-client-type'])('a request without a right %s', async (name) => {
    // Every working client sends these headers.
    const answer = await both.api.post(`/check-out/initialize/${merchantId}/X`, {}, { [name]: 'other' });
    expect(answer).toMatchObject(refused('InvalidApiRequest'));
  });

  test.each(['A-1', 'A'.repeat(21), 'A_1'])('the order id %s', async (orderId) => {
    // An order id has at most 20 letters and digits.
    expect(await both.api.initialize(orderId)).toMatchObject(refused('InvalidOrderId'));
  });

  test('unknown and inactive merchants, and what is no JSON', async () => {
    expect(await both.api.post('/check-out/initialize/683000000000009/X', {})).toMatchObject(
      refused('InvalidMerchant'),
    );
    await both.api.control('PUT', 'nagad/config', { inactiveMerchants: [merchantId] });
    expect(await both.api.initialize(newOrderId())).toMatchObject(refused('InactiveMerchant'));
    await both.api.control('PUT', 'nagad/config', { inactiveMerchants: [] });
    const url = `${both.api.base}/check-out/initialize/${merchantId}/X`;
    const answer = await fetch(url, { method: 'POST', headers: goodHeaders, body: 'no json' });
    expect({ status: answer.status, body: await answer.json() }).toMatchObject(refused('InvalidApiRequest'));
  });
});

describe('complete refuses', () => {
  test.each<[string, { secret?: Json; body?: Json }, string]>([
    ['a wrong challenge', { secret: { challenge: 'c'.repeat(40) } }, 'InvalidPurchaseInformation'],
    ['another order', { secret: { orderId: 'OTHER' } }, 'InvalidOrderId'],
    ['another merchant', { secret: { merchantId: '683000000000002' } }, 'InvalidMerchant'],
    ['another currency', { secret: { currencyCode: '840' } }, 'InvalidCurrency'],
    ['an amount of nothing', { secret: { amount: '0.00' } }, 'InvalidPurchaseInformation'],
    ['three places', { secret: { amount: '1.001' } }, 'InvalidPurchaseInformation'],
    ['a number for an amount', { secret: { amount: 100 } }, 'InvalidPurchaseInformation'],
    ['a callback that is no web address', { body: { merchantCallbackURL: 'shop' } }, 'InvalidPurchaseInformation'],
    ['another reference inside', { body: { paymentRefId: 'OTHER' } }, 'InvalidReferenceId'],
  ])('%s', async (_what, changes, reason) => {
    // A completion must belong to its initialization and contain a payable order.
    const begun = await both.api.begin();
    expect(await both.api.complete(begun, changes)).toMatchObject(refused(reason));
    expect((await open(`${both.url}/check-out/${begun.ref}`)).status).toBe(404);
  });

  test('an unknown reference, and verify too', async () => {
    const at = { orderId: 'X', ref: 'nobody', challenge: 'x' };
    expect(await both.api.complete(at)).toMatchObject(refused('InvalidReferenceId'));
    expect(await both.api.verify('nobody')).toMatchObject({ reason: 'InvalidReferenceId' });
  });

  test('a second purchase, not the same one again', async () => {
    // A client repeats a call whose first answer was lost.
    const begun = await both.api.begin();
    const first = await both.api.complete(begun);
    expect(await both.api.complete(begun)).toEqual(first);
    expect(await both.api.complete(begun, { amount: '1.00' })).toMatchObject(refused('DuplicateOrderId'));
  });
});

test.each([
  ['refused', [200, 400], 400],
  ['untilComplete', [200, 200], 400],
  ['accepted', [200, 200], 200],
] as const)('an order id may come again: %s', async (repeatedOrder, before, after) => {
  // "Unique per attempt" can be read in three ways, and only the real gateway can show which is right.
  await both.api.control('PUT', 'nagad/config', { repeatedOrder });
  const orderId = newOrderId();
  const statuses = [];
  for (const _ of before) {
    statuses.push((await both.api.initialize(orderId)).status);
  }
  expect(statuses).toEqual(before);
  const paid = await both.api.order('100.00', newOrderId());
  expect((await both.api.initialize(paid.orderId)).status).toBe(after);
  await pay(paid);
  expect((await both.api.initialize(paid.orderId)).status).toBe(400);
  await both.api.control('PUT', 'nagad/config', { repeatedOrder: 'untilComplete' });
});
