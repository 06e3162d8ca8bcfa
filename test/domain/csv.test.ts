import { describe, expect, test } from '@jest/globals';
import { csvLine } from '../../domain/csv.ts';

describe('a line of CSV', () => {
  test('quotes what would break it, and nothing else', () => {
    // RFC 4180.
    expect(csvLine(['plain', 'a,b', 'say "hi"', 'two\nlines', null, 12, 7n])).toBe(
      'plain,"a,b","say ""hi""","two\nlines",,12,7\r\n',
    );
  });

  test.each(['=cmd|calc', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '\nx', '＝1+1', '＋1', '－1', '＠A1'])(
    'disarms %j',
    (text) => {
      // A spreadsheet executes a cell that begins like this. Our own numbers are not text and stay unchanged.
      expect(csvLine([text]).replaceAll('"', '').startsWith(`'${text}`)).toBe(true);
      expect(csvLine([-5, { decimal: '-12.50' }])).toBe('-5,-12.50\r\n');
    },
  );
});
