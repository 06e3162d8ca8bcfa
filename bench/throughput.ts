import { rmSync } from 'node:fs';
import type { ResultTable } from '../scripts/repository/results/result-file.ts';
import { makeDirectory } from './directory.ts';
import { startRig, type Measured, type Rig } from './rig.ts';
import { spreadOf, type Spread } from './statistics.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from './suite.ts';
import { buildServer, startTemporalOnPostgres } from './temporal-postgres/server.ts';
import { cpuText, spreadText } from './words.ts';

interface Plan {
  readonly levels: readonly { readonly inFlight: number; readonly count: number }[];
  readonly pairs: number;
}

const FULL: Plan = {
  levels: [
    { inFlight: 1, count: 30 },
    { inFlight: 16, count: 96 },
    { inFlight: 64, count: 160 },
  ],
  pairs: 5,
};
const QUICK: Plan = {
  levels: [
    { inFlight: 1, count: 10 },
    { inFlight: 16, count: 64 },
  ],
  pairs: 3,
};
const RATIO_GOAL = 0.8;

/** Compares payments from POST to delivered webhook with workflows that issue the same commands without product code, in turns. */
export const throughput: Suite = {
  name: 'throughput',
  what: 'payments/s from POST to delivered webhook ÷ bare workflows/s with the same commands (--profile)',
  minutes: { full: 9, quick: 2 },
  async run(options) {
    const embedded = { store: 'one SQLite file', rows: await onEmbeddedTemporal(options) };
    const onPostgres = await onTemporalOnPostgres(options);
    return findingsOf('problem' in onPostgres ? [embedded] : [embedded, onPostgres], {
      skipped: 'problem' in onPostgres ? onPostgres.problem : null,
    });
  },
};

interface Row {
  readonly inFlight: number;
  readonly pairs: number;
  readonly payments: Spread;
  readonly bare: Spread;
  readonly ratio: Spread;
  /** The same ratio without the CPU of simulators and load generator on both sides. */
  readonly ratioWithoutOutsiders: Spread;
  readonly failures: number;
  readonly firstFailure: string | null;
  readonly paymentCpuMs: Readonly<Record<string, number>>;
  readonly bareCpuMs: Readonly<Record<string, number>>;
}

interface Store {
  /** Where Temporal stores its workflows. */
  readonly store: string;
  readonly rows: readonly Row[];
}

async function onEmbeddedTemporal({ quick, say, profiles, keep }: SuiteOptions): Promise<Row[]> {
  const rig = await startRig({ say, profiles });
  keep(rig.stop);
  const rows = await measure(rig, quick ? QUICK : FULL, say);
  await rig.stop();
  return rows;
}

/** Runs on Temporal as in a deployment, if Go can build it. */
async function onTemporalOnPostgres({ quick, say, keep }: SuiteOptions): Promise<Store | { readonly problem: string }> {
  const built = await buildServer(say);
  if ('problem' in built) {
    return built;
  }
  const directory = makeDirectory();
  keep(async () => rmSync(directory, { recursive: true, force: true }));
  const temporal = await startTemporalOnPostgres(built.program, directory);
  keep(temporal.stop);
  const rig = await startRig({ say, environment: { TEMPORAL_ADDRESS: temporal.address }, servers: temporal.pids });
  keep(rig.stop);
  const rows = await measure(rig, quick ? QUICK : FULL, say);
  await rig.stop();
  return { store: 'PostgreSQL', rows };
}

/** Processes that stand for other parties' machines. */
const OUTSIDERS = ['simulators', 'load generator', 'others'];

