import { describe, expect, test } from '@jest/globals';
import { csvLine } from '../../domain/csv.ts';

describe('a line of CSV', () => {
  test('quotes what would break it, and nothing else', () => {
    // RFC 4180.
    expect(csvLine(['plain', 'a,b', 'say "hi"', 'two\nlines', null, 12, 7n])).toBe(
      'plain,"a,b","say ""hi""","two\nlines",,12,7\r\n',
    );
  });

  test.each([
    '=cmd|calc',
    '+1',
    '-1',
    '@SUM(A1)',
    '\tx',
    '\rx',
    '\nx',
    '＝1+1',
    '＋1',
    '－1',
    '＠A1',
    ' =1+1',
    '\u00A0@A1',
    '  -1',
  ])('disarms %j', (text) => {
    // A spreadsheet executes a cell that begins like this. Our own numbers are not text and stay unchanged.
    expect(csvLine([text]).replaceAll('"', '').startsWith(`'${text}`)).toBe(true);
    expect(csvLine([-5, { decimal: '-12.50' }])).toBe('-5,-12.50\r\n');
  });

  test.each([
    ['a;=1+1', `a;'=1+1`],
    ['a; +1', `a; '+1`],
    ['a;"=1+1', `"a;""'=1+1"`],
    ['a\n=1+1', `"a\n'=1+1"`],
    ['a\t@A1;-1', `a\t'@A1;'-1`],
    ['a=b; c-d, e@f.example', '"a=b; c-d, e@f.example"'],
  ])('disarms what a spreadsheet with other separators would find in %j', (text, shown) => {
    // With semicolons as separators, as in many countries, each part is a cell.
    expect(csvLine([text])).toBe(`${shown}\r\n`);
  });
});
