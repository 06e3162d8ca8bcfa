import { describe, expect, test } from '@jest/globals';
import { compareTransaction } from '../../domain/manual-payment.ts';

const named = (normalized: string) => ({ kind: 'named', normalized });

test.each([
  'TRX 0001-22',
  'trx000122',
  ' T r x.0001/22 ',
  'TRX০০০১২২',
  'TRX٠٠٠١٢٢',
  'TRX۰۰۰۱۲۲',
  'TRX०००१२२',
  'TRX𝟎𝟎𝟎𝟏𝟐𝟐',
  'ＴＲＸ０００１２２',
  '𝐓𝐑𝐗𝟢𝟢𝟢𝟣𝟤𝟤',
  'trx_0001–22',
  'TRX\u00a00001\u202f22',
  'TRX−0001—22',
  '#TRX:0001,22',
])('%j names the same transaction as TRX000122', (text) => {
  // One transfer must pay for one payment, however its number is written.
  expect(compareTransaction(text)).toEqual(named('TRX000122'));
});

test.each([
  ['a variation selector', 'TX123456\ufe0f78'],
  ['a combining grapheme joiner', 'TX123456\u034f78'],
  ['Cyrillic letters', 'ТХ12345678'],
  ['Greek letters', 'ΤΧ12345678'],
  ['a zero-width space', 'TX12345678\u200b9'],
  ['a zero-width joiner', 'TX1234\u200d5678'],
  ['a soft hyphen', 'TX1234\u00ad5678'],
  ['a direction mark', 'TX\u200e12345678'],
  ['a word joiner', 'TX\u206012345678'],
  ['a tag character', 'TX12345678\u{e0041}'],
  ['a Hangul filler', 'TX12345678\u3164'],
  ['an accent', 'T\u0301X12345678'],
  ['a dotless i', 'TXı2345678'],
  ['a sharp s', 'straße 1234'],
  ['Bangla letters', 'রসিদ ১২৩৪'],
  ['ideographs', '㍿1234'],
  ['a fraction', 'TX½34567'],
  ['an emoji', 'TX1234😀'],
  ['a line break', 'TX12\n345678'],
  ['a control character', 'TX12\u0000345678'],
  ['half a character', 'TX12345678\ud800'],
])('what holds %s is refused, not read as another number', (_what, text) => {
  // The payer enters the number again. An invisible character must not allow one transfer to be confirmed twice.
  expect(compareTransaction(text)).toEqual({ kind: 'characters' });
});

test.each(['', 'abc', '----', '12/3', 'x'.repeat(65)])('%j names no transaction', (text) => {
  // An operator could not search for such a number.
  expect(compareTransaction(text)).toEqual({ kind: 'length' });
});

test.each(['1234', '১২৩৪', 'x'.repeat(64)])('%j names one', (text) => {
  // A receipt may have a short number or one in Bangla digits.
  expect(compareTransaction(text).kind).toBe('named');
});

/** The digits of every script in Unicode, as `Intl` writes them. */
const SYSTEMS = Intl.supportedValuesOf('numberingSystem').filter((system) =>
  /^\p{Nd}{10}$/u.test(new Intl.NumberFormat(`en-u-nu-${system}`, { useGrouping: false }).format(1_234_567_890)),
);

describe('the digits of every script', () => {
  test.each(SYSTEMS)('%s are the digits 0 to 9', (system) => {
    // Otherwise the digits of each script would be another spelling of the same number.
    const written = new Intl.NumberFormat(`en-u-nu-${system}`, { useGrouping: false }).format(1_234_567_890);
    expect(compareTransaction(`TX${written}`)).toEqual(named('TX1234567890'));
  });

  test('are all known', () => {
    // Without numbering systems in this runtime, the cases above would test nothing.
    expect(SYSTEMS.length).toBeGreaterThan(60);
  });
});

test('no character makes one number another one: each is a letter, a digit, dropped or refused', () => {
  // Any Unicode character must leave the compared number the same, or make it invalid.
  for (const code of inhabited()) {
    const compared = compareTransaction(`TX12${String.fromCodePoint(code)}3456`);
    if (compared.kind === 'named' && !/^TX12[0-9A-Z]{0,18}3456$/.test(compared.normalized)) {
      throw new Error(`U+${code.toString(16)} is read as ${compared.normalized}`);
    }
  }
});

/**
 * Yields the code points of the planes that hold more than ideographs and private use: the first two, and the one with tags
 * and variation selectors.
 */
function* inhabited(): Generator<number> {
  for (let code = 0; code <= 0x1ffff; code += 1) {
    yield code;
  }
  for (let code = 0xe0000; code <= 0xe0fff; code += 1) {
    yield code;
  }
}
