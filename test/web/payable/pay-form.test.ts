import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_AMOUNT_MINOR } from '../../../domain/money.ts';
import { languages } from '../../../web/language.ts';
import { amountText, moneyText } from '../../../web/money-text.ts';
import { minorFromTypedText, readPayForm, readTypedAmount } from '../../../web/payable/pay-form.ts';

describe('the posted form', () => {
  test.each([
    ['choice=asked&expected=1500000', { choice: 'asked', typedAmount: null, expectedMinor: 1_500_000n }],
    ['choice=rest&expected=1', { choice: 'rest', typedAmount: null, expectedMinor: 1n }],
    [
      'choice=amount&expected=9007199254740991&amount=%E0%A7%AB%E0%A7%A6%E0%A7%A6',
      { choice: 'amount', typedAmount: '৫০০', expectedMinor: MAX_AMOUNT_MINOR },
    ],
    ['choice=amount&expected=5&amount=', { choice: 'amount', typedAmount: '', expectedMinor: 5n }],
    ['choice=asked&expected=5&amount=7', { choice: 'asked', typedAmount: null, expectedMinor: 5n }],
    ['choice=asked&expected=5&other=1&other=2', { choice: 'asked', typedAmount: null, expectedMinor: 5n }],
  ])('%s is read', (text, form) => {
    // Otherwise the payer's choice would be lost on its way to the server.
    expect(readPayForm(text)).toEqual(form);
  });

  test.each([
    '',
    'choice=asked',
    'expected=5',
    'choice=all&expected=5',
    'choice=ASKED&expected=5',
    'choice=amount&expected=5',
    'choice=asked&expected=',
    'choice=asked&expected=0',
    'choice=asked&expected=-5',
    'choice=asked&expected=5.0',
    'choice=asked&expected=5e3',
    'choice=asked&expected=0x10',
    'choice=asked&expected=%E0%A7%AB',
    'choice=asked&expected=9007199254740992',
    'choice=asked&expected=99999999999999999',
    'choice=asked&choice=rest&expected=5',
    'choice=asked&expected=5&expected=6',
    'choice=amount&expected=5&amount=1&amount=2',
    '{"choice":"asked","expected":5}',
    '__proto__=1&choice=constructor&expected=5',
    `choice=asked&expected=5&amount=${'1'.repeat(1_000)}`,
  ])('%s is refused', (text) => {
    // Otherwise the server would accept forms that the page never sends.
    expect(readPayForm(text)).toBeNull();
  });
});

describe('a typed amount', () => {
  const currency = fc.constantFrom('BDT', 'USD', 'JPY', 'KWD', 'INR');
  const amountMinor = fc.bigInt({ min: 1n, max: MAX_AMOUNT_MINOR });

  test('is what the page itself shows for it, in both languages', () => {
    // Otherwise payers who copy an amount from the page could not pay it.
    fc.assert(
      fc.property(currency, amountMinor, fc.constantFrom(...languages), (code, minor, language) => {
        const money = { amountMinor: minor, currency: code };
        for (const text of [moneyText(money, language), amountText(money, language)]) {
          expect(minorFromTypedText(text, code)).toBe(minor);
          expect(minorFromTypedText(` ${text.replaceAll(',', ' ')} `, code)).toBe(minor);
          expect(minorFromTypedText(text.replaceAll(',', ''), code)).toBe(minor);
        }
      }),
    );
  });

  test('is refused or has the value of its digits, whatever is typed', () => {
    // Otherwise payers could pay another amount than they typed.
    const piece = fc.constantFrom(...'0123456789০৫৯,. -+eE৳।٫', 'BDT', '\u00a0', '\u202e');
    fc.assert(
      fc.property(fc.string({ unit: piece, maxLength: 12 }), (text) => {
        const minor = minorFromTypedText(text, 'BDT');
        if (minor !== null) {
          const digits = text.replace(/[০৫৯]/g, (digit) => ({ '০': '0', '৫': '5', '৯': '9' })[digit] ?? '');
          const [whole = '', fraction = ''] = digits.replace(/[^\d.]/g, '').split('.');
          expect(minor).toBe(BigInt(whole + fraction.slice(0, 2).padEnd(2, '0')));
          expect(text).not.toMatch(/[-+eE।٫\u202e]/);
        }
      }),
    );
  });

  test.each([
    ['500', 50_000n],
    ['৫০০', 50_000n],
    ['৫0০', 50_000n],
    ['0500', 50_000n],
    ['500.5', 50_050n],
    ['500.50', 50_050n],
    ['500.500', 50_050n],
    ['1,500', 150_000n],
    ['1 500', 150_000n],
    ['1\u202f500', 150_000n],
    ['12,34,567', 123_456_700n],
    ['1,234,567.89', 123_456_789n],
    ['৳ ৫০০', 50_000n],
    ['bdt 500', 50_000n],
    ['500 BDT', 50_000n],
    ['Tk. 500', 50_000n],
    ['৫০০ টাকা', 50_000n],
    ['0', 0n],
  ])('%s means %d', (text, minor) => {
    // Otherwise payers could not type amounts in the usual notations.
    expect(minorFromTypedText(text, 'BDT')).toBe(minor);
  });

  test.each([
    '',
    ' ',
    'BDT',
    'abc',
    '-5',
    '+5',
    '1,5',
    '1,50',
    '1,5000',
    '1,,500',
    ',500',
    '500,',
    '1,234 567',
    '1,500.5,0',
    '1,500.500,0',
    '12,34,56',
    '123,45,678',
    '5 0',
    '5.',
    '.5',
    '5.5.5',
    '5.001',
    '1e3',
    '0x10',
    'Infinity',
    'NaN',
    '٥٠٠',
    '५००',
    '５００',
    '500 USD',
    'BDT 500 BDT',
    '$500',
    '5'.repeat(17),
    `5${' '.repeat(60)}`,
    '<b>5</b>',
    '500\u202e',
    '50\u0000',
  ])('%j means nothing', (text) => {
    // Otherwise Lenden would guess what a payer wants to pay.
    expect(minorFromTypedText(text, 'BDT')).toBeNull();
  });

  test('has no more digits than its currency', () => {
    // Otherwise amounts in yen or dinar would be read as hundredths.
    expect(minorFromTypedText('500', 'JPY')).toBe(500n);
    expect(minorFromTypedText('500.5', 'JPY')).toBeNull();
    expect(minorFromTypedText('1.234', 'KWD')).toBe(1_234n);
    expect(minorFromTypedText('৳500', 'USD')).toBeNull();
  });

  test.each([
    ['10.00', 1_000n],
    ['9.99', 'too_little'],
    ['0', 'too_little'],
    ['31,350', 3_135_000n],
    ['31,350.01', 'too_much'],
    ['9999999999999999', 'too_much'],
    ['ten', 'not_an_amount'],
  ])('%s within its bounds is %p', (text, outcome) => {
    // Otherwise payers could pay less than the application accepts, or more than is due.
    expect(readTypedAmount(text, { currency: 'BDT', minMinor: 1_000n, maxMinor: 3_135_000n })).toBe(outcome);
  });
});
