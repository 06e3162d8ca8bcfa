import '../scripts/shared/lifeline.ts';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ALL_DIALS, RESTORE } from './faults/dials.ts';
import { keepFailure, keepFaultLog } from './faults/failure-folder.ts';
import { judge } from './faults/judges.ts';
import { CYCLE_ROUNDS, type RoundName } from './faults/plan.ts';
import { playRound, type RoundResult } from './faults/round.ts';
import { freshSeed, openRun, type OpenRun } from './faults/run.ts';
import { openTally, resultOf, tablesOf } from './faults/tally.ts';
import { commit } from '../scripts/repository/results/commit.ts';
import { writeResult } from '../scripts/repository/results/result-file.ts';

const USAGE = `npm run test:faults -- [--rounds N] [--seed S] [--round K] [--only-dial NAME] [--pinned] [--record]

Takes payments on a whole stack of its own while its processes are killed, its links cut and its gateway lies, then proves from outside that no
money was lost, doubled or invented. The same seed gives the same plans. --round K plays one round alone; --pinned plays those that once failed.
Exit 0 only if every invariant held in every round, and every dial and every judge had something to do.`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '8' },
    seed: { type: 'string' },
    round: { type: 'string' },
    'only-dial': { type: 'string' },
    pinned: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const PINNED = new URL('../test/faults/pinned-seeds.json', import.meta.url);
const Pinned = z.array(z.object({ seed: z.string(), round: z.int(), what: z.string() }));

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => (stopping = true));
}

if (values.help) {
  console.log(USAGE);
} else {
  process.exitCode = await main().catch((error: unknown) => {
    console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 2;
  });
}

async function main(): Promise<number> {
  const begun = Date.now();
  const seed = values.seed === undefined ? freshSeed() : BigInt(values.seed);
  const names = roundNames(seed);
  console.log(`seed ${seed}, commit ${commit()}, ${names.length} ${names.length === 1 ? 'round' : 'rounds'}`);
  if (names.length === 0) {
    console.log('Nothing is pinned.');
    return 0;
  }
  const tally = openTally();
  const open = await openRun();
  try {
    console.log(`the stack is up after ${Math.round((Date.now() - begun) / 1_000)} s`);
    for (const name of names) {
      if (stopping) {
        break;
      }
      report(open, name, tally.add(await playRound(open.run, name)));
    }
  } finally {
    await open.close();
  }
  const summary = tally.summary({ everyDial: coversEverything(names) && !stopping });
  for (const line of tablesOf(summary)) {
    console.log(line);
  }
  if (names.length > 1) {
    const command = `npm run test:faults -- --rounds ${values.rounds} --seed ${seed}`;
    writeResult(resultOf(summary, { seed: seed.toString(), command, commit: commit() }), { record: values.record });
  }
  return summary.failed || stopping ? 1 : 0;
}

function report({ run }: OpenRun, { round, onlyDial }: RoundName, result: RoundResult): void {
  keepFaultLog(result);
  const verdicts = judge(result.evidence);
  const violations = [...verdicts].flatMap(([name, { violations: found }]) =>
    found.map((words) => `VIOLATION ${name} round ${round}: ${words}`),
  );
  violations.forEach((line) => console.log(line));
  const faults = result.plan.faults.map((fault) =>
    fault.kind === 'link' ? `${fault.link} ${fault.toxic}` : fault.dial,
  );
  if (result.plan.restore !== null) {
    faults.push(RESTORE);
  }
  const seconds = (result.tookMs / 1_000).toFixed(1);
  console.log(`round ${round}: ${seconds} s, ${violations.length === 0 ? 'holds' : 'FAILED'}; ${faults.join(', ')}`);
  // Keeps the evidence of a single round even if it holds, because the developer ran it to examine it.
  if (violations.length > 0 || values.round !== undefined) {
    const folder = keepFailure(result, { violations, logDirectory: join(run.cluster.directory, 'logs') });
    console.log(
      `  kept in ${folder}; again: npm run test:faults -- --seed ${result.plan.seed} --round ${round}${onlyDial === undefined ? '' : ` --only-dial ${onlyDial}`}`,
    );
  }
}

function roundNames(seed: bigint): RoundName[] {
  const onlyDial = values['only-dial'];
  if (onlyDial !== undefined && !ALL_DIALS.includes(onlyDial)) {
    throw new Error(`--only-dial is one of: ${ALL_DIALS.join(', ')}`);
  }
  if (values.pinned) {
    const pinned = Pinned.parse(JSON.parse(readFileSync(PINNED, 'utf8')));
    return pinned.map((one) => ({ seed: BigInt(one.seed), round: one.round }));
  }
  if (values.round !== undefined) {
    return [{ seed, round: wholeNumber('round', values.round), onlyDial }];
  }
  const rounds = wholeNumber('rounds', values.rounds);
  const names = Array.from({ length: rounds }, (_, round) => ({ seed, round, onlyDial }));
  // The restore has its own round after the others, because it undoes so much.
  return onlyDial === undefined && rounds >= CYCLE_ROUNDS
    ? [...names, { seed, round: rounds, onlyDial: RESTORE }]
    : names;
}

/** Returns whether the rounds include a whole cycle, because only that uses every dial. */
function coversEverything(names: readonly RoundName[]): boolean {
  return !values.pinned && values['only-dial'] === undefined && names.length >= CYCLE_ROUNDS;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 1_000_000) {
    throw new Error(`--${name} is a whole number, not "${text}"`);
  }
  return value;
}
