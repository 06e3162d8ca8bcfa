import { addDays, type PlainDate } from './plain-date.ts';

/** Which day it is for those who bill and pay, and when a day begins. */
export interface Calendar {
  today(at: Date): PlainDate;
  /** The first instant of a day. */
  startOf(date: PlainDate): Date;
  /** When letters are written on a day: nine o'clock. */
  morningOf(date: PlainDate): Date;
}

/** Due dates are days of this zone: the payers of SSLCOMMERZ, bKash and Nagad live by Dhaka's clock. */
export const BUSINESS_TIME_ZONE = 'Asia/Dhaka';

/**
 * The calendar of a time zone.
 *
 * @param timeZone - an IANA name, such as `Asia/Dhaka`
 * @throws RangeError for a name that is none
 */
export function calendarIn(timeZone: string): Calendar {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const today = (at: Date): PlainDate => format.format(at);
  const known = new Map<PlainDate, number>();
  const startOf = (date: PlainDate): Date =>
    new Date(known.get(date) ?? remember(known, date, firstInstant(today, date)));
  return { today, startOf, morningOf: (date) => new Date(startOf(date).getTime() + MORNING_MS) };
}

/** Zones lie within 14 hours of UTC and change by whole minutes: a search between two sure sides finds the very minute. */
function firstInstant(today: Calendar['today'], date: PlainDate): number {
  let before = Date.parse(`${addDays(date, -1)}T00:00:00Z`) / MINUTE_MS;
  let from = Date.parse(`${addDays(date, 1)}T00:00:00Z`) / MINUTE_MS;
  while (from - before > 1) {
    const middle = Math.floor((before + from) / 2);
    if (today(new Date(middle * MINUTE_MS)) < date) {
      before = middle;
    } else {
      from = middle;
    }
  }
  return from * MINUTE_MS;
}

/** A schedule asks for the same days again whenever it is looked at. */
function remember(known: Map<PlainDate, number>, date: PlainDate, ms: number): number {
  if (known.size >= DAYS_KNOWN_MAX) {
    known.clear();
  }
  known.set(date, ms);
  return ms;
}

const DAYS_KNOWN_MAX = 10_000;
const MINUTE_MS = 60_000;
const MORNING_MS = 9 * 60 * MINUTE_MS;
