/** Work of which only so much is done at once and only so much waits: the rest is refused at once, before it piles up. */
export interface BoundedWork {
  /** @throws TooMuchWaiting when as much waits as may */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** As much as may wait is waiting. */
export class TooMuchWaiting extends Error {
  override readonly name = 'TooMuchWaiting';
}

/**
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
    // Who waited takes over the place of who has ended.
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
        throw new TooMuchWaiting('too much is waiting');
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
