import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { findFreePort } from '../../scripts/shared/ports.ts';
import { forgetStatements, isBracket, readStatements, untilQuiet, walPosition } from '../counts/statements.ts';
import { cpuSecondsOf } from '../machine.ts';
import { startMeasuredStack, type MeasuredStack } from '../measured-stack.ts';
import { endProgram, startProgram } from '../program.ts';
import { RoundResult, type LoadSettings, type Round } from '../protocol.ts';
import { registerShop } from '../shop.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from '../suite.ts';
import { buildBundle } from '../workflow-bundle.ts';
import { watchContention, type Contention } from './contention.ts';
import { startApi, startWorker } from './replicas.ts';

const IN_FLIGHT = 16;
const STATEMENTS_GOAL = 1.05;

/** Runs more workers and apis over one Temporal and one Postgres. On one machine this shows contention, not speed. */
export const scale: Suite = {
  name: 'scale',
  what: '1, 2 and 4 workers and apis over one Temporal and one Postgres: locks waited for, statements and payments/s',
  minutes: { full: 5, quick: 2 },
  run: runScale,
};

interface Stage {
  readonly processes: number;
  readonly payments: number;
  readonly perSecond: number;
  readonly failures: number;
  readonly firstFailure: string | null;
  readonly repeatedWebhooks: number;
  /** Ledger transactions without a payment of their own, or a second one of a payment. */
  readonly postedTwice: number;
  readonly deadlocks: number;
  readonly statements: number;
  readonly walBytes: number;
  readonly contention: Contention;
  /** Milliseconds of CPU per payment: all apis, all workers, Temporal, Postgres. */
  readonly cpuMs: Readonly<Record<'api' | 'worker' | 'temporal' | 'postgres', number>>;
}

interface Crowd {
  readonly loads: ChildProcess[];
  readonly pids: { readonly api: number[]; readonly worker: number[] };
}

async function runScale({ quick, say, keep }: SuiteOptions): Promise<Findings> {
  const bundle = await buildBundle();
  keep(bundle.remove);
  const stack = await startMeasuredStack({ environment: { LENDEN_WORKFLOW_BUNDLE: bundle.path }, say });
  keep(stack.stop);
  const crowd: Crowd = {
    loads: [await startLoad(stack, { number: 1, api: stack.dev.api, keep })],
    pids: { api: [stack.dev.processes['api'] ?? 0], worker: [stack.dev.processes['worker'] ?? 0] },
  };
  const stages: Stage[] = [];
  for (const processes of quick ? [1, 2] : [1, 2, 4]) {
    while (crowd.loads.length < processes) {
      await grow(stack, crowd, keep);
    }
    await takePayments(crowd, quick ? 32 : 64);
    stages.push(await measureStage(stack, crowd, quick ? 96 : 320));
    say(`scale: ${processes} of each, ${stages.at(-1)?.perSecond.toFixed(1)} payments/s`);
  }
  return findingsOf(stages);
}

async function grow(stack: MeasuredStack, { loads, pids }: Crowd, keep: SuiteOptions['keep']): Promise<void> {
  const number = loads.length + 1;
  const worker = await startWorker(stack, number);
  keep(worker.stop);
  const api = await startApi(stack, number);
  keep(api.child.stop);
  pids.worker.push(worker.identity.pid);
  pids.api.push(api.child.identity.pid);
  loads.push(await startLoad(stack, { number, api: api.url, keep }));
}

/** Each api has a shop of its own, whose payments it takes. */
async function startLoad(
  stack: MeasuredStack,
  { number, api, keep }: { number: number; api: string; keep: SuiteOptions['keep'] },
): Promise<ChildProcess> {
  const { dev, directory } = stack;
  const webhookPort = await findFreePort([]);
  const { apiKey, apiSecret } = await registerShop({
    databaseUrl: dev.databaseUrl,
    directory,
    webhookUrl: `http://127.0.0.1:${webhookPort}/`,
    name: `Shop ${number}`,
  });
  const settings: LoadSettings = {
    temporalAddress: dev.temporal.address,
    namespace: dev.temporal.namespace,
    donePort: await findFreePort([]),
    webhookPort,
    readUrl: api,
    simulators: dev.simulators,
    api,
    apiKey,
    apiSecret,
  };
  const load = await startProgram(new URL('../load.ts', import.meta.url), settings);
  keep(() => endProgram(load));
  return load;
}

/** Takes payments through all apis at once. The number in flight is the same however many there are. */
async function takePayments({ loads }: Crowd, payments: number): Promise<RoundResult[]> {
  const round: Round = { work: 'payment', count: payments / loads.length, inFlight: IN_FLIGHT / loads.length };
  return Promise.all(
    loads.map(async (load) => {
      const answer = once(load, 'message');
      load.send(round);
      const [message] = await answer;
      return RoundResult.parse(message);
    }),
  );
}

