import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatch } from '../dispatch.ts';

const LOOK_MS = 50;

/** Reads until the condition holds, for as long as workflows usually need, so that the operator sees its result. Returns the last value read. */
export async function awaitOutcome<T>(
  { outcomeWaitMs }: Pick<Dispatch, 'outcomeWaitMs'>,
  read: () => Promise<T>,
  holds: (value: T) => boolean,
): Promise<T> {
  const stopAtMs = performance.now() + outcomeWaitMs;
  for (;;) {
    const value = await read();
    if (holds(value) || performance.now() >= stopAtMs) {
      return value;
    }
    await sleep(LOOK_MS);
  }
}
