import { isPlainDate, type PlainDate } from '../plain-date.ts';
import { asciiDigits, plainSpaces } from './digits.ts';
import { instantIn } from './zoned-time.ts';

export const DATE_ORDERS = ['day-first', 'month-first', 'year-first'] as const;
export type DateOrder = (typeof DATE_ORDERS)[number];

/** A date, and the instant if the text states a time of day. */
export interface ReadDate {
  readonly date: PlainDate;
  readonly at: Date | null;
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const MONTHS_IN_FULL = 'january february march april may june july august september october november december'.split(
  ' ',
);

const TIME =
  /(?:^|[ t,])(\d{1,2}):(\d{2})(?::(\d{2})(?:[.]\d{1,9})?)?(?: ?([ap])[.]?m[.]?)?(?: ?(z|utc|gmt|[+-]\d{2}:?\d{2}))?$/;
const COMPACT = /^(\d{4})(\d{2})(\d{2})$/;
const SEPARATED = /^(\w+)([-/. ])(\w+)\2(\w+)$/;
const MINUTE_MS = 60_000;
const DATES_KNOWN_MAX = 10_000;
const DAY_MS = 86_400_000;
/** By order and text. A file has few days. */
const dates = new Map<string, PlainDate | null>();

/**
 * Reads a date, or a date with a time of day, in the stated order. Takes Bangla digits, English names of months, years of two digits (20yy), clocks of 12 and
 * 24 hours, and a zone at the end, which counts more than `timeZone`. Returns null if the text is no date, or one that the calendar does not have.
 */
export function dateFromText(
  text: string,
  { order, timeZone }: { order: DateOrder; timeZone: string },
): ReadDate | null {
  const plain = asciiDigits(plainSpaces(text)).toLowerCase();
  const time = TIME.exec(plain);
  const dateText = time === null ? plain : plain.slice(0, time.index).replace(/,$/, '').trim();
  const date = plainDateOf(dateText, order);
  if (date === null) {
    return null;
  }
  if (time === null) {
    return { date, at: null };
  }
  const timeOfDayMs = timeOfDay(time);
  const at = timeOfDayMs === null ? null : instantOf({ date, timeOfDayMs, zone: time[5], timeZone });
  return at === null ? null : { date, at };
}

function plainDateOf(text: string, order: DateOrder): PlainDate | null {
  const key = `${order} ${text}`;
  let date = dates.get(key);
  if (date === undefined) {
    if (dates.size >= DATES_KNOWN_MAX) {
      dates.clear();
    }
    date = readDate(text, order);
    dates.set(key, date);
  }
  return date;
}

function readDate(text: string, order: DateOrder): PlainDate | null {
  const compact = order === 'year-first' ? COMPACT.exec(text) : null;
  if (compact !== null) {
    return checked(compact[1], compact[2], compact[3]);
  }
  const parts = SEPARATED.exec(text.replaceAll(/, ?/g, ' '));
  if (parts === null) {
    return null;
  }
  const [first = '', second = '', third = ''] = [parts[1], parts[3], parts[4]];
  if (/^[a-z]/.test(first)) {
    return checked(third, monthOf(first), second);
  }
  if (/^[a-z]/.test(second)) {
    return order === 'year-first' ? checked(first, monthOf(second), third) : checked(third, monthOf(second), first);
  }
  return numeric([first, second, third], order);
}

function numeric([first, second, third]: readonly [string, string, string], order: DateOrder): PlainDate | null {
  switch (order) {
    case 'day-first':
      return checked(third, second, first);
    case 'month-first':
      return checked(third, first, second);
    case 'year-first':
      return checked(first, second, third);
  }
}

function monthOf(name: string): string {
  const short = name === 'sept' ? 'sep' : name;
  const index = Math.max(MONTHS.indexOf(short), MONTHS_IN_FULL.indexOf(short));
  return index === -1 ? '' : String(index + 1);
}

function checked(year = '', month = '', day = ''): PlainDate | null {
  if (!/^(?:\d{2}|\d{4})$/.test(year) || !/^\d{1,2}$/.test(month) || !/^\d{1,2}$/.test(day)) {
    return null;
  }
  const date = `${year.length === 2 ? `20${year}` : year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  return isPlainDate(date) ? date : null;
}

function timeOfDay(time: RegExpExecArray): number | null {
  const half = time[4];
  const hour = Number(time[1]);
  const minute = Number(time[2]);
  const second = Number(time[3] ?? '0');
  const impossible = half === undefined ? hour > 23 : hour < 1 || hour > 12;
  if (impossible || minute > 59 || second > 59) {
    return null;
  }
  const ofDay = half === undefined ? hour : (hour % 12) + (half === 'p' ? 12 : 0);
  return ((ofDay * 60 + minute) * 60 + second) * 1000;
}

function instantOf(told: {
  date: PlainDate;
  timeOfDayMs: number;
  zone: string | undefined;
  timeZone: string;
}): Date | null {
  const { date, timeOfDayMs, zone, timeZone } = told;
  if (zone === undefined) {
    return instantIn(timeZone, date, timeOfDayMs);
  }
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? [];
  const offset = (Number(hours ?? '0') * 60 + Number(minutes ?? '0')) * MINUTE_MS;
  if (offset > 14 * 60 * MINUTE_MS) {
    return null;
  }
  return new Date(Date.parse(`${date}T00:00:00Z`) + timeOfDayMs + (sign === '-' ? offset : -offset));
}

/** Days from spreadsheets' day 0 (1899-12-30, for every date after February 1900) to 1970-01-01. */
const DAYS_TO_EPOCH = 25_569;
const SERIAL = /^(\d{5,7})(?:[.](\d{1,20}))?$/;

/**
 * Reads a spreadsheet's date: days since 1899-12-30 as decimal text, with the time of day as decimals, rounded to the second. Returns null for text
 * that is none, or a date outside 1970 to 9999.
 */
export function dateFromSerial(serial: string, { timeZone }: { timeZone: string }): ReadDate | null {
  const match = SERIAL.exec(serial.trim());
  const days = Number(match?.[1] ?? '-1') - DAYS_TO_EPOCH;
  if (match === null || days < 0 || days > 2_932_896) {
    return null;
  }
  const seconds = secondsOfDay(match[2] ?? '');
  const date = new Date(days * DAY_MS + Math.floor(seconds / 86_400) * DAY_MS).toISOString().slice(0, 10);
  if (seconds === 0) {
    return isPlainDate(date) ? { date, at: null } : null;
  }
  const at = instantIn(timeZone, date, (seconds % 86_400) * 1000);
  return at === null || !isPlainDate(date) ? null : { date, at };
}

function secondsOfDay(decimals: string): number {
  const millionths = BigInt(decimals.slice(0, 12).padEnd(12, '0'));
  return Number((millionths * 86_400n + 500_000_000_000n) / 1_000_000_000_000n);
}
