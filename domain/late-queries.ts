/** Minutes from closing an attempt to the first query after it, and between later queries. In total 5 minutes, 1 hour and 24 hours after closing. */
const PAUSES_MINUTES = [5, 55, 23 * 60] as const;

/** A session may still accept a charge in its last moment. */
const AFTER_SESSION_END_MS = 60_000;

/**
 * Minutes until the first late query about a page that stayed open when its payment ended, at a gateway without notifications. The session may be
 * over by then, but the gateway may not have been queried since.
 */
export const [FIRST_LATE_QUERY_MINUTES] = PAUSES_MINUTES;

/** Whether money can arrive without the gateway notifying Lenden. */
export interface Silence {
  /** Whether the gateway notifies our server of every charge. */
  readonly notifies: boolean;
  /** For how many minutes after it is opened a session can be paid; null if the gateway does not document it. */
  readonly sessionLifeMinutes: number | null;
}

/**
 * Returns when to query the gateway again about an attempt that was closed as unpaid. A payer who pays after that and closes the browser would
 * otherwise go unnoticed. Returns null if no further query is due, or if the gateway notifies of every charge.
 * @param queries how many were made already
 */
export function nextLateQuery(
  { notifies, sessionLifeMinutes }: Silence,
  { openedAt, queries, now }: { readonly openedAt: Date; readonly queries: number; readonly now: Date },
): Date | null {
  const pauseMinutes = PAUSES_MINUTES[queries];
  if (notifies || pauseMinutes === undefined) {
    return null;
  }
  const usualMs = now.getTime() + pauseMinutes * 60_000;
  if (sessionLifeMinutes === null) {
    return new Date(usualMs);
  }
  const lastMs = openedAt.getTime() + sessionLifeMinutes * 60_000 + AFTER_SESSION_END_MS;
  return lastMs <= now.getTime() ? null : new Date(Math.min(usualMs, lastMs));
}
