import { describe, expect, test } from '@jest/globals';
import { moneyText } from '../../web/money-text.ts';
import { deadlineText, durationText, momentText } from '../../web/time-text.ts';

describe('moneyText', () => {
  test.each([
    [10_000n, 'BDT', 'en', 'BDT\u00a0100.00'],
    [10_000n, 'BDT', 'bn', '৳১০০.০০'],
    [1n, 'BDT', 'bn', '৳০.০১'],
    [12_345_678_901n, 'BDT', 'en', 'BDT\u00a012,34,56,789.01'],
    [12_345_678_901n, 'USD', 'en', 'USD\u00a0123,456,789.01'],
    [99_999n, 'USD', 'en', 'USD\u00a0999.99'],
    [100_000n, 'USD', 'bn', 'USD\u00a0১,০০০.০০'],
    [123_456n, 'JPY', 'en', 'JPY\u00a0123,456'],
    [123_456n, 'KWD', 'en', 'KWD\u00a0123.456'],
    [9_007_199_254_740_991n, 'BDT', 'bn', '৳৯,০০,৭১,৯৯,২৫,৪৭,৪০৯.৯১'],
  ] as const)('shows %d %s in %s as %s', (amountMinor, currency, language, expected) => {
    // Payers decide by this amount, so it must be right.
    expect(moneyText({ amountMinor, currency }, language)).toBe(expected);
  });
});

describe('times', () => {
  const moment = new Date('2026-11-21T08:05:00Z');

  test('a deadline names the day only when it is another day in the shown zone', () => {
    // Otherwise a payer near midnight could take tomorrow's time for today's.
    const evening = new Date('2026-11-21T17:50:00Z');
    const afterMidnight = new Date('2026-11-21T18:10:00Z');
    expect(deadlineText(moment, moment, 'en', 'Asia/Dhaka')).toBe('14:05 GMT+6');
    expect(deadlineText(afterMidnight, evening, 'en', 'Asia/Dhaka')).toContain('22 November 2026');
    expect(deadlineText(afterMidnight, evening, 'en', 'UTC')).not.toContain('November');
  });

  test('moments carry Bangla digits in Bangla', () => {
    // Otherwise Bangla pages would show mixed digits.
    expect(momentText(moment, 'bn', 'Asia/Dhaka')).toMatch(/২১ নভেম্বর, ২০২৬.*১৪:০৫/);
  });

  test.each([
    [0, '0 seconds'],
    [119, '119 seconds'],
    [120, '2 minutes'],
    [749, '12 minutes'],
    [7_200, '2 hours'],
    [200_000, '2 days'],
  ])('%d seconds left read %s', (durationSeconds, expected) => {
    // Otherwise the page would promise more time than is left.
    expect(durationText(durationSeconds, 'en')).toBe(expected);
  });
});
