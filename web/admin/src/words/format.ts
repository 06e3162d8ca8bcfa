import { BUSINESS_TIME_ZONE } from '../../../../domain/calendar.ts';
import type { Language } from '../../../language.ts';
import { countText, moneyText } from '../../../money-text.ts';
import { durationText, momentText } from '../../../time-text.ts';

/** What the API says of an amount. */
interface Amount {
  readonly amountMinor: number;
  readonly currency: string;
}

export function moneyOf({ amountMinor, currency }: Amount, language: Language): string {
  return sumOf(amountMinor.toString(), currency, language);
}

/** Returns an amount that the API states as decimal text, since sums may exceed what JSON numbers hold. */
export function sumOf(minor: string, currency: string, language: Language): string {
  const amountMinor = BigInt(minor);
  return amountMinor < 0n
    ? `−${moneyText({ amountMinor: -amountMinor, currency }, language)}`
    : moneyText({ amountMinor, currency }, language);
}

export function countOf(count: number, language: Language): string {
  return countText(BigInt(count), language);
}

/** Returns an instant in the business time zone: `21 November 2026 at 14:05 GMT+6`. */
export function instantOf(instant: string, language: Language): string {
  return momentText(new Date(instant), language, BUSINESS_TIME_ZONE);
}

/** Returns a calendar day: `21 Nov 2026`. */
export function dayOf(date: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'bn' ? 'bn-BD' : 'en-GB', {
    dateStyle: 'medium',
    timeZone: 'UTC',
  }).format(new Date(`${date}T00:00:00Z`));
}

/** Returns an instant for tables: `21 Nov 2026, 14:05`. */
export function shortInstantOf(instant: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'bn' ? 'bn-BD' : 'en-GB', {
    dateStyle: 'medium',
    timeStyle: 'short',
    hourCycle: 'h23',
    timeZone: BUSINESS_TIME_ZONE,
  }).format(new Date(instant));
}

/** Returns an instant to the second, for what happens in quick succession. */
export function exactInstantOf(instant: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'bn' ? 'bn-BD' : 'en-GB', {
    dateStyle: 'medium',
    timeStyle: 'medium',
    hourCycle: 'h23',
    timeZone: BUSINESS_TIME_ZONE,
  }).format(new Date(instant));
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** Returns how long ago an instant was, or in how long it will be: `3 hours ago`, `in 12 minutes`. */
export function ago(instant: string, nowMs: number, language: Language): string {
  const seconds = Math.round((Date.parse(instant) - nowMs) / 1_000);
  const [unit, size] = UNITS.find(([, least]) => Math.abs(seconds) >= least) ?? ['second', 1];
  return new Intl.RelativeTimeFormat(language === 'bn' ? 'bn-BD' : 'en-GB', { numeric: 'auto' }).format(
    Math.trunc(seconds / size),
    unit,
  );
}

/** Returns how long it is until an instant; null if it has passed. */
export function timeUntil(instant: string, nowMs: number, language: Language): string | null {
  const seconds = Math.floor((Date.parse(instant) - nowMs) / 1_000);
  return seconds > 0 ? durationText(seconds, language) : null;
}
