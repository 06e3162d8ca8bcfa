import { randomUUID } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { cpuSecondsOf, memoryBytesOf } from '../machine.ts';
import { startMeasuredStack, type MeasuredStack } from '../measured-stack.ts';
import { registerShop, type Shop } from '../shop.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from '../suite.ts';
import { buildBundle } from '../workflow-bundle.ts';

const PROCESSES = ['api', 'worker', 'temporal', 'postgres'] as const;
type Process = (typeof PROCESSES)[number];

const WORKER_GOAL = 1.15;
const IDLE_GOAL_PERCENT = 3;
const OUR_BYTES_GOAL = 6_000;
const TEMPORAL_BYTES_GOAL = 25_000;
/** More clients would only lengthen the queue: these already keep two cores busy. */
const CLIENTS = 16;
const WEEK_MINUTES = 10_080;

/** Measures the cost of payments that only wait. */
export const memory: Suite = {
  name: 'memory',
  what: 'memory and idle CPU with 10,000 open payments ÷ with 1,000; bytes of an open payment in both databases',
  minutes: { full: 6, quick: 3 },
  run: runMemory,
};

interface Stage {
  readonly open: number;
  readonly bytes: Readonly<Record<Process, number>>;
  /** Percentage of one core while no requests arrive. */
  readonly idlePercent: Readonly<Record<Process, number>>;
  readonly ourBytes: number;
  readonly temporalBytes: number;
}

async function runMemory({ quick, say, keep }: SuiteOptions): Promise<Findings> {
  const bundle = await buildBundle();
  keep(bundle.remove);
  const stack = await startMeasuredStack({ environment: { LENDEN_WORKFLOW_BUNDLE: bundle.path }, say });
  keep(stack.stop);
  const shop = await registerShop({
    databaseUrl: stack.dev.databaseUrl,
    directory: stack.directory,
    webhookUrl: null,
    expiryMinutes: WEEK_MINUTES,
  });
  const sizes = quick ? [200, 2_000] : [1_000, 10_000];
  const stages: Stage[] = [];
  let open = 0;
  for (const size of sizes) {
    const startedMs = performance.now();
    await openPayments(stack, { shop, count: size - open });
    open = size;
    say(`memory: ${open} payments are open, the last ones at ${rate(stages, size, startedMs)}/s`);
    stages.push(await measureStage(stack, { open, idleMs: quick ? 30_000 : 60_000 }));
  }
  const [small, large] = stages;
  if (small === undefined || large === undefined) {
    throw new Error('there are two stages');
  }
  return findingsOf(small, large);
}

function rate(stages: readonly Stage[], size: number, startedMs: number): string {
  const seconds = (performance.now() - startedMs) / 1_000;
  return ((size - (stages.at(-1)?.open ?? 0)) / seconds).toFixed(1);
}

/** Opens payments through the API, as an application does. Each waits at the gateway's page for a week. */
async function openPayments(stack: MeasuredStack, { shop, count }: { shop: Shop; count: number }): Promise<void> {
  const agent = new Agent({ connections: CLIENTS });
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { statusCode, body } = await request(`${stack.dev.api}/payments`, {
        dispatcher: agent,
        method: 'POST',
        headers: {
          'x-api-key': shop.apiKey,
          'x-api-secret': shop.apiSecret,
          'content-type': 'application/json',
          'idempotency-key': randomUUID(),
        },
        body: JSON.stringify({
          amountMinor: 10_000,
          currency: 'BDT',
          customerReference: 'bench',
          productName: 'Bench',
        }),
      });
      const text = await body.text();
      if (statusCode !== 201) {
        throw new Error(`POST /payments answered ${statusCode}: ${text.slice(0, 200)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  await agent.close();
}

const SETTLE_MS = 15_000;

async function measureStage(stack: MeasuredStack, { open, idleMs }: { open: number; idleMs: number }): Promise<Stage> {
  await sleep(SETTLE_MS);
  const pids: Readonly<Record<string, number>> = { ...stack.dev.processes, postgres: stack.postgresPid };
  const cpu = (): Record<Process, number> => byProcess((name) => cpuSecondsOf(pids[name] ?? 0));
  const before = cpu();
  const startedMs = performance.now();
  await sleep(idleMs);
  const after = cpu();
  const seconds = (performance.now() - startedMs) / 1_000;
  return {
    open,
    bytes: byProcess((name) => memoryBytesOf(pids[name] ?? 0)),
    idlePercent: byProcess((name) => ((after[name] - before[name]) * 100) / seconds),
    ourBytes: await databaseBytes(stack),
    temporalBytes: temporalBytes(stack),
  };
}

function byProcess(of: (name: Process) => number): Record<Process, number> {
  return { api: of('api'), worker: of('worker'), temporal: of('temporal'), postgres: of('postgres') };
}

async function databaseBytes({ database }: MeasuredStack): Promise<number> {
  const { rows } = await database.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
  return Number(rows[0]?.bytes);
}

function temporalBytes({ directory }: MeasuredStack): number {
  const folder = join(directory, 'temporal');
  return readdirSync(folder)
    .filter((name) => name.startsWith('temporal.db'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function findingsOf(small: Stage, large: Stage): Findings {
  const workerRatio = large.bytes.worker / small.bytes.worker;
  const added = large.open - small.open;
  const ourBytes = (large.ourBytes - small.ourBytes) / added;
  const temporalBytesEach = (large.temporalBytes - small.temporalBytes) / added;
  const idle = large.idlePercent.api + large.idlePercent.worker;
  const kilo = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`;
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  return {
    order: 70,
    title: 'Payments that wait',
    summary: [
      `With ${large.open.toLocaleString('en')} open payments over ${small.open.toLocaleString('en')}: worker ${workerRatio.toFixed(2)} times the memory (${verdict({ met: workerRatio <= WORKER_GOAL, goal: `≤ ${WORKER_GOAL}` })}), api ${(large.bytes.api / small.bytes.api).toFixed(2)} times. Idle, api and worker use ${idle.toFixed(1)} % of one core (${verdict({ met: idle < IDLE_GOAL_PERCENT, goal: `< ${IDLE_GOAL_PERCENT} %` })}), sweeper and sealing included. An open payment takes ${kilo(ourBytes)} of our database (${verdict({ met: ourBytes <= OUR_BYTES_GOAL, goal: '≤ 6 kB' })}) and ${kilo(temporalBytesEach)} of Temporal’s file (${verdict({ met: temporalBytesEach <= TEMPORAL_BYTES_GOAL, goal: '≤ 25 kB' })}).`,
      'Every payment is opened through the API. Memory divides shared pages among those that share them. The workflow bundle is built ahead, as in production.',
    ],
    tables: [
      {
        caption: 'Memory and idle CPU',
        columns: [
          'process',
          `MiB with ${small.open}`,
          `MiB with ${large.open}`,
          'ratio',
          `idle % of a core with ${small.open}`,
          `with ${large.open}`,
        ],
        rows: PROCESSES.map((name) => [
          name,
          mib(small.bytes[name]),
          mib(large.bytes[name]),
          (large.bytes[name] / small.bytes[name]).toFixed(2),
          small.idlePercent[name].toFixed(1),
          large.idlePercent[name].toFixed(1),
        ]),
      },
    ],
    data: { small, large },
  };
}
