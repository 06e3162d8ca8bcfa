import type { PlainDate } from '../domain/plain-date.ts';
import type { Language } from './language.ts';

const locales = { en: 'en-GB', bn: 'bn-BD' } as const satisfies Record<Language, string>;

/** The largest unit of which there are at least two is used, so that "119 minutes" is not rounded to one hour. */
const units = [
  { unit: 'day', seconds: 86_400 },
  { unit: 'hour', seconds: 3_600 },
  { unit: 'minute', seconds: 60 },
] as const;

/** Returns the time left, rounded down: `12 minutes`, `১২ মিনিট`. The page's script continues in the same format. */
export function durationText(durationSeconds: number, language: Language): string {
  const found = units.find(({ seconds }) => durationSeconds >= 2 * seconds);
  const count = Math.floor(durationSeconds / (found?.seconds ?? 1));
  return new Intl.NumberFormat(locales[language], {
    style: 'unit',
    unit: found?.unit ?? 'second',
    unitDisplay: 'long',
  }).format(count);
}

/** Returns a moment with date, time and zone: `21 November 2026 at 14:05 GMT+6`. */
export function momentText(moment: Date, language: Language, timeZone: string): string {
  return new Intl.DateTimeFormat(locales[language], {
    ...clock,
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone,
  }).format(moment);
}

/** Returns a deadline; only the time if it is today. */
export function deadlineText(moment: Date, now: Date, language: Language, timeZone: string): string {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  if (day.format(moment) !== day.format(now)) {
    return momentText(moment, language, timeZone);
  }
  return new Intl.DateTimeFormat(locales[language], { ...clock, timeZone }).format(moment);
}

/** Returns a date: `21 November 2026`, `২১ নভেম্বর, ২০২৬`. */
export function dateText(date: PlainDate, language: Language): string {
  return new Intl.DateTimeFormat(locales[language], {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(new Date(`${date}T00:00:00Z`));
}

/** Returns the day of a moment in the format of `dateText`. */
export function calendarDayText(moment: Date, language: Language, timeZone: string): string {
  return dateText(new Intl.DateTimeFormat('sv-SE', { timeZone }).format(moment), language);
}

const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'shortOffset' } as const;
