import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { z } from 'zod';
import { findFreePort } from '../../scripts/shared/ports.ts';
import { memoryBytesOf } from '../machine.ts';
import { startRig, type Measured, type Rig } from '../rig.ts';
import { quantile, spreadOf, type Spread } from '../statistics.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from '../suite.ts';
import { cpuText, spreadText } from '../words.ts';

const DIRECTORY = fileURLToPath(new URL('./dbos/', import.meta.url));
const PROGRAM = new URL('./dbos/program.mjs', import.meta.url);
const CPU_GOAL = 2.6;
const RATE_GOAL = 0.45;

/** Measures the cost of Temporal, tenants and the rest against a minimal durable program that takes the same payment. */
export const rival: Suite = {
  name: 'rival',
  what: 'the same payment on DBOS, Koa and Postgres: payments/s, CPU per payment, p50 and memory as ratios',
  minutes: { full: 3, quick: 1 },
  run: runRival,
};

const LEVELS = [1, 16];

interface Turn {
  readonly ours: Measured;
  readonly dbos: Measured;
}

interface Level {
  readonly inFlight: number;
  readonly turns: readonly Turn[];
}

type Memory = Readonly<Record<string, number>>;

async function runRival({ quick, say, keep }: SuiteOptions): Promise<Findings> {
  const problem = await install(say);
  if (problem !== null) {
    return skipped(problem);
  }
  const rig = await startRig({ say });
  keep(rig.stop);
  const dbos = await startDbos(rig);
  const levels: Level[] = [];
  await rig.run({ work: 'payment', count: 40, inFlight: 8 });
  await dbos.run({ work: 'payment', count: 40, inFlight: 8 });
  for (const inFlight of LEVELS) {
    const turns: Turn[] = [];
    for (let pair = 0; pair < (quick ? 3 : 5); pair += 1) {
      const count = (inFlight === 1 ? 20 : 96) / (quick ? 2 : 1);
      const ours = await judged(rig, () => rig.run({ work: 'payment', count, inFlight }));
      const theirs = await judged(rig, () => dbos.run({ work: 'payment', count: 4 * count, inFlight }));
      turns.push({ ours, dbos: theirs });
      say(`rival, ${inFlight} in flight: ${ours.perSecond.toFixed(1)} payments/s, DBOS ${theirs.perSecond.toFixed(1)}`);
    }
    levels.push({ inFlight, turns });
  }
  const { launcher: _launcher, simulators: _simulators, ...processes } = rig.dev.processes;
  const memory = Object.fromEntries(
    Object.entries({ ...processes, dbos: dbos.pid }).map(([name, pid]) => [name, memoryBytesOf(pid)]),
  );
  await rig.stop();
  return findingsOf(levels, memory);
}

/** Installs the rival's own packages, which the product does not need. Returns the reason if they cannot be installed. */
async function install(say: (line: string) => void): Promise<string | null> {
  if (existsSync(new URL('./dbos/node_modules', import.meta.url))) {
    return null;
  }
  say('rival: installing its packages');
  try {
    await promisify(execFile)('npm', ['ci'], { cwd: DIRECTORY });
    return null;
  } catch (error) {
    return `its packages could not be installed (${error instanceof Error ? error.message.slice(0, 200) : String(error)})`;
  }
}

async function startDbos(rig: Rig) {
  const own = new URL(rig.dev.databaseUrl);
  own.pathname = '/rival';
  const client = new pg.Client({ connectionString: rig.dev.databaseUrl });
  await client.connect();
  await client.query('create database rival');
  await client.end();
  const system = new URL(own);
  system.pathname = '/rival_dbos';
  const port = await findFreePort([]);
  const url = `http://127.0.0.1:${port}`;
  return rig.addOpponent({
    name: 'dbos',
    program: PROGRAM,
    settingsOf: (given) => ({
      ...given,
      api: url,
      url,
      port,
      databaseUrl: own.href,
      systemDatabaseUrl: system.href,
      simulators: rig.dev.simulators,
      storeId: 'lenden_test',
      storePassword: 'lenden_test@ssl',
      signingSecret: 'a secret of the bench',
    }),
  });
}

const Charges = z.union([z.array(z.unknown()), z.object({ charges: z.array(z.unknown()) })]);

/** Checks both sides against the gateway's own log and the shop's webhook endpoint: each payment is charged once and notified once. */
async function judged(rig: Rig, run: () => Promise<Measured>): Promise<Measured> {
  const before = await chargesOf(rig);
  const measured = await run();
  const charged = (await chargesOf(rig)) - before;
  const done = measured.latenciesMs.length;
  if (measured.failures > 0 || charged !== done || measured.repeatedWebhooks > 0) {
    throw new Error(
      `${done} payments done, ${measured.failures} failed (${measured.firstFailure}), ${charged} charged, ${measured.repeatedWebhooks} webhooks came twice`,
    );
  }
  return measured;
}

