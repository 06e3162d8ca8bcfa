/** What `node:timers/promises` is in the simulation: it waits by the thread's own `setTimeout`, which is the world's. */
export function setTimeout(ms: number): Promise<void> {
  return new Promise((resolve) => {
    globalThis.setTimeout(resolve, ms);
  });
}