async function measureStage(stack: MeasuredStack, crowd: Crowd, payments: number): Promise<Stage> {
  const { database, dev, postgresPid } = stack;
  await untilQuiet(database);
  await forgetStatements(database);
  const cpu = () => ({
    api: sumOf(crowd.pids.api),
    worker: sumOf(crowd.pids.worker),
    temporal: cpuSecondsOf(dev.processes['temporal'] ?? 0),
    postgres: cpuSecondsOf(postgresPid),
  });
  const [before, wal, deadlocks, startedMs] = [
    cpu(),
    await walPosition(database),
    await deadlocksIn(stack),
    performance.now(),
  ];
  const { result: results, seen } = await watchContention(database, () => takePayments(crowd, payments));
  const seconds = (performance.now() - startedMs) / 1_000;
  await untilQuiet(database);
  const after = cpu();
  const done = results.reduce((sum, { latenciesMs }) => sum + latenciesMs.length, 0);
  const each = (name: keyof typeof after): number => ((after[name] - before[name]) * 1_000) / Math.max(done, 1);
  const working = (await readStatements(database)).filter(({ text }) => !isBracket(text));
  return {
    processes: crowd.loads.length,
    payments: done,
    perSecond: done / seconds,
    failures: results.reduce((sum, { failures }) => sum + failures, 0),
    firstFailure: results.find(({ firstFailure }) => firstFailure !== null)?.firstFailure ?? null,
    repeatedWebhooks: results.reduce((sum, { repeatedWebhooks }) => sum + repeatedWebhooks, 0),
    postedTwice: await postedTwice(stack),
    deadlocks: (await deadlocksIn(stack)) - deadlocks,
    statements: working.reduce((sum, { calls }) => sum + calls, 0) / Math.max(done, 1),
    walBytes: Number((await walPosition(database)) - wal) / Math.max(done, 1),
    contention: seen,
    cpuMs: { api: each('api'), worker: each('worker'), temporal: each('temporal'), postgres: each('postgres') },
  };
}

const sumOf = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);

async function deadlocksIn({ database }: MeasuredStack): Promise<number> {
  const { rows } = await database.query<{ deadlocks: string }>(
    'select deadlocks from pg_stat_database where datname = current_database()',
  );
  return Number(rows[0]?.deadlocks);
}

/** Charges posted more than once, or without a payment that succeeded. */
async function postedTwice({ database }: MeasuredStack): Promise<number> {
  const { rows } = await database.query<{ number: string }>(
    `select (select count(*) from ledger_transactions where kind = 'charge') - (select count(*) from payments where status = 'SUCCEEDED') as number`,
  );
  return Number(rows[0]?.number);
}

function findingsOf(stages: readonly Stage[]): Findings {
  const [one] = stages;
  const most = stages.at(-1);
  if (one === undefined || most === undefined) {
    throw new Error('there is no stage');
  }
  const statements = most.statements / one.statements;
  const twice = stages.reduce((sum, stage) => sum + stage.repeatedWebhooks + stage.postedTwice, 0);
  const failures = stages.reduce((sum, stage) => sum + stage.failures, 0);
  const share = (part: number, { active }: Contention): string =>
    `${((part * 100) / Math.max(active, 1)).toFixed(1)} %`;
  return {
    order: 55,
    title: `${most.processes} workers and apis over one Temporal and one Postgres`,
    summary: [
      `With ${most.processes} of each, a payment takes ${statements.toFixed(2)} times the statements that it takes with one (${verdict({ met: statements <= STATEMENTS_GOAL, goal: `≤ ${STATEMENTS_GOAL}` })}). Webhooks delivered twice and charges posted twice: ${twice} (${verdict({ met: twice === 0, goal: '0' })}); failures: ${failures}. The processes share the machine's cores with everything else, so payments/s show contention, not speed.`,
      `${IN_FLIGHT} payments are in flight at each stage, from \`POST\` to delivered webhook, divided among the apis. Every 20 ms the sessions of Lenden’s roles were looked at: how many executed a statement, and how many of those waited for another transaction or for a lock inside Postgres.`,
    ],
    tables: [
      {
        caption: 'By number of workers and apis',
        columns: [
          'workers, apis',
          'payments/s',
          'statements per payment',
          'WAL per payment',
          'waited for another transaction',
          'waited inside Postgres',
          'deadlocks',
          'CPU ms per payment: api',
          'worker',
          'Temporal',
          'Postgres',
        ],
        rows: stages.map((stage) => [
          String(stage.processes),
          stage.perSecond.toFixed(1),
          stage.statements.toFixed(1),
          `${(stage.walBytes / 1_000).toFixed(1)} kB`,
          share(stage.contention.onLocks, stage.contention),
          share(stage.contention.inside, stage.contention),
          String(stage.deadlocks),
          ...(['api', 'worker', 'temporal', 'postgres'] as const).map((name) => stage.cpuMs[name].toFixed(1)),
        ]),
      },
    ],
    data: { stages },
  };
}
