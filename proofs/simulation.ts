import { parseArgs } from 'node:util';
import { EXPECTED_BRANCHES } from './simulation/branches.ts';
import { PAYOUT_BRANCHES } from './simulation/payouts/branches.ts';
import { PINNED_PAYOUT_SEEDS } from './simulation/payouts/pinned-seeds.ts';
import { payoutResultOf } from './simulation/payouts/result.ts';
import { PINNED_SEEDS } from './simulation/pinned-seeds.ts';
import { runSeeds, seedsFrom } from './simulation/run.ts';
import type { StoryKind } from './simulation/seed-worker.ts';
import type { SeedResult } from './simulation/seed.ts';
import { Totals } from './simulation/totals.ts';
import { describeMachine, writeResult, type ResultFile } from '../scripts/repository/results/result-file.ts';

const USAGE = `npm run test:sim -- [--payouts] [--seeds N] [--first S] [--seed S] [--threads T] [--failures N] [--unpinned] [--record]
  --payouts    play stories of payouts, which take seconds each
  --seeds N    play N seeds (10000, of payouts 100)
  --first S    the first of them (1)
  --seed S     play one seed alone and print its story
  --failures N stop after so many failed seeds (20)
  --unpinned   without the seeds that failed once
  --record     keep the result for docs/proofs.md`;

interface Stories {
  readonly seeds: number;
  readonly seedsBetweenNotes: number;
  /** With fewer seeds, a run may miss a branch by chance. */
  readonly seedsForAllBranches: number;
  readonly branches: readonly string[];
  readonly pinned: ReadonlyMap<number, unknown>;
}

const STORIES: Readonly<Record<StoryKind, Stories>> = {
  payments: {
    seeds: 10_000,
    seedsBetweenNotes: 1_000,
    seedsForAllBranches: 10_000,
    branches: EXPECTED_BRANCHES,
    pinned: PINNED_SEEDS,
  },
  payouts: {
    seeds: 100,
    seedsBetweenNotes: 50,
    seedsForAllBranches: 400,
    branches: PAYOUT_BRANCHES,
    pinned: PINNED_PAYOUT_SEEDS,
  },
};

const { values } = parseArgs({
  options: {
    payouts: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    threads: { type: 'string', default: '2' },
    failures: { type: 'string', default: '20' },
    unpinned: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const kind: StoryKind = values.payouts ? 'payouts' : 'payments';
const stories = STORIES[kind];

process.exitCode = values.help
  ? usage()
  : values.seed === undefined
    ? await playAll()
    : await playOne(whole(values.seed));

function usage(): number {
  console.log(USAGE);
  return 0;
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new RangeError(`not a whole number: ${text}`);
  }
  return number;
}

/** Plays one seed with a trace. It produces the same story on every machine, down to the millisecond. */
async function playOne(seed: number): Promise<number> {
  let failed = false;
  await runSeeds({
    kind,
    seeds: seedsFrom(seed, 1),
    threads: 1,
    trace: true,
    onResult: (result) => {
      console.log(result.trace.join('\n'));
      failed = say(result);
      return true;
    },
  });
  console.log(failed ? `seed ${seed} violates what it must keep` : `seed ${seed} keeps everything`);
  return failed ? 1 : 0;
}

async function playAll(): Promise<number> {
  const count = whole(values.seeds ?? String(stories.seeds));
  const first = whole(values.first);
  const failuresMax = whole(values.failures);
  const startedMs = performance.now();
  const totals = new Totals();
  console.log(`Playing ${count} seeds from ${first} in ${values.threads} threads …`);
  await runSeeds({
    kind,
    seeds: [...(values.unpinned ? [] : stories.pinned.keys()), ...seedsFrom(first, count)][Symbol.iterator](),
    threads: whole(values.threads),
    onResult: (result) => {
      totals.add(result);
      say(result);
      if (totals.seeds % stories.seedsBetweenNotes === 0) {
        console.log(`  ${totals.seeds} seeds, ${totals.failedSeeds.length} failed`);
      }
      return totals.failedSeeds.length < failuresMax;
    },
  });
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  const missed = totals.seeds >= stories.seedsForAllBranches ? totals.missedBranches(stories.branches) : [];
  for (const branch of missed) {
    console.log(`MISSED no story came through "${branch}"`);
  }
  console.log(
    `${totals.seeds} seeds in ${seconds} s: ${totals.failedSeeds.length} failed, ${stories.branches.length - missed.length} of ${stories.branches.length} branches reached`,
  );
  const result = (kind === 'payouts' ? payoutResultOf : resultOf)(totals, { first, seconds, missed });
  console.log(writeResult(result, { record: values.record }));
  return totals.failedSeeds.length === 0 && missed.length === 0 ? 0 : 1;
}

/** Prints one line for each violation. Returns whether there was one. */
function say({ seed, violations }: SeedResult): boolean {
  for (const { judge, what } of violations) {
    console.log(`VIOLATION ${judge} seed=${seed} ${what}`);
  }
  return violations.length > 0;
}

function resultOf(
  totals: Totals,
  { first, seconds, missed }: { first: number; seconds: number; missed: readonly string[] },
): ResultFile {
  const years = (totals.fakeMs / (365.25 * 86_400_000)).toFixed(1);
  return {
    name: 'simulation',
    page: 'proofs',
    order: 20,
    title: 'Simulation: the product in one thread, on a fake clock',
    command: `npm run test:sim -- --seeds ${totals.seeds} --first ${first}`,
    at: new Date().toISOString(),
    machine: describeMachine(),
    summary: [
      `${totals.seeds} seeds, ${years} years of fake time in ${seconds} s, ${totals.failedSeeds.length} with a violation. ` +
        'Each seed decides payers, forgers, receivers, apps that bill, apps and operators who give money back, faults and every interleaving; ' +
        "`--seed S` tells one seed's story again. What runs is the product's own code – workflows, activities, the callback, payment, refund " +
        "and invoice endpoints, the payable page, the operators' surface with their sessions, dispatch, sweeper, the gateway's adapter, all SQL – over " +
        'a stand-in for Temporal (with its task time-outs, retries and replays), one for Postgres (transactions, row locks, ' +
        'constraints from the migrations) and a gateway, receivers and operators with logs of their own, by which the judges go.',
      `${EXPECTED_BRANCHES.length - missed.length} of ${EXPECTED_BRANCHES.length} branches that a run must come through were reached. Not simulated: ` +
        'logins, row-level security, the ledger’s sealing, real sockets; tests and the fault harness have them.',
    ],
    tables: [
      {
        caption: 'How often the stories came through each branch',
        columns: ['branch', 'times'],
        rows: EXPECTED_BRANCHES.map((branch) => [branch, String(totals.of(branch))]),
      },
    ],
    data: {
      first,
      seeds: totals.seeds,
      seconds,
      failedSeeds: totals.failedSeeds,
      branches: Object.fromEntries([...totals.branches].sort(([a], [b]) => a.localeCompare(b))),
    },
  };
}
