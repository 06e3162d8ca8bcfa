import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS = 2_500;
const LOOK_MS = 50;

/** Reads until the condition holds, for at most 2.5 seconds, and returns the last value read. */
export async function settled<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const stopAtMs = performance.now() + WAIT_MS;
  for (;;) {
    const value = await read();
    if (holds(value) || performance.now() >= stopAtMs) {
      return value;
    }
    await sleep(LOOK_MS);
  }
}
