import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { holdsCardNumber, maskCardNumbers, maskEncodedCardNumbers } from '../../domain/card-number.ts';
import { withoutCards } from '../../runtime/logger.ts';

/** Numbers that schemes and gateways publish for tests. */
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
    // No card number may rest here, however somebody writes it.
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
    // What an operator sees of a callback holds none, however it was sent.
    expect(maskEncodedCardNumbers(form)).toBe(shown);
  });

  test('is masked in a line of the log, which stays JSON', () => {
    // A gateway's words may end up in an error, and no list of members knows where.
    const line = { n: 4111111111111111, msg: 'said\n4111 1111 1111 1111 "declined"', 'a 4111111111111111': [1] };
    expect(JSON.parse(withoutCards(JSON.stringify(line)))).toEqual({
      n: 4111111111111111,
      msg: 'said\n4111 11XX XXXX 1111 "declined"',
      'a 411111XXXXXX1111': [1],
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
    // What is none must not be refused.
    expect(holdsCardNumber(text)).toBe(false);
    expect(maskCardNumbers(text)).toBe(text);
  });

  test('is masked wherever it stands, and nothing else is changed', () => {
    // A masked text can be shown: nothing in it is a card number any more.
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
