import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 10;
const AGAIN_MS = 200;

/** What the driver itself asks of its helpers: a connection that was kept open to a process which has died since is no answer. */
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