async function measure(rig: Rig, plan: Plan, say: (line: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  await rig.run({ work: 'payment', count: 40, inFlight: 8 });
  await rig.run({ work: 'bare-payment', count: 40, inFlight: 8 });
  for (const { inFlight, count } of plan.levels) {
    const payments: Measured[] = [];
    const bare: Measured[] = [];
    for (let pair = 0; pair < plan.pairs; pair += 1) {
      payments.push(await rig.run({ work: 'payment', count, inFlight }));
      bare.push(await rig.run({ work: 'bare-payment', count, inFlight }));
      say(
        `throughput, ${inFlight} in flight, pair ${pair + 1}: ${rate(payments.at(-1))} payments/s, ${rate(bare.at(-1))} bare/s`,
      );
    }
    rows.push(rowOf({ inFlight, payments, bare }));
  }
  return rows;
}

function rowOf({ inFlight, payments, bare }: { inFlight: number; payments: Measured[]; bare: Measured[] }): Row {
  const pairsOf = (of: (round: Measured) => number) =>
    payments.map((round, index) => of(round) / of(bare[index] ?? round));
  return {
    inFlight,
    pairs: payments.length,
    payments: spreadOf(payments.map(({ perSecond }) => perSecond)),
    bare: spreadOf(bare.map(({ perSecond }) => perSecond)),
    ratio: spreadOf(pairsOf(({ perSecond }) => perSecond)),
    ratioWithoutOutsiders: spreadOf(pairsOf((round) => 1 / ownCpuMs(round))),
    failures: [...payments, ...bare].reduce((sum, { failures }) => sum + failures, 0),
    firstFailure: [...payments, ...bare].find(({ firstFailure }) => firstFailure !== null)?.firstFailure ?? null,
    paymentCpuMs: medianCpu(payments),
    bareCpuMs: medianCpu(bare),
  };
}

/** On a saturated machine, the rate is cores ÷ CPU per piece. Excluding the outsiders' CPU gives the rate with them on another machine. */
function ownCpuMs({ cpuMs }: Measured): number {
  return Object.entries(cpuMs).reduce((sum, [name, ms]) => sum + (OUTSIDERS.includes(name) ? 0 : ms), 0);
}

function medianCpu(rounds: readonly Measured[]): Record<string, number> {
  const names = Object.keys(rounds[0]?.cpuMs ?? {});
  return Object.fromEntries(names.map((name) => [name, spreadOf(rounds.map(({ cpuMs }) => cpuMs[name] ?? 0)).median]));
}

function rate(round: Measured | undefined): string {
  return round?.perSecond.toFixed(1) ?? '–';
}

function findingsOf(stores: readonly Store[], { skipped }: { skipped: string | null }): Findings {
  const judged = stores.flatMap(({ store, rows }) =>
    rows.map(({ inFlight, ratio }) => {
      const met = ratio.median >= RATIO_GOAL;
      return `${inFlight} in flight on ${store}: ${ratio.median.toFixed(2)} (${verdict({ met, goal: `≥ ${RATIO_GOAL.toFixed(2)}` })})`;
    }),
  );
  return {
    order: 20,
    title: 'Throughput over bare Temporal',
    summary: [
      'A payment from `POST /payments` until its webhook is delivered, divided by workflows with the very same Temporal commands and no product code.',
      `${judged.join('; ')}.`,
      ...(skipped === null ? [] : [`Temporal on PostgreSQL was skipped: ${skipped}.`]),
    ],
    tables: stores.flatMap(tablesOf),
    data: stores,
  };
}

function tablesOf({ store, rows }: Store): ResultTable[] {
  return [
    {
      caption: `Rates, Temporal on ${store}: median (quartiles) of ${rows[0]?.pairs ?? 0} pairs in turns`,
      columns: [
        'in flight',
        'payments/s',
        'bare workflows/s',
        'ratio',
        'ratio by CPU, without simulators and load',
        'failures',
      ],
      rows: rows.map((row) => [
        String(row.inFlight),
        spreadText(row.payments, 1),
        spreadText(row.bare, 1),
        spreadText(row.ratio, 2),
        spreadText(row.ratioWithoutOutsiders, 2),
        row.firstFailure === null ? '0' : `${row.failures}: ${row.firstFailure}`,
      ]),
    },
    {
      caption: `CPU milliseconds per piece, Temporal on ${store}`,
      columns: ['in flight', 'payment', 'bare'],
      rows: rows.map((row) => [String(row.inFlight), cpuText(row.paymentCpuMs), cpuText(row.bareCpuMs)]),
    },
  ];
}
