import { describe, expect, test } from '@jest/globals';
import { searchTermsOf } from '../../domain/search.ts';

describe('what a person typed', () => {
  test.each([
    ['120', 12_000n],
    ['120.50', 12_050n],
    ['1,20,500.50', 12_050_050n],
    ['১২০.৫০', 12_050n],
    ['120.5', null],
    ['1,2', null],
    ['7,00', null],
    ['-5', null],
    ['BDT 5', null],
    ['99999999999999', null],
  ])('%s as an amount', (typed, amountMinor) => {
    expect(searchTermsOf(typed).amountMinor).toBe(amountMinor);
  });

  test.each([
    ['INV-000002', 2n, ''],
    ['INV-HB_71c4-00042', 42n, 'HB_71c4'],
    ['INV-2', null, ''],
    ['17', null, ''],
  ])('%s as the number of an invoice', (typed, number, numberLabel) => {
    expect(searchTermsOf(typed)).toMatchObject({ number, numberLabel });
  });

  test('surrounding spaces do not count', () => {
    expect(searchTermsOf('  pay_1\n').text).toBe('pay_1');
  });
});
