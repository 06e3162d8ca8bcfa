/** Replaces `node:timers/promises` in the simulation. It waits with the thread's own `setTimeout`, which is the world's. */
export function setTimeout(ms: number): Promise<void> {
  return new Promise((resolve) => {
    globalThis.setTimeout(resolve, ms);
  });
}
