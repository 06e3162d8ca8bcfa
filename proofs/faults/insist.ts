import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 10;
const AGAIN_MS = 200;

/** Repeats a call of the driver to its own helpers, because a kept-alive connection may lead to a process that has died. */
export async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (tries >= TRIES) {
        throw error;
      }
      await sleep(AGAIN_MS);
    }
  }
}
