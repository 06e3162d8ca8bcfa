import type { ResultTable } from '../../scripts/repository/results/result-file.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from '../suite.ts';
import { budgetsOf, overBudget, readBudgets, writeBudgets, type Budgets } from './budgets.ts';
import { startCountingGround } from './ground.ts';
import { measureCounts, STEPS, type PaymentCounts, type Step } from './measure.ts';

const WAL_GOAL_BYTES = 12_000;
const STATEMENTS_GOAL = 14;
const EVENTS_GOAL = 25;
const ACTIVITIES_GOAL = 3;

/** Measures counts instead of times, because counts do not depend on the machine's load. */
export const counts: Suite = {
  name: 'counts',
  what: 'history events, SQL statements, WAL bytes and gateway calls of one happy payment (--statements, --accept)',
  minutes: { full: 1, quick: 1 },
  run: runCounts,
};

const STEP_TEXTS: Readonly<Record<Step, string>> = {
  create: '`POST /payments` until all is still',
  pay: 'payer pays: IPN, verification, recording, webhook',
  return: "the payer's browser comes back to our page",
  read: '`GET /payments/{id}`',
};

async function runCounts({ quick, say, statements, accept, keep }: SuiteOptions): Promise<Findings> {
  const ground = await startCountingGround({ say });
  keep(ground.stop);
  const measured = await measureCounts(ground, quick ? { payments: 5, warmUp: 4 } : { payments: 11, warmUp: 8 });
  await ground.stop();
  const counted = budgetsOf(measured);
  if (statements) {
    say(statementLines(measured).join('\n'));
  }
  if (accept) {
    writeBudgets(counted);
  }
  const over = overBudget(counted, readBudgets());
  over.forEach((line) => say(`over budget: ${line}`));
  return {
    order: 10,
    title: 'What a happy payment costs, counted',
    summary: [
      summaryOf(counted),
      over.length === 0 ? 'Within `bench/budgets.json`.' : `Over budget: ${over.join('; ')}`,
    ],
    tables: [stepTable(counted), historyTable(counted)],
    data: measured,
  };
}

function summaryOf({ steps, payment }: Budgets): string {
  const { create, pay } = steps;
  const working = create.working + pay.working;
  const all = create.statements + pay.statements;
  const wal = create.walBytes + pay.walBytes;
  return [
    `From \`POST\` to the delivered webhook: ${working} SQL statements (${verdict({ met: working <= STATEMENTS_GOAL, goal: `≤ ${STATEMENTS_GOAL}` })};`,
    `${all} with begin, set_config and commit), ${(wal / 1_000).toFixed(1)} kB of WAL (${verdict({ met: wal <= WAL_GOAL_BYTES, goal: '≤ 12 kB' })}),`,
    `${payment.events} history events (${verdict({ met: payment.events <= EVENTS_GOAL, goal: `≤ ${EVENTS_GOAL}` })}) and ${payment.regularActivities} regular activities`,
    `(${verdict({ met: payment.regularActivities <= ACTIVITIES_GOAL, goal: `≤ ${ACTIVITIES_GOAL}` })}) in the payment's workflow. One payment at a time, sweeper and sealing paused, median of several.`,
  ].join(' ');
}

function stepTable({ steps }: Budgets): ResultTable {
  return {
    caption: 'By step',
    columns: ['step', 'working SQL statements', 'with begin, set_config, commit', 'WAL bytes', 'calls to the gateway'],
    rows: STEPS.map((name) => {
      const { working, statements, walBytes, gatewayCalls } = steps[name];
      return [STEP_TEXTS[name], working, statements, walBytes, gatewayCalls].map(String);
    }),
  };
}

function historyTable({ payment, webhook }: Budgets): ResultTable {
  return {
    caption: 'Histories',
    columns: ['workflow', 'events', 'workflow tasks', 'regular activities', 'local activities'],
    rows: Object.entries({ payment, webhook }).map(
      ([name, { events, workflowTasks, regularActivities, localActivities }]) =>
        [name, events, workflowTasks, regularActivities, localActivities].map(String),
    ),
  };
}

/** Returns the details for developers who want to reduce the cost. */
function statementLines({ steps }: PaymentCounts): string[] {
  return STEPS.flatMap((name) => {
    const { statements, gatewayCalls, walBytes } = steps[name];
    const calls = Object.entries(gatewayCalls).map(([path, count]) => `${count} × ${path}`);
    return [
      '',
      `${name}: ${walBytes} WAL bytes, gateway ${calls.join(', ') || 'not called'}`,
      'calls  blocks  WAL bytes  full pages      ms',
      ...statements.map(
        (statement) =>
          `${String(statement.calls).padStart(5)}  ${String(statement.blocks).padStart(6)}  ${String(statement.walBytes).padStart(9)}  ${String(statement.fullPageImages).padStart(10)}  ${statement.ms.toFixed(2).padStart(6)}  ${statement.role} ${statement.text.slice(0, 230)}`,
      ),
    ];
  });
}
