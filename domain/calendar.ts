import { addDays, type PlainDate } from './plain-date.ts';

/** The calendar of a time zone: which day it is, and when a day begins. */
export interface Calendar {
  /** The IANA name of the time zone. */
  readonly timeZone: string;
  today(at: Date): PlainDate;
  /** Returns the first instant of a day. */
  startOf(date: PlainDate): Date;
  /** Returns the time at which emails are sent on a day: nine o'clock. */
  morningOf(date: PlainDate): Date;
}

/** The time zone of due dates: payers of SSLCOMMERZ, bKash and Nagad go by Dhaka time. */
export const BUSINESS_TIME_ZONE = 'Asia/Dhaka';

/**
 * Returns the calendar of a time zone.
 *
 * @param timeZone - an IANA name, such as `Asia/Dhaka`
 * @throws RangeError for an unknown name
 */
export function calendarIn(timeZone: string): Calendar {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const today = (at: Date): PlainDate => format.format(at);
  const known = new Map<PlainDate, number>();
  const startOf = (date: PlainDate): Date =>
    new Date(known.get(date) ?? remember(known, date, firstInstant(today, date)));
  return { timeZone, today, startOf, morningOf: (date) => new Date(startOf(date).getTime() + MORNING_MS) };
}

/** Finds the first minute of a day by binary search. Zones are at most 14 hours from UTC and change by whole minutes, so both bounds are safe. */
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

/** Caches the result: a schedule asks for the same days each time it is evaluated. */
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
