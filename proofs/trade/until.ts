import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS = 120_000;

/** Waits until something holds. */
export async function until(
  holds: () => Promise<boolean>,
  { waitMs = WAIT_MS }: { readonly waitMs?: number } = {},
): Promise<void> {
  const giveUpAt = Date.now() + waitMs;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) {
      throw new Error(`not within ${waitMs / 1_000} s: ${holds.toString()}`);
    }
    await sleep(200);
  }
}
