import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { holdsCardNumber, maskCardNumbers } from '../../domain/card-number.ts';
import { withoutCards } from '../../runtime/logger.ts';

const asJsonEscapes = (text: string): string =>
  [...text].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

/** Numbers that card schemes and gateways publish for tests. */
const PUBLISHED = {
  Visa: '4111111111111111',
  'Visa of 13 digits': '4222222222222',
  'Visa of 19 digits': '4000000000000000006',
  Mastercard: '5555555555554444',
  'Mastercard of the new range': '2223000048400011',
  'American Express': '378282246310005',
  Discover: '6011111111111117',
  JCB: '3530111333300000',
  'Diners Club': '30569309025904',
  'Diners Club International': '36227206271667',
  UnionPay: '6200000000000005',
  Maestro: '6759649826438453',
  RuPay: '6074820000000009',
};

describe('a card number', () => {
  test.each(Object.entries(PUBLISHED))('of %s is found alone, in a sentence and in groups', (_scheme, number) => {
    // No card number may be stored, in whatever form it is written.
    const groups = number.replace(/(\d{4})(?=\d)/g, '$1 ');
    for (const text of [
      number,
      `card ${number}, thanks`,
      `(${groups})`,
      groups.replaceAll(' ', '-'),
      `no:${number}.`,
    ]) {
      expect([text, holdsCardNumber(text)]).toEqual([text, true]);
    }
    expect(maskCardNumbers(`a ${number} b`)).toBe(
      `a ${number.slice(0, 6)}${'X'.repeat(number.length - 10)}${number.slice(-4)} b`,
    );
  });

  test('is found in the digits of Bangla, too', () => {
    // Payers write in both scripts.
    expect(holdsCardNumber('কার্ড ৪১১১ ১১১১ ১১১১ ১১১১')).toBe(true);
    expect(maskCardNumbers('৪১১১ ১১১১ ১১১১ ১১১১')).toBe('৪১১১ ১১XX XXXX ১১১১');
  });

  test.each([
    ['card_no=4111111111111111&status=VALID', 'card_no=411111XXXXXX1111&status=VALID'],
    ['a=%204111+1111%201111%2D1111%0A', 'a=%204111+11XX%20XXXX%2D1111%0A'],
    ['note%3D4111111111111111', 'note%3D411111XXXXXX1111'],
    ['val_id=200105225826116qFnATY9sHIwo&amount=10.00', 'val_id=200105225826116qFnATY9sHIwo&amount=10.00'],
  ])('is masked in the form %s, and its escapes stay', (form, shown) => {
    // An operator who views a callback must not see a card number, in whatever form it was sent.
    expect(maskCardNumbers(form)).toBe(shown);
  });

  const JSON_SHOWN = '{"card":"411111XXXXXX1111"}';
  test.each([
    [
      'a first digit in an escape',
      String.raw`{"card":"\u0034111111111111111"}`,
      String.raw`{"card":"\u003411111XXXXXX1111"}`,
    ],
    [
      'digits to be masked in escapes',
      String.raw`{"card":"41111111\u0031\u00311111\u0031\u0031"}`,
      String.raw`{"card":"411111XXXXXX11\u0031\u0031"}`,
    ],
    [
      'each digit in an escape',
      `{"card":"${asJsonEscapes(PUBLISHED.Visa)}"}`,
      `{"card":"${asJsonEscapes('411111')}XXXXXX${asJsonEscapes('1111')}"}`,
    ],
    [
      'an escaped gap',
      String.raw`{"card":"4111\u00201111\u002d1111 1111"}`,
      String.raw`{"card":"4111\u002011XX\u002dXXXX 1111"}`,
    ],
    ['a slash before it', String.raw`{"url":"a\/4111111111111111\/b"}`, String.raw`{"url":"a\/411111XXXXXX1111\/b"}`],
    [
      'a line break before it',
      String.raw`{"text":"card\n4111111111111111\t"}`,
      String.raw`{"text":"card\n411111XXXXXX1111\t"}`,
    ],
    [
      'a string of JSON around it',
      JSON.stringify({ Message: `{"card":"${PUBLISHED.Visa}"}` }),
      JSON.stringify({ Message: JSON_SHOWN }),
    ],
    [
      'two strings of JSON around an escape',
      JSON.stringify(JSON.stringify(String.raw`{"card":"4111111\u003111111111"}`)),
      JSON.stringify(JSON.stringify(JSON_SHOWN)),
    ],
    [
      'the escape of an escape',
      String.raw`{"card":"\u005cu0034111111111111111"}`,
      String.raw`{"card":"\u005cu003411111XXXXXX1111"}`,
    ],
    [
      'digits of Bangla in escapes',
      String.raw`{"card":"\u09ea১১১১১১১১১১১\u09e7১১১"}`,
      String.raw`{"card":"\u09ea১১১১১XXXXXX\u09e7১১১"}`,
    ],
    ['digits of a form in escapes', 'card=%34111111%3111%3111111', 'card=%3411111XXXXXX1111'],
    [
      'digits of Bangla in a form',
      `card=${encodeURIComponent('৪১১১১১১১১১১১১১১১')}`,
      `card=${encodeURIComponent('৪১১১১১')}XXXXXX${encodeURIComponent('১১১১')}`,
    ],
    [
      'JSON in a form',
      `ipn=${encodeURIComponent(`{"card":"${asJsonEscapes(PUBLISHED.Visa)}"}`)}`,
      `ipn=${encodeURIComponent(`{"card":"${asJsonEscapes('411111')}XXXXXX${asJsonEscapes('1111')}"}`)}`,
    ],
    [
      'a form in JSON',
      String.raw`{"query":"card=\u002534111111111111111"}`,
      String.raw`{"query":"card=\u00253411111XXXXXX1111"}`,
    ],
    ['a form in a form', 'back=card%3D%2534111111111111111', 'back=card%3D%253411111XXXXXX1111'],
    [
      'a per cent sign that begins no escape',
      String.raw`{"off":"100%4\u0031\u0031\u0031111111111111"}`,
      String.raw`{"off":"100%4\u0031\u0031\u003111XXXXXX1111"}`,
    ],
  ])('is masked in JSON and forms with %s', (_what, written, shown) => {
    // The operator's viewer decodes what it shows, and a gateway may encode in any way.
    expect(maskCardNumbers(written)).toBe(shown);
  });

  test('is masked in every way to write it, and what it stands in is still read', () => {
    // The encoding of a callback is not known in advance.
    const ways = fc.array(fc.constantFrom('json', 'form'), { maxLength: 3 });
    const escaped = fc.array(fc.boolean(), { minLength: 19, maxLength: 19 });
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(PUBLISHED)), ways, escaped, (number, layers, escapes) => {
        let written = `{"card":"${number.replace(/\d/g, (digit, at: number) => (escapes[at] === true ? asJsonEscapes(digit) : digit))}"}`;
        for (const layer of layers) {
          written = layer === 'json' ? JSON.stringify(written) : encodeURIComponent(written);
        }
        let read: unknown = maskCardNumbers(written);
        for (const layer of layers.toReversed()) {
          read = layer === 'json' ? JSON.parse(String(read)) : decodeURIComponent(String(read));
        }
        const masked = `${number.slice(0, 6)}${'X'.repeat(number.length - 10)}${number.slice(-4)}`;
        expect(JSON.parse(String(read))).toEqual({ card: masked });
      }),
    );
  });

  test.each([
    String.raw`{"id":"\u0034111111111111112","at":"2026-05-17T10:00:00Z"}`,
    String.raw`{"id":"pay_\u0034111111111111111","n":1}`,
    'a=%4&b=100%&c=%ZZ&d=%C3%28&e=%FF',
    String.raw`\u12 \x34 \\`,
    '%25'.repeat(5_000),
    '\\'.repeat(5_000),
  ])('is not what only looks like one, and all else is shown as it came (%#)', (written) => {
    // The shown text is evidence and must stay unchanged. A flood of escapes must not make an operator wait.
    expect(maskCardNumbers(written)).toBe(written);
  });

  test('is masked in a line of the log, which stays JSON', () => {
    // A gateway's text may end up in an error, in any member of the log line.
    const line = {
      n: 4111111111111111,
      msg: 'said\n4111 1111 1111 1111 "declined"',
      'a 4111111111111111': [1],
      raw: String.raw`{"card":"\u0034111111111111111"}`,
    };
    expect(JSON.parse(withoutCards(JSON.stringify(line)))).toEqual({
      n: 4111111111111111,
      msg: 'said\n4111 11XX XXXX 1111 "declined"',
      'a 411111XXXXXX1111': [1],
      raw: String.raw`{"card":"\u003411111XXXXXX1111"}`,
    });
  });

  test.each([
    ['a wrong check digit', '4111111111111112'],
    ['no scheme', '9111111111111111'],
    ["another length than the scheme's", '41111111111111'],
    ['letters that touch it', 'ORDER4111111111111111'],
    ['letters behind it', '4111111111111111A'],
    ['a longer run', '41111111111111110000000'],
    ['a longer run in groups', '0000 4111 1111 1111 1111'],
    ['two spaces', '4111  1111  1111  1111'],
    ['other signs between', '4111.1111.1111.1111'],
    ['a phone number', '+880 1711 111111'],
    ['an amount', '1,234,567,890,123.00'],
    ['a masked one', '411111XXXXXX1111'],
    ['an instant', '20260517100000'],
  ])('is not what has %s', (_what, text) => {
    // Text that contains no card number must not be refused.
    expect(holdsCardNumber(text)).toBe(false);
    expect(maskCardNumbers(text)).toBe(text);
  });

  test('is masked wherever it stands, and nothing else is changed', () => {
    // After masking, the text must contain no card number.
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...Object.values(PUBLISHED)), fc.string())), (parts) => {
        const shown = maskCardNumbers(parts.join(' | '));
        expect(holdsCardNumber(shown)).toBe(false);
        expect(shown).toHaveLength(parts.join(' | ').length);
        expect(maskCardNumbers(shown)).toBe(shown);
      }),
    );
  });
});
