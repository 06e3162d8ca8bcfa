import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { migrate } from '../../database/migrate.ts';
import { WORKER_FLAGS } from '../../scripts/shared/worker-flags.ts';
import { startCountingPostgres } from '../counting-postgres.ts';
import { makeDirectory } from '../directory.ts';
import { startRig } from '../rig.ts';
import { quantile } from '../statistics.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from '../suite.ts';
import { measureBesidePayments, type Beside } from './beside-payments.ts';
import type { Imported, ImportOrder, Uploaded } from './order.ts';

interface Plan {
  /** Payments without and with an import, in turns. */
  readonly blocks: number;
  readonly payments: number;
}

const FULL: Plan = { blocks: 12, payments: 60 };
const QUICK: Plan = { blocks: 2, payments: 30 };
const PAYMENTS_PER_SECOND = 5;
const P99_GOAL = 1.25;
const LINES = 1_000_000;
const QUICK_LINES = 50_000;
const SECONDS_GOAL = 120;
const RESIDENT_GOAL_BYTES = 300_000_000;

/** Measures the upload and the import of a payout file, each by a process of its own, time and memory; and how slow an import makes payments on the same worker. */
export const payouts: Suite = {
  name: 'payouts',
  what: `a payout file of ${LINES.toLocaleString('en')} lines: time and memory of its import; p99 of payments beside an import ÷ without`,
  minutes: { full: 9, quick: 2 },
  run: runPayouts,
};

async function runPayouts({ quick, say, keep }: SuiteOptions): Promise<Findings> {
  const lines = quick ? QUICK_LINES : LINES;
  const directory = makeDirectory();
  keep(async () => rmSync(directory, { recursive: true, force: true }));
  const postgres = await startCountingPostgres({ directory });
  keep(() => postgres.child.stop());
  await migrate(postgres.url);
  const { url: databaseUrl } = postgres;
  const uploaded = await inProcess<Uploaded>([], { databaseUrl, upload: { lines } });
  const [loadBefore = 0] = loadavg();
  const { reference } = uploaded;
  const imported = await inProcess<Imported>(WORKER_FLAGS, { databaseUrl, import: { reference } });
  if (imported.linesAdded !== lines) {
    throw new Error(`of ${lines} lines ${imported.linesAdded} were added`);
  }
  say(
    `payouts: ${lines} lines in ${seconds(imported.ms)} s, ${megabytes(imported.maxResidentBytes)} MB; upload ${seconds(uploaded.ms)} s, ${megabytes(uploaded.maxResidentBytes)} MB`,
  );
  await postgres.child.stop();
  const rig = await startRig({ say });
  keep(rig.stop);
  const plan = quick ? QUICK : FULL;
  const beside = await measureBesidePayments(rig, { ...plan, perSecond: PAYMENTS_PER_SECOND });
  await rig.stop();
  say(`payouts: p99 of payments beside an import ÷ without ${p99Ratio(beside).toFixed(2)}`);
  return findingsOf({ uploaded, imported, beside, loadBefore });
}

/** Runs the upload or the import in a process of its own, with Node's flags of the program that does it in production. */
async function inProcess<Outcome extends Uploaded | Imported>(
  flags: readonly string[],
  order: ImportOrder,
): Promise<Outcome> {
  const program = fileURLToPath(new URL('./import-process.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program, JSON.stringify(order)]);
  return JSON.parse(stdout) as Outcome;
}

/** Over all payments, because a block is too short for its own p99. */
function p99Ratio({ during, without }: Beside): number {
  return quantile(during.flat(), 0.99) / quantile(without.flat(), 0.99);
}

interface Measured {
  readonly uploaded: Uploaded;
  readonly imported: Imported;
  readonly beside: Beside;
  /** Load of the machine when the import began. */
  readonly loadBefore: number;
}

function findingsOf({ uploaded, imported, beside, loadBefore }: Measured): Findings {
  const { ms: importMs, maxResidentBytes, linesAdded } = imported;
  const time = verdict({ met: importMs <= SECONDS_GOAL * 1_000, goal: `≤ ${SECONDS_GOAL} s` });
  const memory = verdict({
    met: maxResidentBytes <= RESIDENT_GOAL_BYTES,
    goal: `≤ ${megabytes(RESIDENT_GOAL_BYTES)} MB`,
  });
  const ratio = p99Ratio(beside);
  const slowed = verdict({ met: ratio <= P99_GOAL, goal: `≤ ${P99_GOAL}` });
  return {
    order: 85,
    title: 'Payout files',
    summary: [
      `A process with the worker's flags imports a CSV, with fsync on: ${linesAdded.toLocaleString('en')} lines in ${seconds(importMs)} s (${time}), at most ${megabytes(maxResidentBytes)} MB resident (${memory}). Nobody pays meanwhile, so it does not rest. The load of the machine beside it was ${loadBefore.toFixed(1)} before.`,
      `While people pay, an import rests for three quarters of the time: the p99 of a payment, from \`POST /payments\` until its webhook, beside an import ÷ without was ${ratio.toFixed(2)} (${slowed}), at ${beside.perSecond} payments a second, in turns on one worker. The import stored ${beside.linesPerSecond.toFixed(0)} lines a second.`,
    ],
    tables: [
      {
        caption: 'A CSV of payout lines',
        columns: ['lines', 'upload, s', 'its memory, MB', 'import, s', 'lines a second', 'its memory, MB'],
        rows: [
          [
            linesAdded.toLocaleString('en'),
            seconds(uploaded.ms),
            megabytes(uploaded.maxResidentBytes),
            seconds(importMs),
            ((linesAdded / importMs) * 1_000).toFixed(0),
            megabytes(maxResidentBytes),
          ],
        ],
      },
      {
        caption: `Payments beside an import, ${beside.perSecond} a second: from POST to webhook, ms`,
        columns: ['', 'payments', 'p50', 'p99'],
        rows: [
          ['without an import', ...percentilesOf(beside.without)],
          ['beside an import', ...percentilesOf(beside.during)],
        ],
      },
    ],
    data: { uploaded, imported, beside, loadBefore },
  };
}

function percentilesOf(blocks: Beside['without']): string[] {
  const all = blocks.flat();
  return [String(all.length), quantile(all, 0.5).toFixed(0), quantile(all, 0.99).toFixed(0)];
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(0);
}
