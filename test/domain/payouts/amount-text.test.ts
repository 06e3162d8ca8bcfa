import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_AMOUNT_MINOR, toDecimalText } from '../../../domain/money.ts';
import { amountFromText, rateFromText } from '../../../domain/payouts/amount-text.ts';

const POINT = { decimalComma: false };
const COMMA = { decimalComma: true };

describe('an amount as a spreadsheet writes it', () => {
  test.each([
    ['1234.5', 123_450n],
    ['1,234,567.50', 123_456_750n],
    ['12,34,567.50', 123_456_750n],
    ['1,23,45,678', 1_234_567_800n],
    ['1 234.50', 123_450n],
    ['1\u00A0234.50', 123_450n],
    ['১২,৩৪,৫৬৭.৫০', 123_456_750n],
    ['.50', 50n],
    ['0012.00', 1_200n],
    ['12.5000000000000000', 1_250n],
    ['-100', -10_000n],
    ['100-', -10_000n],
    ['\u2212100', -10_000n],
    ['+100', 10_000n],
    ['(100.00)', -10_000n],
    ['-0.00', 0n],
    ['BDT 100', 10_000n],
    ['100 bdt', 10_000n],
    ['Tk. 100', 10_000n],
    ['Tk100', 10_000n],
    ['৳100', 10_000n],
    ['৳\u00A0১০০', 10_000n],
    ['-৳100', -10_000n],
    ['৳-100', -10_000n],
    ['৳(100)', -10_000n],
    ['(৳100)', -10_000n],
    ['100.00- BDT', -10_000n],
    ['\u200E100\uFEFF', 10_000n],
  ])('%p is %s paisa', (text, minor) => {
    // What a person reads in the file is what is recorded.
    expect(amountFromText(text, 'BDT', POINT)).toBe(minor);
  });

  test.each([
    ['', 'empty'],
    [' \u00A0 ', 'empty'],
    ['1.2E+10', 'exponent'],
    ['1e5', 'exponent'],
    ['১২3', 'mixed digits'],
    ['0.001', 'too precise'],
    ['1.234', 'too precise'],
    ['90071992547409.92', 'too large'],
    ['12345678901234567', 'too large'],
    ['1.2.3', 'not an amount'],
    ['1,234,5', 'not an amount'],
    ['1234,567', 'not an amount'],
    ['1,2345', 'not an amount'],
    ['1,234 567', 'not an amount'],
    ['1.234,56', 'not an amount'],
    ['12,', 'not an amount'],
    ['12.', 'not an amount'],
    ['.', 'not an amount'],
    ['-', 'not an amount'],
    ['BDT', 'not an amount'],
    ['--1', 'not an amount'],
    ['-1-', 'not an amount'],
    ['-+1', 'not an amount'],
    ['(-1)', 'not an amount'],
    ['-(1)', 'not an amount'],
    ['(1', 'not an amount'],
    ['500/-', 'not an amount'],
    ['USD 1', 'not an amount'],
    ['$1', 'not an amount'],
    ['BDT 1 BDT', 'not an amount'],
    ['1 Cr', 'not an amount'],
    ['0x10', 'not an amount'],
    ['NaN', 'not an amount'],
    ['Infinity', 'not an amount'],
    ['1\n2', 'not an amount'],
  ])('%p is refused: %s', (text, problem) => {
    // Text that can be read in two ways must not become money.
    expect(amountFromText(text, 'BDT', POINT)).toBe(problem);
  });

  test('has a decimal comma only where the mapping says so', () => {
    // 1.234 is one or one thousand: only the mapping knows.
    expect(amountFromText('1.234,56', 'EUR', COMMA)).toBe(123_456n);
    expect(amountFromText('€ 1 234,5', 'EUR', COMMA)).toBe(123_450n);
    expect(amountFromText('1.234', 'EUR', COMMA)).toBe(123_400n);
    expect(amountFromText('1,234', 'EUR', COMMA)).toBe('too precise');
    expect(amountFromText('1,234.56', 'EUR', COMMA)).toBe('not an amount');
  });

  test('keeps the exponent of its currency', () => {
    expect(amountFromText('100', 'JPY', POINT)).toBe(100n);
    expect(amountFromText('100.0', 'JPY', POINT)).toBe(100n);
    expect(amountFromText('100.5', 'JPY', POINT)).toBe('too precise');
    expect(amountFromText('1.234', 'KWD', POINT)).toBe(1_234n);
  });

  const currency = fc.constantFrom('BDT', 'USD', 'JPY', 'KWD');
  const minor = fc.bigInt({ min: -MAX_AMOUNT_MINOR, max: MAX_AMOUNT_MINOR });

  test('an amount as programs write it reads as with a mark that says nothing', () => {
    // The short way for plain text must not differ from the long one.
    const text = fc.stringMatching(/^-?[0-9]{1,18}(\.[0-9]{1,6})?$/);
    fc.assert(
      fc.property(text, currency, (plain, code) => {
        expect(amountFromText(plain, code, POINT)).toEqual(amountFromText(`${code} ${plain}`, code, POINT));
      }),
    );
  });

  test('is read back to the same minor units, however it is written', () => {
    // Grouping, digits, signs and marks change how an amount looks, never what it is.
    const style = fc.record({
      group: fc.constantFrom(plain, thousands, lakh),
      bangla: fc.boolean(),
      sign: fc.constantFrom<(text: string) => string>(
        (text) => `-${text}`,
        (text) => `${text}-`,
        (text) => `(${text})`,
      ),
      mark: fc.boolean(),
    });
    fc.assert(
      fc.property(minor, currency, style, (amountMinor, currency, { group, bangla, sign, mark }) => {
        const decimal = toDecimalText({ amountMinor: amountMinor < 0n ? -amountMinor : amountMinor, currency });
        const [whole = '', fraction] = decimal.split('.');
        const grouped = fraction === undefined ? group(whole) : `${group(whole)}.${fraction}`;
        const digits = bangla ? inBangla(grouped) : grouped;
        const signed = amountMinor < 0n ? sign(digits) : digits;
        expect(amountFromText(mark ? `${currency} ${signed}` : signed, currency, POINT)).toBe(amountMinor);
      }),
    );
  });

  test('is never anything but an exact amount or a refusal', () => {
    // A file is hostile until it is read.
    const text = fc.string({ unit: fc.constantFrom(...'0123456789০৯.,-+()eE৳ \u00A0'), maxLength: 30 });
    fc.assert(
      fc.property(text, fc.boolean(), (text, decimalComma) => {
        const read = amountFromText(text, 'BDT', { decimalComma });
        if (typeof read === 'bigint') {
          const again = toDecimalText({ amountMinor: read, currency: 'BDT' });
          expect(amountFromText(again, 'BDT', POINT)).toBe(read);
        }
      }),
    );
  });
});

test.each([
  ['0.0091', '0.0091'],
  ['১০৯.৫', '109.5'],
  ['110', '110'],
  ['0.000', null],
  ['-1.5', null],
  ['1e-3', null],
  ['1,5', null],
  ['১0', null],
  ['', null],
])('the exchange rate %p is %p', (text, rate) => {
  // A rate stays decimal text: as a float it would change.
  expect(rateFromText(text, POINT)).toBe(rate);
});

test('an exchange rate has a decimal comma where the mapping says so', () => {
  expect(rateFromText('0,0091', COMMA)).toBe('0.0091');
  expect(rateFromText('1.000,5', COMMA)).toBeNull();
});

const plain = (whole: string): string => whole;
const thousands = (whole: string): string => whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');

function lakh(whole: string): string {
  const last = whole.slice(-3);
  const rest = whole.slice(0, -3).replaceAll(/\B(?=(\d{2})+$)/g, ',');
  return rest === '' ? last : `${rest},${last}`;
}

function inBangla(text: string): string {
  return text.replaceAll(/\d/g, (digit) => '০১২৩৪৫৬৭৮৯'.charAt(Number(digit)));
}