async function chargesOf(rig: Rig): Promise<number> {
  const answer = Charges.parse(await (await fetch(`${rig.dev.simulators}/__sim/charges`)).json());
  return 'charges' in answer ? answer.charges.length : answer.length;
}

/** Processes that belong to neither side. */
const OUTSIDERS: ReadonlySet<string> = new Set(['simulators', 'load generator', 'bare worker', 'others']);

function ownCpuMs({ cpuMs }: Measured): number {
  return Object.entries(cpuMs).reduce((sum, [name, ms]) => sum + (OUTSIDERS.has(name) ? 0 : ms), 0);
}

function findingsOf(levels: readonly Level[], memory: Memory): Findings {
  const rows = levels.map(({ inFlight, turns }) => {
    const ratio = (of: (measured: Measured) => number): Spread =>
      spreadOf(turns.map(({ ours, dbos }) => of(ours) / of(dbos)));
    const spread = (side: keyof Turn, of: (measured: Measured) => number): Spread =>
      spreadOf(turns.map((turn) => of(turn[side])));
    const p50 = ({ latenciesMs }: Measured): number => quantile(latenciesMs, 0.5);
    return {
      inFlight,
      rate: { ours: spread('ours', rateOf), dbos: spread('dbos', rateOf), ratio: ratio(rateOf) },
      cpu: { ours: spread('ours', ownCpuMs), dbos: spread('dbos', ownCpuMs), ratio: ratio(ownCpuMs) },
      p50: { ours: spread('ours', p50), dbos: spread('dbos', p50), ratio: ratio(p50) },
    };
  });
  const mib = (name: string): number => (memory[name] ?? 0) / 2 ** 20;
  const ours = mib('api') + mib('worker') + mib('temporal');
  const busiest = rows.at(-1);
  const cpuRatio = busiest?.cpu.ratio.median ?? Number.NaN;
  const rateRatio = busiest?.rate.ratio.median ?? Number.NaN;
  const last = levels.at(-1)?.turns.at(-1);
  return {
    order: 80,
    title: 'The same payment on DBOS',
    summary: [
      'A program of two hundred lines on DBOS, Koa and Postgres (`bench/rivals/dbos`) takes the same steps against the same gateway simulator on the same Postgres server, judged by the gateway’s charge log and the shop’s webhooks: each payment charged once and told once on both sides. It has no tenants, row-level security, sweeper, sealing, pages or retries over days.',
      `At ${busiest?.inFlight ?? 0} in flight: payments/s ${rateRatio.toFixed(2)} of DBOS’s (${verdict({ met: rateRatio >= RATE_GOAL, goal: `≥ ${RATE_GOAL}` })}), CPU per payment ${cpuRatio.toFixed(1)} times as much (${verdict({ met: cpuRatio <= CPU_GOAL, goal: `≤ ${CPU_GOAL}` })}), p50 ${busiest?.p50.ratio.median.toFixed(1)} times as long, memory without Postgres ${(ours / mib('dbos')).toFixed(1)} times as much (${ours.toFixed(0)} MiB: api ${mib('api').toFixed(0)}, worker ${mib('worker').toFixed(0)}, Temporal ${mib('temporal').toFixed(0)}; DBOS ${mib('dbos').toFixed(0)}). A losing comparison in rate; what the difference buys is a history of every payment that a person can open, timers and retries over days that are seen, workers that are versioned and replaced while payments run, and a replay test against recorded histories.`,
    ],
    tables: [
      {
        caption: `Ours, DBOS, ours ÷ DBOS: medians (quartiles) of ${levels[0]?.turns.length ?? 0} pairs in turns`,
        columns: [
          'in flight',
          'payments/s',
          'DBOS',
          'ratio',
          'CPU ms per payment',
          'DBOS',
          'ratio',
          'p50 ms',
          'DBOS',
          'ratio',
        ],
        rows: rows.map(({ inFlight, rate, cpu, p50 }) => [
          String(inFlight),
          ...[rate, cpu, p50].flatMap((figure) => [
            spreadText(figure.ours, 1),
            spreadText(figure.dbos, 1),
            spreadText(figure.ratio, 2),
          ]),
        ]),
      },
      {
        caption: `CPU milliseconds per payment by process, ${busiest?.inFlight ?? 0} in flight, last turn`,
        columns: ['ours', 'DBOS'],
        rows: last === undefined ? [] : [[cpuText(last.ours.cpuMs), cpuText(last.dbos.cpuMs)]],
      },
    ],
    data: { rows, memory },
  };
}

function rateOf({ perSecond }: Measured): number {
  return perSecond;
}

function skipped(problem: string): Findings {
  return { order: 80, title: 'The same payment on DBOS', summary: [`Skipped: ${problem}.`], tables: [], data: null };
}
