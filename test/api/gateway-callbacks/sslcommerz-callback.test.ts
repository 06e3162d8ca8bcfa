import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { parseCallback } from '../../../gateways/sslcommerz/callback.ts';
import { digest } from '../../../gateways/sslcommerz/signature.ts';

/** The test vector that the documentation of the official Python client publishes. */
const VECTOR: Readonly<Record<string, string>> = {
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
const STORE = { id: 'test_testemi', password: 'test_testemi@ssl' };
const MD5 = 'd42fab70ae0bcbda5280e7baffef60b0';
const SHA256 = '02c0417ff467c109006382d56eedccecd68382e47245266e7b47abbb3d43976e';
const KEYS = Object.keys(VECTOR).toSorted().join(',');

const body = (changes: Readonly<Record<string, string | undefined>> = {}): string => {
  const fields = { ...VECTOR, verify_sign: MD5, verify_sign_sha2: SHA256, verify_key: KEYS, ...changes };
  const present = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new URLSearchParams(present).toString();
};
const parse = (text: string) => parseCallback(text, STORE);

/** Signs any fields with the store's own password, as only the gateway can. */
function signed(fields: Readonly<Record<string, string>>, names = Object.keys(fields)): string {
  const map = new Map(names.map((name) => [name, fields[name] ?? '']));
  return new URLSearchParams({
    ...fields,
    verify_key: names.join(','),
    verify_sign: digest('md5', map, STORE.password),
  }).toString();
}

describe('the signature of a callback', () => {
  test('is the published one for the published vector, in both digests', () => {
    // These digests come from the gateway's own documentation, so they do not depend on our implementation.
    const fields = new Map(Object.entries(VECTOR));
    expect(digest('md5', fields, STORE.password)).toBe(MD5);
    expect(digest('sha256', fields, STORE.password)).toBe(SHA256);
    expect(parse(body())).toEqual({
      attemptReference: '5E121A0D01F92',
      signatureValid: true,
      claims: 'paid',
      claimedValidationId: '200105225826116qFnATY9sHIwo',
      // The hash of the signed fields, independent of the other fields in the form.
      eventId: SHA256,
      note: null,
    });
  });

  test.each([
    ['either digest alone', { verify_sign_sha2: undefined }, true],
    ['the other digest alone', { verify_sign: undefined }, true],
    ['no digest', { verify_sign: undefined, verify_sign_sha2: undefined }, false],
    ['empty digests', { verify_sign: '', verify_sign_sha2: '' }, false],
    ['one right and one wrong digest', { verify_sign: MD5.replace('d', 'e') }, false],
    ['an upper-case digest', { verify_sign: MD5.toUpperCase() }, false],
    ['a changed amount', { amount: '1.00' }, false],
    ['a changed reference', { tran_id: 'another' }, false],
    ['an unsigned field beside it', { subscription_id: '' }, true],
    ['no list of keys', { verify_key: undefined }, false],
    ['a list that leaves the amount out', { verify_key: KEYS.replace('amount,', '') }, false],
    ['a listed key that is missing', { value_a: undefined }, false],
    ['a key that is listed twice', { verify_key: `${KEYS},amount` }, false],
    ['another store', { store_id: 'another' }, false],
  ])('with %s', (_name, changes, valid) => {
    // Any weakening of the list or of the digests makes the callback unsigned.
    expect(parse(body(changes)).signatureValid).toBe(valid);
  });

  test.each(['store_passwd', 'verify_key', 'verify_sign', 'verify_sign_sha2', 'a b', 'a=b', 'value_a&x', 'বাংলা'])(
    'is refused when the list names %p',
    (name) => {
      // Such a name would make the signed text ambiguous.
      expect(parse(signed({ ...VECTOR, [name]: 'x' })).signatureValid).toBe(false);
    },
  );

  test.each(['tran_id', 'amount', 'currency', 'currency_type', 'currency_amount', 'status', 'store_id'])(
    'is refused where %s is absent altogether',
    (name) => {
      // A sender must not be able to avoid a required field by leaving it out.
      const fields = Object.fromEntries(Object.entries(VECTOR).filter(([key]) => key !== name));
      expect(parse(signed(fields)).signatureValid).toBe(false);
    },
  );

  test.each([
    ['VALID', false],
    ['VALIDATED', false],
    ['FAILED', true],
    ['CANCELLED', true],
  ])('of %s needs the charge’s ids only when it claims one', (status, valid) => {
    // A failed payment has no validation id.
    const claim: ReadonlySet<string> = new Set(['val_id', 'bank_tran_id']);
    const fields = Object.fromEntries(Object.entries({ ...VECTOR, status }).filter(([name]) => !claim.has(name)));
    expect(parse(signed(fields)).signatureValid).toBe(valid);
  });

  test('is refused with more keys than any gateway signs', () => {
    // The work on input from strangers must be limited.
    const many = Object.fromEntries(Array.from({ length: 70 }, (_value, n) => [`extra_${n}`, 'x']));
    expect(parse(signed({ ...VECTOR, ...many })).signatureValid).toBe(false);
  });

  test('of the mixed form, md5 password in a sha256 text, does not count', () => {
    // Some integrations make this mistake.
    const md5Password = createHash('md5').update(STORE.password).digest('hex');
    const text = Object.entries({ ...VECTOR, store_passwd: md5Password })
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${value}`)
      .join('&');
    const mixed = createHash('sha256').update(text).digest('hex');
    expect(parse(body({ verify_sign: undefined, verify_sign_sha2: mixed })).signatureValid).toBe(false);
  });
});

describe('the words of a callback', () => {
  test.each([
    ['VALID', 'paid'],
    ['VALIDATED', 'paid'],
    ['FAILED', 'failed'],
    ['CANCELLED', 'cancelled'],
    ['UNATTEMPTED', 'expired'],
    ['EXPIRED', 'expired'],
    ['HELD', 'unknown'],
    ['valid', 'unknown'],
    ['', 'unknown'],
    ['constructor', 'unknown'],
  ])('%p claim %p', (status, claims) => {
    expect(parse(body({ status })).claims).toBe(claims);
  });

  test.each([
    ['nothing', ''],
    ['JSON', '{"tran_id":"a","status":"VALID"}'],
    ['a reference with a NUL', 'tran_id=a%00b'],
    ['a reference that is too long', `tran_id=${'a'.repeat(65)}`],
    ['an injected reference', "tran_id=a'%20or%201=1"],
    ['broken escapes', 'tran_id=%E0%A4%A'],
  ])('of %s name no payment, and nothing is thrown', (_name, text) => {
    // The parser reads input from anyone on the internet.
    expect(parse(text)).toMatchObject({ attemptReference: null, signatureValid: false });
  });

  test('in a form with a field twice are not read', () => {
    // Two readers could take two different values.
    expect(parse(`${body()}&amount=1.00`)).toMatchObject({
      attemptReference: null,
      signatureValid: false,
      claims: 'unknown',
      note: 'REPEATED_FIELD',
    });
  });
});
