import { expect, test } from '@jest/globals';
import { digest, signFields } from '../../simulators/sslcommerz/signature.ts';

const golden = {
  tran_id: '5E121A0D01F92',
  val_id: '200105225826116qFnATY9sHIwo',
  amount: '10.00',
  card_type: 'VISA-Dutch Bangla',
  store_amount: '9.75',
  card_no: '418117XXXXXX6675',
  bank_tran_id: '200105225825DBgSoRGLvczhFjj',
  status: 'VALID',
  tran_date: '2020-01-05 22:58:21',
  currency: 'BDT',
  card_issuer: 'TRUST BANK, LTD.',
  card_brand: 'VISA',
  card_issuer_country: 'Bangladesh',
  card_issuer_country_code: 'BD',
  store_id: 'test_testemi',
  currency_type: 'BDT',
  currency_amount: '10.00',
  currency_rate: '1.0000',
  base_fair: '0.00',
  value_a: '',
  value_b: '',
  value_c: '',
  value_d: '',
  risk_level: '0',
  risk_title: 'Safe',
};
const password = 'test_testemi@ssl';

test('signs the published vector with both published digests', () => {
  // The digests come from the official client's documentation, not from this code, so they show that both agree.
  const signed = signFields({ fields: golden, password, mode: 'good' });
  expect(signed).toEqual({
    verify_sign: 'd42fab70ae0bcbda5280e7baffef60b0',
    verify_sign_sha2: '02c0417ff467c109006382d56eedccecd68382e47245266e7b47abbb3d43976e',
    verify_key:
      'amount,bank_tran_id,base_fair,card_brand,card_issuer,card_issuer_country,card_issuer_country_code,card_no,card_type,currency,currency_amount,currency_rate,currency_type,risk_level,risk_title,status,store_amount,store_id,tran_date,tran_id,val_id,value_a,value_b,value_c,value_d',
  });
});

test('the faults of the signature are really faults', () => {
  // A fault that verifies would prove nothing about a merchant.
  const names = Object.keys(golden);
  const bad = signFields({ fields: golden, password, mode: 'bad' });
  expect(bad['verify_sign']).not.toBe(digest({ algorithm: 'md5', fields: golden, names, password }));
  expect(bad['verify_sign_sha2']).not.toBe(digest({ algorithm: 'sha256', fields: golden, names, password }));
  expect(signFields({ fields: golden, password, mode: 'absent' })).toEqual({});
  expect(Object.keys(signFields({ fields: golden, password, mode: 'md5_only' }))).toEqual([
    'verify_sign',
    'verify_key',
  ]);
});

test('leaves subscription_id unsigned', () => {
  // Real notices since 2023 contain this field without listing it in verify_key.
  const signed = signFields({ fields: { ...golden, subscription_id: '' }, password, mode: 'good' });
  expect(signed['verify_sign']).toBe('d42fab70ae0bcbda5280e7baffef60b0');
});
