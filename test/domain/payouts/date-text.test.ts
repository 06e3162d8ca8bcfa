import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type DateOrder, dateFromSerial, dateFromText } from '../../../domain/payouts/date-text.ts';
import { instantIn, startOfDay } from '../../../domain/payouts/zoned-time.ts';

const DHAKA = 'Asia/Dhaka';

function read(text: string, order: DateOrder, timeZone = DHAKA) {
  const found = dateFromText(text, { order, timeZone });
  return found === null ? null : [found.date, found.at?.toISOString() ?? null];
}

describe('a date in a file', () => {
  test.each<[string, DateOrder, string]>([
    ['04/03/2026', 'day-first', '2026-03-04'],
    ['04/03/2026', 'month-first', '2026-04-03'],
    ['4.3.26', 'day-first', '2026-03-04'],
    ['2026-03-04', 'year-first', '2026-03-04'],
    ['26/3/4', 'year-first', '2026-03-04'],
    ['20260304', 'year-first', '2026-03-04'],
    ['০৪-০৩-২০২৬', 'day-first', '2026-03-04'],
    ['4 March 2026', 'day-first', '2026-03-04'],
    ['04-Mar-26', 'day-first', '2026-03-04'],
    ['Mar 4, 2026', 'day-first', '2026-03-04'],
    ['4 Sept 2026', 'day-first', '2026-09-04'],
    ['2026-May-04', 'year-first', '2026-05-04'],
    ['29/02/2028', 'day-first', '2028-02-29'],
  ])('%p, written %s, is %s', (text, order, date) => {
    // 04/03 is two days: the mapping states which one.
    expect(read(text, order)).toEqual([date, null]);
  });

  test.each<[string, DateOrder]>([
    ['31/02/2026', 'day-first'],
    ['29/02/2026', 'day-first'],
    ['12/31/2026', 'day-first'],
    ['31/12/2026', 'month-first'],
    ['2026-11-24', 'day-first'],
    ['24-11-2026', 'year-first'],
    ['20261124', 'day-first'],
    ['24/11-2026', 'day-first'],
    ['24/11/126', 'day-first'],
    ['1969-12-31', 'year-first'],
    ['24 Novembre 2026', 'day-first'],
    ['24/11/2026 25:00', 'day-first'],
    ['24/11/2026 12:60', 'day-first'],
    ['24/11/2026 13:00 PM', 'day-first'],
    ['24/11/2026 0:30 AM', 'day-first'],
    ['24/11/2026 12', 'day-first'],
    ['2026-11-24T10:00:00+15:00', 'year-first'],
    ['12:00', 'day-first'],
    ['45000', 'day-first'],
    ['', 'day-first'],
  ])('%p, written %s, is refused', (text, order) => {
    // An impossible date must not roll over into another day.
    expect(read(text, order)).toBeNull();
  });

  test.each<[string, DateOrder, string]>([
    ['24/11/2026 14:05', 'day-first', '2026-11-24T08:05:00.000Z'],
    ['24/11/2026 02:05:09 PM', 'day-first', '2026-11-24T08:05:09.000Z'],
    ['24/11/2026, 2:05 p.m.', 'day-first', '2026-11-24T08:05:00.000Z'],
    ['24/11/2026 12:00am', 'day-first', '2026-11-23T18:00:00.000Z'],
    ['24/11/2026 12:00 pm', 'day-first', '2026-11-24T06:00:00.000Z'],
    ['২৪/১১/২০২৬ ১৪:০৫', 'day-first', '2026-11-24T08:05:00.000Z'],
    ['2026-11-24T14:05:09.123', 'year-first', '2026-11-24T08:05:09.000Z'],
    ['2026-11-24T14:05:09Z', 'year-first', '2026-11-24T14:05:09.000Z'],
    ['2026-11-24 14:05 UTC', 'year-first', '2026-11-24T14:05:00.000Z'],
    ['2026-11-24T14:05:09+05:30', 'year-first', '2026-11-24T08:35:09.000Z'],
    ['2026-11-24T14:05:09-0530', 'year-first', '2026-11-24T19:35:09.000Z'],
  ])('%p, written %s, is at %s in Dhaka', (text, order, at) => {
    // A stated zone counts; without one it is the zone of the mapping.
    expect(read(text, order)?.[1]).toBe(at);
  });

  test('keeps its day where a time of day is stated in another zone', () => {
    expect(read('2026-11-24 23:30 UTC', 'year-first')).toEqual(['2026-11-24', '2026-11-24T23:30:00.000Z']);
  });
});

describe('a time of day in a zone', () => {
  test('that clocks skip is refused, and of a time that they show twice the first one counts', () => {
    // Dublin: clocks go from 01:00 to 02:00 on 29 March 2026 and from 02:00 back to 01:00 on 25 October.
    expect(read('29/03/2026 01:30', 'day-first', 'Europe/Dublin')).toBeNull();
    expect(read('29/03/2026 02:30', 'day-first', 'Europe/Dublin')?.[1]).toBe('2026-03-29T01:30:00.000Z');
    expect(read('25/10/2026 01:30', 'day-first', 'Europe/Dublin')?.[1]).toBe('2026-10-25T00:30:00.000Z');
    expect(read('25/10/2026 02:30', 'day-first', 'Europe/Dublin')?.[1]).toBe('2026-10-25T02:30:00.000Z');
  });

  test('is shown again by the clocks of that zone', () => {
    // The instant must be the one that the file means.
    const zone = fc.constantFrom('Asia/Dhaka', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Etc/UTC');
    const minutes = fc.integer({ min: 0, max: 10 * 365 * 24 * 60 });
    fc.assert(
      fc.property(zone, minutes, (timeZone, minutes) => {
        const wall = new Date(Date.UTC(2020, 0, 1) + minutes * 60_000).toISOString();
        const at = instantIn(timeZone, wall.slice(0, 10), Date.parse(wall) - Date.parse(wall.slice(0, 10)));
        const shown = at?.toLocaleString('sv-SE', { timeZone }).slice(0, 16) ?? wall.slice(0, 16).replace('T', ' ');
        expect(shown).toBe(wall.slice(0, 16).replace('T', ' '));
      }),
    );
  });

  test('begins a day where midnight is skipped', () => {
    // Cairo: clocks go from 00:00 to 01:00 on 24 April 2026.
    expect(instantIn('Africa/Cairo', '2026-04-24', 0)).toBeNull();
    expect(startOfDay('Africa/Cairo', '2026-04-24').toISOString()).toBe('2026-04-23T22:00:00.000Z');
  });
});

describe("a spreadsheet's serial number", () => {
  test.each([
    ['46350', '2026-11-24', null],
    ['46350.0', '2026-11-24', null],
    ['46350.5', '2026-11-24', '2026-11-24T06:00:00.000Z'],
    ['46350.586805555555', '2026-11-24', '2026-11-24T08:05:00.000Z'],
    ['46350.999999', '2026-11-25', '2026-11-24T18:00:00.000Z'],
    ['25569', '1970-01-01', null],
  ])('%p is %s, %s', (serial, date, at) => {
    const found = dateFromSerial(serial, { timeZone: DHAKA });
    expect([found?.date, found?.at?.toISOString() ?? null]).toEqual([date, at]);
  });

  test.each(['25568', '2958466', '60', '', '-46350', '4.6E4', '46350,5', '24/11/2026'])('%p is none', (serial) => {
    expect(dateFromSerial(serial, { timeZone: DHAKA })).toBeNull();
  });
});
