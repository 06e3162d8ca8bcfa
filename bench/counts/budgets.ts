import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { FlowCounts, StepCounts } from './flow-counts.ts';
import type { HistoryCounts } from './histories.ts';
import { isBracket, nameOf } from './statements.ts';

export const BUDGETS_FILE = new URL('../budgets.json', import.meta.url);
/** WAL varies slightly with the position of rows in their pages and with alignment. */
const WAL_TOLERANCE = 0.1;
const WAL_TOLERANCE_BYTES = 200;

const StepBudget = z.object({
  /** Statements that do work: without begin, commit and set_config. */
  working: z.int(),
  /** All statements, including those that begin, scope and end transactions. */
  statements: z.int(),
  walBytes: z.int(),
  /** By method and path. */
  gatewayCalls: z.record(z.string(), z.int()),
  /** The names of the statements that do work, with their counts, so that a new one can be told from the others. */
  names: z.record(z.string(), z.int()),
});
const HistoryBudget = z.object({
  runs: z.int(),
  events: z.int(),
  workflowTasks: z.int(),
  regularActivities: z.int(),
  localActivities: z.int(),
});
const FlowBudget = z.object({
  steps: z.record(z.string(), StepBudget),
  workflows: z.record(z.string(), HistoryBudget),
});
const Budgets = z.record(z.string(), FlowBudget);

/** The maximum cost of each flow without errors, as committed in bench/budgets.json. */
export type Budgets = z.infer<typeof Budgets>;
export type FlowBudget = z.infer<typeof FlowBudget>;
type StepBudget = z.infer<typeof StepBudget>;

const NOTHING: StepBudget = { working: 0, statements: 0, walBytes: 0, gatewayCalls: {}, names: {} };
const NO_HISTORY: HistoryCounts = { runs: 0, events: 0, workflowTasks: 0, regularActivities: 0, localActivities: 0 };

export function readBudgets(): Budgets {
  return Budgets.parse(JSON.parse(readFileSync(BUDGETS_FILE, 'utf8')));
}

export function budgetOf({ steps, workflows }: FlowCounts): FlowBudget {
  return {
    steps: Object.fromEntries(Object.entries(steps).map(([name, counts]) => [name, stepBudgetOf(counts)])),
    workflows: { ...workflows },
  };
}

function stepBudgetOf({ statements, walBytes, gatewayCalls }: StepCounts): StepBudget {
  const working = statements.filter(({ text }) => !isBracket(text));
  const callsOf = (some: StepCounts['statements']): number => some.reduce((sum, { calls }) => sum + calls, 0);
  return {
    working: callsOf(working),
    statements: callsOf(statements),
    walBytes,
    gatewayCalls: { ...gatewayCalls },
    names: Object.fromEntries(countByName(working)),
  };
}

function countByName(statements: StepCounts['statements']): Map<string, number> {
  const counts = new Map<string, number>();
  for (const statement of statements) {
    const name = nameOf(statement);
    counts.set(name, (counts.get(name) ?? 0) + statement.calls);
  }
  return counts;
}

/**
 * Returns one line for each count of a flow above its budget, and for each statement and gateway call that is new or more frequent there. Empty if
 * every count is within its budget. What has no budget may cost nothing.
 */
export function overBudget(counts: FlowCounts, budget: FlowBudget = { steps: {}, workflows: {} }): string[] {
  return [
    ...Object.entries(counts.steps).flatMap(([step, measured]) =>
      stepOverBudget(measured, budget.steps[step] ?? NOTHING).map((line) => `${step}: ${line}`),
    ),
    ...Object.entries(counts.workflows).flatMap(([kind, measured]) =>
      historyOverBudget(measured, budget.workflows[kind] ?? NO_HISTORY).map((line) => `${kind} workflow: ${line}`),
    ),
  ];
}

function stepOverBudget(counts: StepCounts, budget: StepBudget): string[] {
  const measured = stepBudgetOf(counts);
  const walMax = Math.round(budget.walBytes * (1 + WAL_TOLERANCE)) + WAL_TOLERANCE_BYTES;
  const over = [
    { what: 'working SQL statements', count: measured.working, max: budget.working },
    { what: 'SQL statements with begin, set_config and commit', count: measured.statements, max: budget.statements },
    { what: 'WAL bytes', count: measured.walBytes, max: walMax },
  ]
    .filter(({ count, max }) => count > max)
    .map(({ what, count, max }) => `${count} ${what}, budget ${max}`);
  const textOf = (name: string): string => counts.statements.find((each) => nameOf(each) === name)?.text ?? '';
  const appeared = moreThan(budget.names, measured.names).map((line) => `${line.text}: ${textOf(line.name)}`);
  const calls = moreThan(budget.gatewayCalls, measured.gatewayCalls).map(({ text }) => `gateway called ${text}`);
  return [...over, ...(over.length === 0 ? [] : appeared), ...calls];
}

function moreThan(
  budget: Readonly<Record<string, number>>,
  measured: Readonly<Record<string, number>>,
): { readonly name: string; readonly text: string }[] {
  return Object.entries(measured)
    .filter(([name, count]) => count > (budget[name] ?? 0))
    .map(([name, count]) => ({ name, text: `${count} instead of ${budget[name] ?? 0} × ${name}` }));
}

function historyOverBudget(measured: HistoryCounts, budget: HistoryCounts): string[] {
  return (['runs', 'events', 'workflowTasks', 'regularActivities', 'localActivities'] as const)
    .filter((name) => measured[name] > budget[name])
    .map((name) => `${measured[name]} ${name}, budget ${budget[name]}`);
}
