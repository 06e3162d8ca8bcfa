import { Worker } from 'node:worker_threads';
import type { SeedOrder, StoryKind } from './seed-worker.ts';
import type { SeedResult } from './seed.ts';

/** A story of payouts takes seconds, so that a thread takes one at a time. */
const SEEDS_AT_ONCE: Readonly<Record<StoryKind, number>> = { payments: 20, payouts: 1 };

export interface RunOptions {
  readonly seeds: Iterator<number>;
  readonly threads: number;
  readonly kind?: StoryKind;
  readonly trace?: boolean;
  /** Of payouts: each seed is played once for each. */
  readonly damages?: readonly string[];
  /** Called for every seed as it ends; false stops the run. */
  readonly onResult: (result: SeedResult) => boolean;
}

/** Plays seeds in separate threads, each with the stand-in for Temporal's SDK and its own clock. */
export async function runSeeds(options: RunOptions): Promise<void> {
  const { seeds, threads, kind = 'payments', trace = false, damages = [null], onResult } = options;
  let stopped = false;
  const next = (): number[] => (stopped ? [] : takeFrom(seeds, SEEDS_AT_ONCE[kind]));
  const note = (results: readonly SeedResult[]): void => {
    for (const result of results) {
      stopped ||= !onResult(result);
    }
  };
  await Promise.all(Array.from({ length: threads }, () => keepBusy({ next, order: { kind, trace, damages }, note })));
}

function takeFrom(seeds: Iterator<number>, most: number): number[] {
  const batch: number[] = [];
  while (batch.length < most) {
    const { value, done } = seeds.next();
    if (done === true) {
      break;
    }
    batch.push(value);
  }
  return batch;
}

function keepBusy({
  next,
  order: ordered,
  note,
}: {
  next: () => number[];
  order: Omit<SeedOrder, 'seeds'>;
  note: (results: readonly SeedResult[]) => void;
}): Promise<void> {
  const worker = new Worker(new URL('./seed-worker.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    const order = (): void => {
      const batch = next();
      if (batch.length === 0) {
        worker.terminate().then(() => resolve(), reject);
        return;
      }
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ ...ordered, seeds: batch } satisfies SeedOrder);
    };
    worker.on('message', (results: SeedResult[]) => {
      note(results);
      order();
    });
    worker.once('error', reject);
    order();
  });
}

/** Returns the seeds `first`, `first + 1` and so on, `count` of them. */
export function* seedsFrom(first: number, count: number): Generator<number, void> {
  for (let seed = first; seed < first + count; seed += 1) {
    yield seed;
  }
}
