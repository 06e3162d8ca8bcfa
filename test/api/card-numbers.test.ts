import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../core/applications/store/applications.ts';
import { bearer, openOperatorWorld, type OperatorWorld } from './admin/operator-world.ts';
import { ownpayCall } from './ownpay/ownpay-client.ts';
import { INTENT, openOwnpayWorld, type OwnpayShop, type OwnpayWorld } from './ownpay/ownpay-world.ts';
import { aKey, shadhinpayCall } from './shadhinpay/shadhinpay-client.ts';
import { openShadhinpayWorld, type Shop, type ShadhinpayWorld } from './shadhinpay/shadhinpay-world.ts';
import { call } from './contract-client.ts';

const CARD = '4111 1111 1111 1111';
const PLAIN = CARD.replaceAll(' ', '');
/** Outside free text, the same digits are treated as an ordinary reference. */
const SAID = `charge ${CARD} please`;

let operators: OperatorWorld;
let ownpay: OwnpayWorld;
let shadhinpay: ShadhinpayWorld;
let native: Registration;
let ownpayShop: OwnpayShop;
let shadhinpayShop: Shop;

beforeAll(async () => {
  [operators, ownpay, shadhinpay] = await Promise.all([openOperatorWorld(), openOwnpayWorld(), openShadhinpayWorld()]);
  native = await operators.api.register();
  ownpayShop = await ownpay.shop();
  shadhinpayShop = await shadhinpay.shop();
});
afterAll(async () => {
  await Promise.all([operators.close(), ownpay.close(), shadhinpay.close()]);
});

const toNative = (path: string, body: object) =>
  call({ origin: operators.origin, method: 'POST', path, credentials: native.test, body });
const toOwnpay = (body: object) =>
  ownpayCall({ origin: ownpay.origin, method: 'POST', path: '/payment-intents', key: ownpayShop.key, body });
const toShadhinpay = (path: string, body: object) =>
  shadhinpayCall({
    origin: shadhinpay.origin,
    method: 'POST',
    path,
    keys: shadhinpayShop.keys,
    headers: aKey(),
    body,
  });

const INVOICE = { customerReference: 'c', lineItems: [{ description: 'Setup', qty: 1, unitAmountMinor: 10_000 }] };
const ORDER = { amount: '100.00', currency: 'BDT', callbackUrl: 'https://shop.example/return' };

describe('a card number', () => {
  test.each([
    ['/payments', { amountMinor: 10_000, customerReference: 'c', customerName: SAID }],
    ['/payments', { amountMinor: 10_000, customerReference: 'c', productName: SAID }],
    ['/invoices', { ...INVOICE, customerName: SAID }],
    ['/invoices', { ...INVOICE, customerAddress: `road 1\n${SAID}` }],
    ['/invoices', { ...INVOICE, notes: SAID }],
    ['/invoices', { ...INVOICE, lineItems: [{ ...INVOICE.lineItems[0], description: SAID }] }],
  ])('is refused in what is free text at %s, without being told again: %#', async (path, body) => {
    // Storing card data would put the operator of Lenden under PCI DSS.
    const answer = await toNative(path, body);
    expect([answer.status, answer.meta.errorCode]).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.text).not.toContain('4111');
  });

  test("is refused in the reason of a refund, and of an operator's decision", async () => {
    // Many people read reasons, and they are kept for years.
    const { id } = await operators.api.paidPayment(native);
    expect((await toNative(`/payments/${id}/refunds`, { amountMinor: 1, reason: SAID })).status).toBe(400);
    await operators.addOperator({ email: 'root@example.com' });
    const headers = bearer(await operators.logIn('root@example.com'));
    const body = { amountMinor: 1, reason: SAID };
    const answer = await operators.send({ method: 'POST', path: `/admin/payments/${id}/refunds`, headers, body });
    expect([answer.status, answer.code]).toEqual([400, 'VALIDATION_ERROR']);
  });

  test.each([
    [{ customer_name: SAID }],
    [{ description: `first line\n${SAID}` }],
    [{ metadata: { note: SAID } }],
    [{ metadata: { deep: [{ card: Number(PLAIN) }] } }],
    [{ metadata: { [PLAIN]: 1 } }],
  ])("is refused in OwnPay's free text and metadata: %j", async (change) => {
    // OwnPay has its own error format.
    const answer = await toOwnpay({ ...INTENT, ...change });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('4111 1111');
  });

  test.each([
    ['/payments', { ...ORDER, merchantTxnId: 'a', description: SAID }],
    ['/payments', { ...ORDER, merchantTxnId: 'b', valueA: SAID }],
    ['/payments', { ...ORDER, merchantTxnId: 'c', valueD: `{"card":"${PLAIN}"}` }],
    ['/invoices', { items: [{ description: SAID, quantity: 1, unitPrice: '100.00' }] }],
    ['/invoices', { note: SAID, items: [{ description: 'a', quantity: 1, unitPrice: '100.00' }] }],
    ['/invoices', { customerName: SAID, items: [{ description: 'a', quantity: 1, unitPrice: '100.00' }] }],
  ])("is refused in ShadhinPay's free text and values at %s: %#", async (path, body) => {
    // ShadhinPay has its own error format.
    const answer = await toShadhinpay(path, body);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('4111');
  });

  test('is a reference like any other where one stands, and a phone number is none', async () => {
    // Shops choose their order numbers, so a payment would fail if one that looks like a card number were refused.
    const made = await toNative('/payments', {
      amountMinor: 10_000,
      customerReference: PLAIN,
      customerPhone: CARD,
    });
    expect(made.status).toBe(201);
    expect((await toOwnpay({ ...INTENT, order_id: PLAIN })).status).toBe(201);
    const order = { ...ORDER, merchantTxnId: PLAIN, customerPhone: '4111111111111111' };
    expect((await toShadhinpay('/payments', order)).status).toBe(201);
  });

  test('that a gateway sent is masked for operators and kept as it came', async () => {
    // Operators must not see card data, but the stored payload is evidence and must not change.
    const payload = `tran_id=unknown&card_no=${PLAIN}&note=${CARD.replaceAll(' ', '+')}`;
    const escaped = String.raw`{"object":"event","card":"\u0034111\u00201111 1111 1111"}`;
    const send = (type: string, body: string) =>
      fetch(`${operators.origin}/gateway/sslcommerz/test/ipn`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
    await send('application/x-www-form-urlencoded', payload);
    await send('application/json', escaped);
    await operators.addOperator({ email: 'auditor@example.com' });
    const headers = bearer(await operators.logIn('auditor@example.com'));
    const answer = await operators.send({ path: '/admin/gateway-callbacks', headers });
    expect(answer.data).toMatchObject([
      { rawPayload: String.raw`{"object":"event","card":"\u0034111\u002011XX XXXX 1111"}` },
      { rawPayload: 'tran_id=unknown&card_no=411111XXXXXX1111&note=4111+11XX+XXXX+1111' },
    ]);
    expect(await operators.api.sql('select raw_payload from gateway_callbacks order by id')).toEqual([
      { raw_payload: payload },
      { raw_payload: escaped },
    ]);
  });
});
