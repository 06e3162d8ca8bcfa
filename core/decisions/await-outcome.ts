import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS = 2_500;
const LOOK_MS = 50;

/**
 * Reads until the condition holds, for at most 2.5 seconds, and returns the last value read. Workflows usually act on a decision within that time, so
 * that the operator sees its result.
 */
export async function awaitOutcome<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const stopAtMs = performance.now() + WAIT_MS;
  for (;;) {
    const value = await read();
    if (holds(value) || performance.now() >= stopAtMs) {
      return value;
    }
    await sleep(LOOK_MS);
  }
}
