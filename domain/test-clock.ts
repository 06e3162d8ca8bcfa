/** The workflows whose time moves with the test clock of a row. */
export type ClockedWorkflow = 'payment' | 'unappliedPayment' | 'refund' | 'invoice' | 'webhook';

/** What a test clock can be moved to: the object's expiry, its next delivery attempt, or the same time a month later. */
export const CLOCK_TARGETS = ['expiry', 'next-attempt', 'month'] as const;
export type ClockTarget = (typeof CLOCK_TARGETS)[number];

/** A test clock goes forward only, by a number of seconds or to a target. */
export type ClockMove = number | ClockTarget;

/** How far a test clock may be ahead. */
export const CLOCK_AHEAD_MAX_SECONDS = 366 * 86_400;

/** Returns the same time in the next month, or the end of that month if it has no such day. */
export function monthAfter(time: Date): Date {
  const after = new Date(time);
  after.setUTCMonth(time.getUTCMonth() + 1);
  if (after.getUTCDate() !== time.getUTCDate()) {
    after.setUTCDate(0);
  }
  return after;
}
