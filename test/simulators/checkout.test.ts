import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { open, pay, press, readForm } from './payer.ts';
import { password, startBoth, storeId } from './merchant.ts';
import type { Form } from './merchant.ts';
import { until } from '../support/until.ts';

let both: Awaited<ReturnType<typeof startBoth>>;
beforeAll(async () => {
  both = await startBoth();
});
afterAll(() => both.close());

/** Implements the documented algorithm again, so that the simulator does not check itself. */
function expectedSign(form: Form, algorithm: 'md5' | 'sha256'): string {
  const hash = (text: string): string => createHash(algorithm).update(text).digest('hex');
  const pairs = (form['verify_key'] ?? '').split(',').map((name) => [name, form[name]]);
  pairs.push(['store_passwd', hash(password)]);
  return hash(
    pairs
      .sort(([left = ''], [right = '']) => (left < right ? -1 : 1))
      .map((pair) => pair.join('='))
      .join('&'),
  );
}

async function ipnOf(tranId: string): Promise<Form> {
  const mine = () => both.merchant.at('/ipn').find((one) => one.form['tran_id'] === tranId);
  await until(() => mine() !== undefined);
  return mine()?.form ?? {};
}

describe('the hosted page', () => {
  test('pays by its first form and first button, tells the merchant by IPN first, and sends the browser back by a form', async () => {
    // A client without JavaScript must be able to pay, so every step is a link or a form.
    const session = await both.api.create({ tran_id: 'PAID', total_amount: '69', value_a: 'ref & <1>' });
    const back = await pay(session);
    expect((await ipnOf('PAID'))['status']).toBe('VALID');
    const form = readForm(back);
    expect(form.action).toBe(`${both.merchant.url}/success`);
    expect(form.fields).toMatchObject({
      amount: '69.00',
      store_amount: '67.28',
      status: 'VALID',
      value_a: 'ref & <1>',
    });
    expect(Object.keys(form.fields).slice(0, 3)).toEqual(['tran_id', 'val_id', 'amount']);
    await press(back, '');
    expect(both.merchant.at('/success').at(-1)?.form).toMatchObject({ tran_id: 'PAID', store_id: storeId });
  });

  test.each([
    ['pay', 'VALID', '/success'],
    ['fail', 'FAILED', '/fail'],
    ['cancel', 'CANCELLED', '/cancel'],
  ])('%s ends as %s: IPN and return agree and both signatures verify', async (button, status, path) => {
    // Each kind of notice has the documented fields, and the signature covers exactly these fields.
    const tranId = `BUTTON-${button}`;
    const back = await pay(await both.api.create({ tran_id: tranId }), button);
    const { action, fields } = readForm(back);
    const ipn = await ipnOf(tranId);
    expect(action).toBe(`${both.merchant.url}${path}`);
    expect(fields).toEqual(ipn);
    expect(ipn['status']).toBe(status);
    expect(ipn['verify_sign']).toBe(expectedSign(ipn, 'md5'));
    expect(ipn['verify_sign_sha2']).toBe(expectedSign(ipn, 'sha256'));
    expect('val_id' in ipn && 'risk_level' in ipn && 'store_amount' in ipn).toBe(status === 'VALID');
    expect('card_type' in ipn).toBe(status !== 'CANCELLED');
    expect((await both.api.charges()).some((line) => line['tranId'] === tranId)).toBe(status === 'VALID');
  });

  test('orders the IPN alphabetically with the signature last', async () => {
    // Merchants that log or parse by position rely on the order of the captured notices.
    await pay(await both.api.create({ tran_id: 'ORDER' }));
    const names = Object.keys(await ipnOf('ORDER'));
    expect(names.slice(-3)).toEqual(['verify_sign', 'verify_sign_sha2', 'verify_key']);
    expect(names.slice(0, -3)).toEqual(names.slice(0, -3).toSorted());
  });

  test('leave does nothing: no notice, no outcome, and the payer may come back and pay', async () => {
    // When the payer does not return, the session must stay open.
    const session = await both.api.create({ tran_id: 'LEFT' });
    expect((await pay(session, 'leave')).html).toContain('You left');
    expect(await both.api.transaction({ tran_id: 'LEFT' })).toMatchObject({ no_of_trans_found: 0, element: [] });
    expect(await both.api.transaction({ sessionkey: String(session['sessionkey']) })).toMatchObject({
      status: 'PENDING',
    });
    expect(both.merchant.at('/ipn').some((one) => one.form['tran_id'] === 'LEFT')).toBe(false);
    await pay(session);
    expect((await ipnOf('LEFT'))['status']).toBe('VALID');
  });

  test('sent twice at once charges once', async () => {
    // A double click of the payer must cause only one charge and one validation id.
    const session = await both.api.create({ tran_id: 'TWICE' });
    const page = await open(String(session['GatewayPageURL']));
    const [first, second] = await Promise.all([press(page, 'pay'), press(page, 'cancel')]);
    expect(readForm(first).fields).toEqual(readForm(second).fields);
    expect((await both.api.charges()).filter((line) => line['tranId'] === 'TWICE')).toHaveLength(1);
  });

  test.each([
    ['card', 'amex', 'AMEX-City Bank', 'AMEX', '371111XXXXX1111', '96.50'],
    ['card', 'mastercard', 'MASTER-Dutch Bangla', 'MASTER', '511111XXXXXX1111', '97.50'],
    ['wallet', 'bkash', 'BKASH-BKash', 'MOBILEBANKING', '', '97.50'],
    ['bank', 'abbank', 'ABBANKIB-AB Bank', 'IB', '', '97.50'],
  ])('takes %s %s', async (channel, id, cardType, brand, cardNo, net) => {
    // Each payment method has its own names in the protocol, its masked number and its fee.
    const tranId = `BY-${id}`;
    await pay(await both.api.create({ tran_id: tranId }), 'pay', { channel, [channel]: id });
    expect(await ipnOf(tranId)).toMatchObject({
      card_type: cardType,
      card_brand: brand,
      card_no: cardNo,
      store_amount: net,
    });
  });

  test('offers only what multi_card_name allows', async () => {
    // The restriction must hold on the page and for a forged form.
    const session = await both.api.create({ multi_card_name: 'bkash' });
    const page = await open(String(session['GatewayPageURL']));
    expect(readForm(page).fields).toMatchObject({ channel: 'wallet', wallet: 'bkash' });
    expect(page.html).not.toContain('value="visa"');
    expect((await press(page, 'pay', { channel: 'card', card: 'visa' })).status).toBe(400);
  });

  test('converts a foreign amount and tells both', async () => {
    // currency_* is the amount that the merchant requested, amount is what was charged in taka.
    await pay(await both.api.create({ tran_id: 'DOLLARS', total_amount: '10.01', currency: 'USD' }));
    expect(await ipnOf('DOLLARS')).toMatchObject({
      currency: 'BDT',
      amount: '1216.22',
      currency_type: 'USD',
      currency_amount: '10.01',
      currency_rate: '121.5000',
    });
  });

  test('shows the merchant’s words without letting them become markup, and loads nothing from elsewhere', async () => {
    // A merchant's text must not be able to inject markup into the page.
    const session = await both.api.create({ product_name: '"><script>alert(1)</script>' });
    const answer = await fetch(String(session['GatewayPageURL']));
    const html = await answer.text();
    expect(html).not.toContain('<script>alert');
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
  });

  test('is found at the documented older address too, and unknown sessions are 404', async () => {
    // The vendor's documentation still contains gw.php links.
    const session = await both.api.create();
    const old = await open(`${both.url}/gwprocess/v4/gw.php?Q=PAY&SESSIONKEY=${String(session['sessionkey'])}`);
    expect(old.url).toBe(session['GatewayPageURL']);
    expect((await open(`${both.url}/EasyCheckOut/testcdenothing`)).status).toBe(404);
  });
});

