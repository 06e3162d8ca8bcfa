import { type Calendar, calendarIn } from '../calendar.ts';
import type { PlainDate } from '../plain-date.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const DAYS_KNOWN_MAX = 10_000;
const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, Offsets>();
const calendars = new Map<string, Calendar>();

/** Reports whether the runtime knows a time zone by this IANA name. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * Returns the instant at which clocks of a time zone show a date and a time. Of an hour that clocks show twice it is the first one. Returns null for
 * a time that they skip.
 *
 * @param timeOfDayMs - from 0 to 86,399,999
 */
export function instantIn(timeZone: string, date: PlainDate, timeOfDayMs: number): Date | null {
  const wall = Date.parse(`${date}T00:00:00Z`) + timeOfDayMs;
  const { before, after } = offsetsAround(timeZone, date);
  if (before === after) {
    return new Date(wall - before);
  }
  const instants = [before, after].map((offset) => wall - offset);
  const shown = instants.filter((instant) => instant + offsetMs(timeZone, instant) === wall);
  return shown.length === 0 ? null : new Date(Math.min(...shown));
}

interface Offsets {
  readonly before: number;
  readonly after: number;
}

/** Returns the offsets in force a day before a date and a day after it. Clocks do not change twice in so short a time. A file has few days. */
function offsetsAround(timeZone: string, date: PlainDate): Offsets {
  const key = `${timeZone} ${date}`;
  const known = offsets.get(key);
  if (known !== undefined) {
    return known;
  }
  if (offsets.size >= DAYS_KNOWN_MAX) {
    offsets.clear();
  }
  const midnight = Date.parse(`${date}T00:00:00Z`);
  const found = { before: offsetMs(timeZone, midnight - DAY_MS), after: offsetMs(timeZone, midnight + 2 * DAY_MS) };
  offsets.set(key, found);
  return found;
}

/** Returns the first instant of a day in a time zone. */
export function startOfDay(timeZone: string, date: PlainDate): Date {
  const calendar = calendars.get(timeZone) ?? calendarIn(timeZone);
  calendars.set(timeZone, calendar);
  return calendar.startOf(date);
}

/** What to add to UTC to get the zone's clocks. */
function offsetMs(timeZone: string, instant: number): number {
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(instant)) {
    part[type] = value;
  }
  const shown = Date.parse(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:00Z`);
  return shown - Math.floor(instant / MINUTE_MS) * MINUTE_MS;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) {
    return known;
  }
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  formats.set(timeZone, format);
  return format;
}
