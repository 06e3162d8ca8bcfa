/** Minutes from the closing of an attempt to the first question after it, and from each question to the next one: 5 min, 1 h, 24 h after. */
const PAUSES_MINUTES = [5, 55, 23 * 60] as const;

/** A session may still take a charge at its very end. */
const AFTER_SESSION_END_MS = 60_000;

/**
 * How long after that a silent gateway is first asked about a page that stayed open when its payment ended otherwise. Its session may be over by then; but
 * nobody need have asked since.
 */
export const [FIRST_LATE_QUERY_MINUTES] = PAUSES_MINUTES;

/** What decides whether money can come of which nobody tells us. */
export interface Silence {
  /** The gateway tells our server of a charge without being asked. */
  readonly notifies: boolean;
  /** How long after its opening a session can be paid; null where nobody says. */
  readonly sessionLifeMinutes: number | null;
}

/**
 * When a gateway is asked once more about an attempt that was closed since nobody had paid: who pays after that, and closes his browser, is heard
 * of in no other way. Null when no question is due any more, or none ever, since the gateway tells of every charge.
 * @param asked how many of these questions were asked already
 */
export function nextLateQuery(
  { notifies, sessionLifeMinutes }: Silence,
  { openedAt, asked, now }: { readonly openedAt: Date; readonly asked: number; readonly now: Date },
): Date | null {
  const pauseMinutes = PAUSES_MINUTES[asked];
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
