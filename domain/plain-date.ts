/** A calendar date without time or zone, such as `2026-07-01`. Dates compare as text. */
export type PlainDate = string;

const SHAPE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DAY_MS = 86_400_000;

/** Reports whether the text is a date of the Gregorian calendar from 1970 to 9999, written in full. */
export function isPlainDate(text: string): boolean {
  return SHAPE.test(text) && text >= '1970-01-01' && formatted(utcOf(text)) === text;
}

export function addDays(date: PlainDate, days: number): PlainDate {
  return formatted(utcOf(date) + days * DAY_MS);
}

/** Returns the same day of a later month, or its last day if that month is shorter: 31 January plus one month is 28 or 29 February. */
export function addMonths(date: PlainDate, months: number): PlainDate {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  const first = Date.UTC(year, month - 1 + months, 1);
  const lastDay = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  return formatted(first + (Math.min(day, lastDay) - 1) * DAY_MS);
}

function utcOf(date: PlainDate): number {
  const [, year, month, day] = SHAPE.exec(date) ?? [];
  return Date.UTC(Number(year), Number(month) - 1, Number(day));
}

function formatted(ms: number): PlainDate {
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString().slice(0, 10);
}
