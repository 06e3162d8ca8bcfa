const DAY_MS = 86_400_000;
/** Dhaka is six hours ahead of UTC all year. */
const AHEAD_MS = 6 * 3_600_000;

/** Returns the date in Dhaka, as the people of a story and the judges count days. */
export function dayAt(ms: number): string {
  return new Date(ms + AHEAD_MS).toISOString().slice(0, 10);
}

/** Returns when a day begins in Dhaka. */
export function startOfDayMs(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) - AHEAD_MS;
}

export function daysLater(day: string, days: number): string {
  return dayAt(startOfDayMs(day) + days * DAY_MS);
}
