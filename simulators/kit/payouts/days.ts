/* A day is text like `2026-11-24`, so days compare as text. */

const dayMs = 86_400_000;

export type Opening = {
  /** Days of the week without payouts: 0 is Sunday. */
  closedWeekdays: readonly number[];
  holidays: readonly string[];
};

export function isDay(text: unknown): text is string {
  return typeof text === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(text) && addDays(text, 0) === text;
}

/** Returns the day that clocks show which are so many minutes ahead of UTC. */
export function dayAt(atMs: number, offsetMinutes: number): string {
  return new Date(atMs + offsetMinutes * 60_000).toISOString().slice(0, 10);
}

export function addDays(day: string, days: number): string {
  const ms = Date.parse(`${day}T00:00:00Z`) + days * dayMs;
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString().slice(0, 10);
}

export function isOpen(day: string, { closedWeekdays, holidays }: Opening): boolean {
  return !closedWeekdays.includes(new Date(`${day}T00:00:00Z`).getUTCDay()) && !holidays.includes(day);
}

const searchedMax = 400;

/** Returns the day that is so many open days later; for 0 the day itself, or the next open one. */
export function openDayAfter(day: string, count: number, opening: Opening): string {
  let left = count;
  let at = day;
  for (let searched = 0; searched < searchedMax; searched += 1) {
    if (isOpen(at, opening) && left <= 0) {
      return at;
    }
    at = addDays(at, 1);
    left -= isOpen(at, opening) ? 1 : 0;
  }
  throw new RangeError('The gateway never pays out: every day is closed');
}
