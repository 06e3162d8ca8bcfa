import type { CheckoutState } from './view.ts';

// How old the waiting is → how long until the page looks again. After the last row it no longer looks by itself.
const schedule = [
  { underAgeSeconds: 20, everySeconds: 3 },
  { underAgeSeconds: 60, everySeconds: 5 },
  { underAgeSeconds: 300, everySeconds: 15 },
  { underAgeSeconds: 3_600, everySeconds: 60 },
  { underAgeSeconds: 86_400, everySeconds: 300 },
] as const;
const longestSeconds = 3_600;

/**
 * Seconds until the page should look again, or null when it should not. It needs no counter in the URL: the time
 * since the waiting began decides, so a page left open over night costs a few hundred requests, not thousands.
 */
export function refreshAfterSeconds(state: CheckoutState, now: Date): number | null {
  switch (state.kind) {
    case 'opening':
    case 'confirming':
    case 'review': {
      const ageSeconds = (now.getTime() - state.since.getTime()) / 1000;
      return schedule.find(({ underAgeSeconds }) => ageSeconds < underAgeSeconds)?.everySeconds ?? null;
    }
    case 'open':
      // Just after the deadline there is something new to show; sooner where a payment may still come to light.
      return Math.min(secondsLeft(state.expiresAt, now) + 3, state.returnedUnpaid ? 60 : longestSeconds);
    default:
      return null;
  }
}

/** Whole seconds until a deadline, never negative. */
export function secondsLeft(deadline: Date, now: Date): number {
  return Math.max(0, Math.floor((deadline.getTime() - now.getTime()) / 1000));
}
