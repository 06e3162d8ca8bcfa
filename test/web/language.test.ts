import { describe, expect, test } from '@jest/globals';
import { inLanguage, negotiateLanguage } from '../../web/language.ts';

describe('negotiateLanguage', () => {
  test.each([
    [undefined, undefined, 'en'],
    ['', undefined, 'en'],
    ['bn', undefined, 'bn'],
    ['bn-BD,bn;q=0.9,en;q=0.8', undefined, 'bn'],
    ['en-GB,en;q=0.9,bn;q=0.8', undefined, 'en'],
    ['fr;q=1, BN;q=0.5', undefined, 'bn'],
    ['en;q=0.4, bn;q=0.6', undefined, 'bn'],
    ['bn;q=0', undefined, 'en'],
    ['bn;q=nonsense', undefined, 'en'],
    ['*', undefined, 'en'],
    ['bnx', undefined, 'en'],
    ['en', 'bn', 'bn'],
    ['bn', 'en', 'en'],
    ['bn', 'xx', 'bn'],
    ['en', '"><script>', 'en'],
  ] as const)('reads %j with choice %j as %s', (acceptLanguage, explicit, expected) => {
    // Otherwise payers without Accept-Language would not get English, or the browser would override a payer's own choice.
    expect(negotiateLanguage(acceptLanguage, explicit)).toBe(expected);
  });

  test('looks at the first thousand characters only', () => {
    // Otherwise an endless header could keep the server busy.
    expect(negotiateLanguage(`${'fr,'.repeat(100_000)}bn`, undefined)).toBe('en');
  });
});

test('inLanguage adds the choice to a path with or without query', () => {
  // Otherwise the language switch of every page would break.
  expect(inLanguage('/checkout/pay_x', 'bn')).toBe('/checkout/pay_x?lang=bn');
  expect(inLanguage('/checkout/pay_x?a=1', 'en')).toBe('/checkout/pay_x?a=1&lang=en');
});
