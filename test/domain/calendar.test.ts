import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { calendarIn } from '../../domain/calendar.ts';
import { addDays } from '../../domain/plain-date.ts';

const day = fc.integer({ min: 0, max: 20_000 }).map((days) => addDays('2000-01-01', days));

describe('the calendar of a time zone', () => {
  // An amount due "on the 1st" must not become overdue while it is still the 1st where the payer lives.
  test('begins a day at midnight of its zone', () => {
    const dhaka = calendarIn('Asia/Dhaka');
    expect(dhaka.startOf('2026-12-01').toISOString()).toBe('2026-11-30T18:00:00.000Z');
    expect(dhaka.morningOf('2026-12-01').toISOString()).toBe('2026-12-01T03:00:00.000Z');
    expect(dhaka.today(new Date('2026-11-30T17:59:59.999Z'))).toBe('2026-11-30');
    expect(dhaka.today(new Date('2026-11-30T18:00:00.000Z'))).toBe('2026-12-01');
  });

  // Zones with half hours, zones on both sides of the date line, and a day that a clock change shortens.
  test.each([
    ['Asia/Kathmandu', '2026-12-01', '2026-11-30T18:15:00.000Z'],
    ['Pacific/Kiritimati', '2026-12-01', '2026-11-30T10:00:00.000Z'],
    ['Pacific/Pago_Pago', '2026-12-01', '2026-12-01T11:00:00.000Z'],
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00.000Z'],
    ['Europe/Berlin', '2026-03-30', '2026-03-29T22:00:00.000Z'],
    // Clocks go forward at midnight, so the day begins at one o'clock.
    ['Asia/Beirut', '2026-03-29', '2026-03-28T22:00:00.000Z'],
  ])('knows %s: %s begins at %s', (zone, date, instant) => {
    expect(calendarIn(zone).startOf(date).toISOString()).toBe(instant);
  });

  test.each(['Asia/Dhaka', 'Europe/Berlin', 'America/St_Johns', 'UTC'])(
    'says of the first instant of a day in %s that it is that day, and of the one before that it is not',
    (zone) => {
      const calendar = calendarIn(zone);
      fc.assert(
        fc.property(day, (date) => {
          const start = calendar.startOf(date);
          expect(calendar.today(start)).toBe(date);
          expect(calendar.today(new Date(start.getTime() - 1))).toBe(addDays(date, -1));
          expect(calendar.startOf(date)).toEqual(start);
        }),
        { numRuns: 150 },
      );
    },
  );

  test('is of no zone that does not exist', () => {
    expect(() => calendarIn('Asia/Nowhere')).toThrow(RangeError);
  });
});
