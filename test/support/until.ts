/**
 * Limits a hang; it does not measure speed, because machines are shared. Shorter than a test's own timeout, so that its
 * message is reported.
 */
export const PATIENCE_MS = 120_000;
const FIRST_PAUSE_MS = 10;
const PAUSE_GROWS_BY = 1.3;
const PAUSE_MAX_MS = 250;

/**
 * Calls `look` repeatedly, quickly at first and then four times a second, until it returns a result, and returns that.
 * @param look false, null and undefined mean "not yet"
 * @throws Error with the text of `look`, after two minutes
 */
export async function until<Found>(
  look: () => Found | Promise<Found>,
): Promise<Exclude<Found, false | null | undefined>> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * PAUSE_GROWS_BY, PAUSE_MAX_MS)) {
    const found = await look();
    if (found !== false && found !== null && found !== undefined) {
      return found as Exclude<Found, false | null | undefined>;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${PATIENCE_MS / 1_000} seconds: ${look.toString()}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, pauseMs);
    });
  }
}
