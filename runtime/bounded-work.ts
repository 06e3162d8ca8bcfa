/** Work with limits on how much runs at once and how much waits. The rest is rejected at once. */
export interface BoundedWork {
  /** @throws TooMuchWaiting when the waiting limit is reached */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** The error for work beyond the waiting limit. */
export class TooMuchWaiting extends Error {
  override readonly name = 'TooMuchWaiting';
}

/**
 * Returns a queue for work.
 *
 * @param atOnce - pieces of work that run at the same time
 * @param waiting - pieces that wait for one of these to end, first come first served
 */
export function createBoundedWork({
  atOnce,
  waiting,
}: {
  readonly atOnce: number;
  readonly waiting: number;
}): BoundedWork {
  const queue: (() => void)[] = [];
  let running = 0;
  const next = (): void => {
    const begin = queue.shift();
    // The next in the queue takes over the free slot.
    if (begin === undefined) {
      running -= 1;
    } else {
      begin();
    }
  };
  return {
    async run(work) {
      if (running < atOnce) {
        running += 1;
      } else if (queue.length >= waiting) {
        throw new TooMuchWaiting('too much work is waiting');
      } else {
        await new Promise<void>((resolve) => queue.push(resolve));
      }
      try {
        return await work();
      } finally {
        next();
      }
    },
  };
}
