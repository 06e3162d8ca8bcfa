import { parentPort } from 'node:worker_threads';
import type { SeedResult } from './seed.ts';

/** Which stories are told: of payments, refunds and invoices, or of payouts. */
export type StoryKind = 'payments' | 'payouts';

export interface SeedOrder {
  readonly kind: StoryKind;
  readonly seeds: readonly number[];
  readonly trace: boolean;
  /** SQL that breaks what the judges of payouts look at. Each seed is played once for each. */
  readonly damages: readonly (string | null)[];
}

// Imported only here, because the product's workflows must import the stand-in, and everything must see the replaced clock.
await import('./temporal/hooks.ts');
const { replaceGlobals } = await import('./fake-globals.ts');
const { runSeed } = await import('./seed.ts');
const { runPayoutSeed } = await import('./payouts/seed.ts');
replaceGlobals();

parentPort?.on('message', (order: SeedOrder) => {
  // Most errors here are part of a story, and formatting their stacks takes a tenth of the time.
  Error.stackTraceLimit = order.trace ? 10 : 0;
  play(order).catch((error: unknown) => {
    throw error;
  });
});

async function play({ kind, seeds, trace, damages }: SeedOrder): Promise<void> {
  const results: SeedResult[] = [];
  for (const seed of seeds) {
    if (kind === 'payments') {
      results.push(await runSeed(seed, { trace }));
    } else {
      results.push(...(await runPayoutSeed(seed, { trace, damages })));
    }
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(results);
}
