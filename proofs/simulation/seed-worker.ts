import { parentPort } from 'node:worker_threads';
import type { SeedResult } from './seed.ts';

export interface SeedOrder {
  readonly seeds: readonly number[];
  readonly trace: boolean;
}

// Imported only here, because the product's workflows must import the stand-in, and everything must see the replaced clock.
await import('./temporal/hooks.ts');
const { replaceGlobals } = await import('./fake-globals.ts');
const { runSeed } = await import('./seed.ts');
replaceGlobals();

parentPort?.on('message', ({ seeds, trace }: SeedOrder) => {
  // Most errors here are part of a story, and formatting their stacks takes a tenth of the time.
  Error.stackTraceLimit = trace ? 10 : 0;
  play(seeds, trace).catch((error: unknown) => {
    throw error;
  });
});

async function play(seeds: readonly number[], trace: boolean): Promise<void> {
  const results: SeedResult[] = [];
  for (const seed of seeds) {
    results.push(await runSeed(seed, { trace }));
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(results);
}
