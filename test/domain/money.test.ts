import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { exponentOf, isCurrency } from '../../domain/currency.ts';
import {
  MAX_AMOUNT_MINOR,
  minorFromDecimalText,
  money,
  toBoundedJsonInteger,
  toDecimalText,
  toJsonInteger,
} from '../../domain/money.ts';

const currency = fc.constantFrom('BDT', 'USD', 'JPY', 'KWD', 'CLF');
const amount = fc.bigInt({ min: 1n, max: MAX_AMOUNT_MINOR });

describe('decimal text', () => {
  test.each([
    [10_000n, 'BDT', '100.00'],
    [1n, 'BDT', '0.01'],
    [99n, 'BDT', '0.99'],
    [500n, 'JPY', '500'],
    [1n, 'KWD', '0.001'],
    [1n, 'CLF', '0.0001'],
    [9_007_199_254_740_991n, 'BDT', '90071992547409.91'],
    [-150n, 'BDT', '-1.50'],
    [0n, 'BDT', '0.00'],
  ])('%s minor units of %s read %s', (amountMinor, currency, text) => {
    // The amount that payers and gateways read must be the amount that is charged.
    expect(toDecimalText({ amountMinor, currency })).toBe(text);
  });

  test('is read back to the same minor units, for every amount and currency', () => {
    // Writing and reading an amount must lose nothing.
    fc.assert(
      fc.property(amount, currency, (amountMinor, currency) => {
        const text = toDecimalText({ amountMinor, currency });
        expect(minorFromDecimalText(text, currency, 'exact')).toBe(amountMinor);
      }),
    );
  });

  test.each([
    ['69', 'BDT', 6_900n],
    ['69.5', 'BDT', 6_950n],
    ['1224.585', 'BDT', null],
    ['1224.580', 'BDT', 122_458n],
    ['100.0', 'JPY', 100n],
    ['100.5', 'JPY', null],
    ['1.2345', 'KWD', null],
  ])('%s of %s is exactly %s', (text, currency, expected) => {
    // Gateways pad and truncate decimals. Where an exact amount is required, nothing may be rounded.
    expect(minorFromDecimalText(text, currency, 'exact')).toBe(expected);
  });

  test('rounds down only where that is asked, and never by a float', () => {
    // The fee is gross minus net. Net is rounded down, so that it never exceeds what the gateway settles.
    expect(minorFromDecimalText('1224.585', 'BDT', 'down')).toBe(122_458n);
    expect(minorFromDecimalText('0.29', 'BDT', 'exact')).toBe(29n);
    expect(minorFromDecimalText('90071992547409.919', 'BDT', 'down')).toBe(9_007_199_254_740_991n);
  });

  test.each([
    '',
    ' 1',
    '1 ',
    '-1',
    '+1',
    '1.',
    '.5',
    '1,000.00',
    '1e3',
    '0x10',
    '১০০',
    'NaN',
    'Infinity',
    '1.2.3',
    '9'.repeat(17),
    '1\n',
  ])('%p is no amount', (text) => {
    // Text that is not a plain decimal must not be guessed at.
    expect(minorFromDecimalText(text, 'BDT', 'down')).toBeNull();
  });
});

describe('money', () => {
  test('is any amount from one minor unit to the greatest that the wire carries, as it is', () => {
    for (const amountMinor of [1n, 100n, MAX_AMOUNT_MINOR]) {
      expect(money(amountMinor, 'BDT')).toEqual({ amountMinor, currency: 'BDT' });
    }
  });

  test('says which amount or currency it cannot be', () => {
    // A developer who reads the log needs the value.
    expect(() => money(0n, 'BDT')).toThrow('amount out of range: 0');
    expect(() => exponentOf('XXX')).toThrow('not an ISO 4217 currency: XXX');
    expect(() => toJsonInteger(2n ** 53n)).toThrow('does not fit a JSON integer: 9007199254740992');
  });

  test.each([0n, -1n, MAX_AMOUNT_MINOR + 1n])('refuses %s', (amountMinor) => {
    // An amount must be positive and fit the wire format.
    expect(() => money(amountMinor, 'BDT')).toThrow(RangeError);
  });

  test('refuses a currency that ISO 4217 does not list', () => {
    // Without an exponent an amount has no meaning.
    for (const code of ['bdt', 'XXX', '', 'BDTT', '__proto__', 'constructor']) {
      expect(isCurrency(code)).toBe(false);
      expect(() => money(1n, code)).toThrow(RangeError);
    }
  });

  test('becomes a JSON integer exactly, or not at all', () => {
    // `Number()` must never round an amount.
    fc.assert(fc.property(amount, (value) => expect(BigInt(toJsonInteger(value))).toBe(value)));
    expect(toJsonInteger(MAX_AMOUNT_MINOR)).toBe(Number.MAX_SAFE_INTEGER);
    expect(toJsonInteger(-MAX_AMOUNT_MINOR)).toBe(-Number.MAX_SAFE_INTEGER);
    expect(() => toJsonInteger(MAX_AMOUNT_MINOR + 1n)).toThrow(RangeError);
    expect(() => toJsonInteger(-MAX_AMOUNT_MINOR - 1n)).toThrow(RangeError);
  });

  test('a sum becomes a JSON integer, and stops where a JSON number stops being exact', () => {
    fc.assert(fc.property(amount, (value) => expect(toBoundedJsonInteger(-value)).toBe(toJsonInteger(-value))));
    expect(toBoundedJsonInteger(MAX_AMOUNT_MINOR + 1n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(toBoundedJsonInteger(-MAX_AMOUNT_MINOR - 1n)).toBe(-Number.MAX_SAFE_INTEGER);
  });
});

describe('currencies', () => {
  test.each([
    ['BDT', 2],
    ['USD', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['VND', 0],
    ['KWD', 3],
    ['BHD', 3],
    ['CLF', 4],
  ])('%s has %i digits', (code, exponent) => {
    // With a wrong exponent a payer would be charged a hundred times the amount.
    expect(exponentOf(code)).toBe(exponent);
  });
});
