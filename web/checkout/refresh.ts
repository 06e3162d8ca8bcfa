import { waitingRefreshSeconds } from '../frame/refresh.ts';
import type { CheckoutState } from './view.ts';

const longestSeconds = 3_600;

/** Returns the seconds until the page should refresh, or null if it should not. */
export function refreshAfterSeconds(state: CheckoutState, now: Date): number | null {
  switch (state.kind) {
    case 'opening':
    case 'confirming':
    case 'review':
      return waitingRefreshSeconds({ since: state.since, now });
    case 'succeeded':
      return state.searchingSince instanceof Date ? waitingRefreshSeconds({ since: state.searchingSince, now }) : null;
    // Without script a refresh discards what is being typed, so it happens rarely.
    case 'submitted':
      return 300;
    case 'manual':
    case 'choosing':
      return Math.min(secondsLeft(state.expiresAt, now) + 3, longestSeconds);
    case 'open':
      // The state changes just after the deadline. Refresh sooner if a payment may still be found.
      return Math.min(secondsLeft(state.expiresAt, now) + 3, state.returnedUnpaid ? 60 : longestSeconds);
    default:
      return null;
  }
}

/** Returns whole seconds until a deadline, never negative. */
export function secondsLeft(deadline: Date, now: Date): number {
  return Math.max(0, Math.floor((deadline.getTime() - now.getTime()) / 1000));
}
