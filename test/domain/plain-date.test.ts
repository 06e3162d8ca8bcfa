import { describe, expect, test } from '@jest/globals';
import { addDays, addMonths, isPlainDate } from '../../domain/plain-date.ts';

describe('a date', () => {
  test.each([
    '2027-02-29',
    '2027-13-01',
    '2027-00-10',
    '27-01-01',
    '2027-1-1',
    '2027-01-01T00:00',
    '',
    '１９９９-01-01',
    '1969-12-31',
  ])('is no %p', (text) => {
    expect(isPlainDate(text)).toBe(false);
  });

  test('moves by months to the last day where a month is shorter', () => {
    expect(isPlainDate('2028-02-29')).toBe(true);
    expect([1, 2, 12, 13].map((months) => addMonths('2027-12-31', months))).toEqual([
      '2028-01-31',
      '2028-02-29',
      '2028-12-31',
      '2029-01-31',
    ]);
    expect(addDays('2028-02-28', 2)).toBe('2028-03-01');
  });
});
