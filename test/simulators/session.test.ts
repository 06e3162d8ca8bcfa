import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { open } from './payer.ts';
import { sessionRequest, startBoth } from './merchant.ts';
import type { Form } from './merchant.ts';

let both: Awaited<ReturnType<typeof startBoth>>;
beforeAll(async () => {
  both = await startBoth();
});
afterAll(() => both.close());

const shipped = {
  shipping_method: 'YES',
  ship_name: 'Jane',
  ship_add1: 'House 1',
  ship_area: 'Dhanmondi',
  ship_city: 'Dhaka',
  ship_sub_city: 'Dhaka',
  ship_postcode: '1205',
  ship_country: 'Bangladesh',
};
const profiles: Record<string, Form> = {
  'airline-tickets': {
    hours_till_departure: '12 hrs',
    flight_type: 'Oneway',
    pnr: 'Q3BRE2',
    journey_from_to: 'DAC-CGP',
    third_party_booking: 'No',
  },
  'travel-vertical': { hotel_name: 'Hotel', length_of_stay: '2 days', check_in_time: '24 hrs', hotel_city: 'Dhaka' },
  'telecom-vertical': { product_type: 'Prepaid', topup_number: '01711111111', country_topup: 'Bangladesh' },
};

describe('a session request', () => {
  test('gives a session key and a page on the configured origin', async () => {
    // Every payment starts with these documented members.
    const made = await both.api.create();
    expect(made).toMatchObject({ status: 'SUCCESS', failedreason: '', is_direct_pay_enable: '0' });
    expect(made['sessionkey']).toMatch(/^[0-9A-F]{32}$/);
    expect(made['GatewayPageURL']).toBe(`${both.url}/EasyCheckOut/testcde${String(made['sessionkey']).toLowerCase()}`);
    expect((await open(String(made['GatewayPageURL']))).status).toBe(200);
  });

  test('is taken as multipart too', async () => {
    // The official PHP and Node libraries send multipart.
    const form = new FormData();
    for (const [name, value] of Object.entries(sessionRequest(both.merchant))) {
      form.append(name, value);
    }
    const answer = await fetch(`${both.url}/gwprocess/v4/api.php`, { method: 'POST', body: form });
    expect(await answer.json()).toMatchObject({ status: 'SUCCESS' });
  });

  test.each([
    ['another password', { store_passwd: 'wrong' }],
    ['an unknown store', { store_id: 'nobody' }],
    ['the other store’s password', { store_id: 'lenden_live' }],
    ['an empty store', { store_id: '' }],
  ])('with %s is refused in the documented words, as HTTP 200', async (_what, changes) => {
    // A refusal is not an HTTP error, which merchants can overlook.
    const answer = await both.api.post(sessionRequest(both.merchant, changes));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      status: 'FAILED',
      failedreason: 'Store Credential Error Or Store is De-active',
      GatewayPageURL: '',
      sessionkey: '',
    });
  });

  const mandatory =
    'total_amount currency tran_id product_category product_name product_profile success_url fail_url cancel_url shipping_method cus_name cus_email cus_add1 cus_city cus_postcode cus_country cus_phone';
  test.each(mandatory.split(' '))('without %s, or with it empty, fails and names it', async (name) => {
    // An empty parameter counts as missing.
    const { [name]: _left, ...rest } = sessionRequest(both.merchant);
    for (const form of [rest, { ...rest, [name]: '' }]) {
      const answer = (await (await both.api.post(form)).json()) as Form;
      expect(answer['status']).toBe('FAILED');
      expect(answer['failedreason']).toContain(`'${name}'`);
    }
  });

  test.each([
    ['tran_id', 30],
    ['product_category', 50],
    ['product_name', 255],
    ['cus_name', 50],
    ['cus_email', 50],
    ['cus_add1', 50],
    ['cus_add2', 50],
    ['cus_city', 50],
    ['cus_state', 50],
    ['cus_postcode', 30],
    ['cus_country', 50],
    ['cus_phone', 20],
    ['cus_fax', 20],
    ['multi_card_name', 30],
    ['allowed_bin', 255],
    ['value_a', 255],
    ['value_d', 255],
  ])('takes %s of %i characters and refuses one more', async (name, max) => {
    // The documented lengths count characters, so Bangla names can be as long as others.
    const unique = name === 'tran_id' ? 'ক'.repeat(max) : 'আ'.repeat(max);
    expect(await both.api.create({ [name]: unique })).toMatchObject({ status: 'SUCCESS' });
    const refused = await both.api.create({ [name]: `${unique}x` });
    expect(refused).toMatchObject({ status: 'FAILED', failedreason: expect.stringContaining(`'${name}'`) });
  });

  test.each(['success_url', 'fail_url', 'cancel_url', 'ipn_url'])('checks the syntax of %s', async (name) => {
    for (const value of [
      'example.com/back',
      'javascript:alert(1)',
      'http://',
      'ftp://example.com/',
      `http://a/${'x'.repeat(255)}`,
    ]) {
      expect(await both.api.create({ [name]: value })).toMatchObject({ status: 'FAILED' });
    }
  });

  test.each([
    ['9.99', 'BDT', 'FAILED'],
    ['10.00', 'BDT', 'SUCCESS'],
    ['10', 'BDT', 'SUCCESS'],
    ['500000.00', 'BDT', 'SUCCESS'],
    ['500000.01', 'BDT', 'FAILED'],
    ['0.08', 'USD', 'FAILED'],
    ['1.00', 'USD', 'SUCCESS'],
    ['4115.23', 'USD', 'FAILED'],
    ['10.001', 'BDT', 'FAILED'],
    ['1e3', 'BDT', 'FAILED'],
    ['-10', 'BDT', 'FAILED'],
    ['100', 'XXX', 'FAILED'],
    ['100', 'constructor', 'FAILED'],
    ['100', 'bdt', 'FAILED'],
  ])('of %s %s ends as %s', async (total, currency, status) => {
    // The limits are in taka after conversion.
    expect(await both.api.create({ total_amount: total, currency })).toMatchObject({ status });
  });

  test('needs the address of shipped goods, and nothing of it otherwise', async () => {
    // With YES every ship_ parameter is required, with NO and Courier none.
    expect(await both.api.create(shipped)).toMatchObject({ status: 'SUCCESS' });
    for (const name of Object.keys(shipped).filter((name) => name.startsWith('ship_'))) {
      expect(await both.api.create({ ...shipped, [name]: '' })).toMatchObject({
        status: 'FAILED',
        failedreason: expect.stringContaining(`'${name}'`),
      });
    }
    expect(await both.api.create({ ...shipped, num_of_item: '' })).toMatchObject({ status: 'FAILED' });
    expect(await both.api.create({ ...shipped, num_of_item: 'ten' })).toMatchObject({ status: 'FAILED' });
    expect(await both.api.create({ shipping_method: 'Courier', num_of_item: '' })).toMatchObject({ status: 'SUCCESS' });
    expect(await both.api.create({ ...shipped, shipping_method: 'SSLCOMMERZ_LOGISTIC' })).toMatchObject({
      status: 'FAILED',
    });
    expect(await both.api.create({ shipping_method: 'PIGEON' })).toMatchObject({ status: 'FAILED' });
  });

  test.each(Object.keys(profiles))('of the profile %s needs what belongs to it', async (profile) => {
    const fields = { product_profile: profile, ...profiles[profile] };
    expect(await both.api.create(fields)).toMatchObject({ status: 'SUCCESS' });
    for (const name of Object.keys(profiles[profile] ?? {})) {
      expect(await both.api.create({ ...fields, [name]: '' })).toMatchObject({
        status: 'FAILED',
        failedreason: expect.stringContaining(`'${name}'`),
      });
    }
  });

  test.each([
    { emi_option: '2' },
    { emi_max_inst_option: '4' },
    { emi_selected_inst: 'x' },
    { cart: '{"sku":1}' },
    { cart: 'nonsense' },
    { vat: '1.005' },
    { discount_amount: 'much' },
    { product_profile: 'unknown' },
  ])('with %j fails', async (changes) => {
    // An optional parameter must be valid if it is sent.
    const form: Form = Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, String(value)]));
    expect(await both.api.create(form)).toMatchObject({ status: 'FAILED' });
  });

  test('may be repeated under one tran_id until something was charged under it', async () => {
    // A client retries after a lost answer, but one order must not be sold twice.
    const first = await both.api.create({ tran_id: 'AGAIN' });
    const second = await both.api.create({ tran_id: 'AGAIN' });
    expect(second['status']).toBe('SUCCESS');
    expect(second['sessionkey']).not.toBe(first['sessionkey']);
    await both.api.control('POST', `sessions/${String(first['sessionkey'])}/finish`, {});
    expect(await both.api.create({ tran_id: 'AGAIN' })).toMatchObject({ status: 'FAILED' });
  });

  test('over 256 KiB or with a file is refused by HTTP', async () => {
    // A large body must not use up the simulator's memory.
    const huge = await both.api.post(sessionRequest(both.merchant, { value_a: 'x'.repeat(300_000) }));
    expect(huge.status).toBe(413);
    const form = new FormData();
    form.append('store_id', new Blob(['x']), 'x.txt');
    expect((await fetch(`${both.url}/gwprocess/v4/api.php`, { method: 'POST', body: form })).status).toBe(400);
  });
});
