import { waitingRefreshSeconds } from '../frame/refresh.ts';
import type { CheckoutState } from './view.ts';

const longestSeconds = 3_600;

/** Seconds until the page should look again, or null when it should not. */
export function refreshAfterSeconds(state: CheckoutState, now: Date): number | null {
  switch (state.kind) {
    case 'opening':
    case 'confirming':
    case 'review':
      return waitingRefreshSeconds({ since: state.since, now });
    case 'succeeded':
      return state.searchingSince instanceof Date ? waitingRefreshSeconds({ since: state.searchingSince, now }) : null;
    // Without script a refresh takes away what is being written, so it comes seldom.
    case 'submitted':
      return 300;
    case 'manual':
    case 'choosing':
      return Math.min(secondsLeft(state.expiresAt, now) + 3, longestSeconds);
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
