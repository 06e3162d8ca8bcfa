import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import type { ResultTable } from '../../scripts/repository/results/result-file.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from '../suite.ts';
import { budgetOf, BUDGETS_FILE, overBudget, readBudgets, type Budgets, type FlowBudget } from './budgets.ts';
import type { FlowCounts } from './flow-counts.ts';
import { FLOWS, NATIVE } from './flows.ts';
import { startCountingGround } from './ground.ts';
import { fewRuns, manyRuns, measureFlow } from './measure.ts';

const WAL_GOAL_BYTES = 11_000;
const STATEMENTS_GOAL = 12;
const EVENTS_GOAL = 17;
const TASKS_GOAL = 2;
const REGULAR_ACTIVITIES_GOAL = 0;

/** Measures counts instead of times, because counts do not depend on the machine's load. */
export const counts: Suite = {
  name: 'counts',
  what: 'history events, SQL statements, WAL bytes and gateway calls of each flow (--statements, --accept)',
  minutes: { full: 4, quick: 2 },
  run: runCounts,
};

/** The steps in which a payment without errors is taken, from the application's request to the delivered webhook. */
const TAKING = ['create', 'pay'] as const;

async function runCounts({ quick, say, statements, accept, keep }: SuiteOptions): Promise<Findings> {
  const ground = await startCountingGround({ say });
  keep(ground.stop);
  const measured: Record<string, FlowCounts> = {};
  for (const flow of FLOWS) {
    const startedMs = performance.now();
    measured[flow.name] = await measureFlow(ground, flow, quick ? fewRuns(flow) : manyRuns(flow));
    say(`counts: ${flow.name} in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
    if (statements) {
      say(statementLines(flow.name, measured[flow.name]).join('\n'));
    }
  }
  await ground.stop();
  const counted = Object.fromEntries(Object.entries(measured).map(([name, each]) => [name, budgetOf(each)]));
  if (accept) {
    await writeBudgets(counted);
  }
  const budgets = readBudgets();
  const over = Object.entries(measured).flatMap(([name, each]) =>
    overBudget(each, budgets[name]).map((line) => `${name}, ${line}`),
  );
  over.forEach((line) => say(`over budget: ${line}`));
  return {
    order: 10,
    title: 'What a payment costs, counted',
    summary: [
      summaryOf(counted[NATIVE.name]),
      over.length === 0 ? 'Within `bench/budgets.json`.' : `Over budget: ${over.join('; ')}`,
    ],
    tables: [flowTable(counted), stepTable(counted), historyTable(counted)],
    data: counted,
  };
}

/** Writes the file as the formatter would, which keeps short objects on one line. */
async function writeBudgets(budgets: Budgets): Promise<void> {
  const options = await prettier.resolveConfig(fileURLToPath(BUDGETS_FILE));
  writeFileSync(BUDGETS_FILE, await prettier.format(JSON.stringify(budgets), { ...options, parser: 'json' }));
}

type Sum = Pick<FlowBudget['steps'][string], 'working' | 'statements' | 'walBytes'> & {
  readonly gatewayCalls: number;
};

function sumOf({ steps }: FlowBudget, names: readonly string[] = Object.keys(steps)): Sum {
  const each = names.flatMap((name) => steps[name] ?? []);
  const add = (of: (step: FlowBudget['steps'][string]) => number): number =>
    each.reduce((sum, step) => sum + of(step), 0);
  return {
    working: add(({ working }) => working),
    statements: add(({ statements }) => statements),
    walBytes: add(({ walBytes }) => walBytes),
    gatewayCalls: add(callsOf),
  };
}

function callsOf({ gatewayCalls }: { readonly gatewayCalls: Readonly<Record<string, number>> }): number {
  return Object.values(gatewayCalls).reduce((sum, calls) => sum + calls, 0);
}

function summaryOf(native: FlowBudget = { steps: {}, workflows: {} }): string {
  const { working, statements, walBytes } = sumOf(native, TAKING);
  const { events = 0, workflowTasks = 0, regularActivities = 0 } = native.workflows['payment'] ?? {};
  const judged = (count: number, goal: number): string => verdict({ met: count <= goal, goal: `≤ ${goal}` });
  return [
    `From \`POST\` to the delivered webhook at SSLCOMMERZ: ${working} SQL statements (${judged(working, STATEMENTS_GOAL)};`,
    `${statements} with begin, set_config and commit), ${(walBytes / 1_000).toFixed(1)} kB of WAL (${verdict({ met: walBytes <= WAL_GOAL_BYTES, goal: '≤ 11 kB' })}),`,
    `${events} history events (${judged(events, EVENTS_GOAL)}), ${workflowTasks} workflow tasks (${judged(workflowTasks, TASKS_GOAL)})`,
    `and ${regularActivities} regular activities (${judged(regularActivities, REGULAR_ACTIVITIES_GOAL)}) in the payment's workflow.`,
    'One at a time, sweeper and sealing paused, median of several.',
  ].join(' ');
}

function flowTable(counted: Budgets): ResultTable {
  return {
    caption: 'By flow, all steps and workflows together',
    columns: ['flow', 'what', 'statements', 'WAL bytes', 'gateway calls', 'workflows', 'events', 'workflow tasks'],
    rows: FLOWS.flatMap(({ name, what }) => {
      const flow = counted[name];
      if (flow === undefined) {
        return [];
      }
      const { working, walBytes, gatewayCalls } = sumOf(flow);
      const histories = Object.values(flow.workflows);
      const add = (of: (history: (typeof histories)[number]) => number): number =>
        histories.reduce((sum, history) => sum + of(history), 0);
      const cost = [
        working,
        walBytes,
        gatewayCalls,
        add((h) => h.runs),
        add((h) => h.events),
        add((h) => h.workflowTasks),
      ];
      return [[name, what, ...cost.map(String)]];
    }),
  };
}

function stepTable(counted: Budgets): ResultTable {
  return {
    caption: 'By step',
    columns: ['flow', 'step', 'statements', 'with begin, set_config, commit', 'WAL bytes', 'gateway calls'],
    rows: Object.entries(counted).flatMap(([flow, { steps }]) =>
      Object.entries(steps).map(([step, counts]) => {
        const { working, statements, walBytes } = counts;
        return [flow, step, ...[working, statements, walBytes, callsOf(counts)].map(String)];
      }),
    ),
  };
}

function historyTable(counted: Budgets): ResultTable {
  return {
    caption: 'Histories',
    columns: ['flow', 'workflows', 'events', 'workflow tasks', 'regular activities', 'local activities'],
    rows: Object.entries(counted).flatMap(([flow, { workflows }]) =>
      Object.entries(workflows).map(([kind, { runs, events, workflowTasks, regularActivities, localActivities }]) => [
        flow,
        runs === 1 ? kind : `${runs} × ${kind}`,
        ...[events, workflowTasks, regularActivities, localActivities].map(String),
      ]),
    ),
  };
}

/** Returns the details for developers who want to reduce the cost. */
function statementLines(flow: string, { steps }: FlowCounts = { steps: {}, workflows: {} }): string[] {
  return Object.entries(steps).flatMap(([name, { statements, gatewayCalls, walBytes }]) => {
    const calls = Object.entries(gatewayCalls).map(([path, count]) => `${count} × ${path}`);
    return [
      '',
      `${flow}, ${name}: ${walBytes} WAL bytes, gateway ${calls.join(', ') || 'not called'}`,
      'calls  blocks  WAL bytes  full pages      ms',
      ...statements.map(
        (statement) =>
          `${String(statement.calls).padStart(5)}  ${String(statement.blocks).padStart(6)}  ${String(statement.walBytes).padStart(9)}  ${String(statement.fullPageImages).padStart(10)}  ${statement.ms.toFixed(2).padStart(6)}  ${statement.role} ${statement.text.slice(0, 230)}`,
      ),
    ];
  });
}