describe('a session whose time is over', () => {
  test('ends as UNATTEMPTED with an IPN when the payer only looked', async () => {
    // The notice about an abandoned page has all keys, and those of the charge are empty.
    const session = await both.api.create({ tran_id: 'LOOKED', cus_phone: '01700000006' });
    await open(String(session['GatewayPageURL']));
    const ipn = await ipnOf('LOOKED');
    expect(ipn).toMatchObject({
      status: 'UNATTEMPTED',
      val_id: '',
      bank_tran_id: '',
      store_amount: '',
      card_type: '',
      risk_level: '0',
    });
    expect(ipn['error']).toBe('Customer did not choose to pay any channel');
    expect(readForm(await open(String(session['GatewayPageURL']))).fields['status']).toBe('UNATTEMPTED');
  });

  test('ends silently when nobody opened it', async () => {
    // A session that was never opened is EXPIRED by session key, has no element by tran_id and causes no IPN.
    const session = await both.api.create({ tran_id: 'UNSEEN', cus_phone: '01700000006' });
    const key = String(session['sessionkey']);
    await until(async () => (await both.api.transaction({ sessionkey: key }))['status'] === 'EXPIRED');
    expect(await both.api.transaction({ tran_id: 'UNSEEN' })).toMatchObject({ no_of_trans_found: 0 });
    expect(both.merchant.at('/ipn').some((one) => one.form['tran_id'] === 'UNSEEN')).toBe(false);
  });
});

test('the one-time password step, switched on, decides the payment', async () => {
  // In this optional step, a right password passes, a wrong one fails, and a payer who stops there ends as EXPIRED.
  await both.api.control('PUT', 'config', { otpStep: true });
  const asked = await pay(await both.api.create({ tran_id: 'OTP-RIGHT' }), 'pay', { channel: 'wallet' });
  expect(readForm(await press(asked, 'pay')).fields).toMatchObject({ status: 'VALID', card_type: 'BKASH-BKash' });
  const wrong = await pay(await both.api.create({ tran_id: 'OTP-WRONG' }));
  expect(readForm(await press(wrong, 'pay', { otp: '000000' })).fields).toMatchObject({
    status: 'FAILED',
    error: 'Invalid OTP',
  });
  await pay(await both.api.create({ tran_id: 'OTP-LEFT', cus_phone: '01700000006' }));
  expect((await ipnOf('OTP-LEFT'))['status']).toBe('EXPIRED');
  await both.api.control('PUT', 'config', { otpStep: false });
});
