import { BUSINESS_TIME_ZONE, calendarIn } from '../../../../domain/calendar.ts';
import { addDays, isPlainDate } from '../../../../domain/plain-date.ts';

const calendar = calendarIn(BUSINESS_TIME_ZONE);

/** Returns today's date in the business time zone. */
export function today(): string {
  return calendar.today(new Date());
}

/** Returns the first instant of a day in the business time zone. The API by itself reads a date as a day of UTC. */
export function dayStart(date: string): string {
  return isPlainDate(date) ? calendar.startOf(date).toISOString() : date;
}

/** Returns the last millisecond of a day in the business time zone. */
export function dayEnd(date: string): string {
  return isPlainDate(date) ? new Date(calendar.startOf(addDays(date, 1)).getTime() - 1).toISOString() : date;
}
