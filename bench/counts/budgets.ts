import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { STEPS, type HistoryCounts, type PaymentCounts, type Step } from './measure.ts';
import { isBracket } from './statements.ts';

const FILE = new URL('../budgets.json', import.meta.url);
/** WAL varies slightly with the position of rows in their pages and with alignment. */
export const WAL_TOLERANCE = 0.1;

const StepBudget = z.object({
  /** All statements, including those that begin, scope and end transactions. */
  statements: z.int(),
  /** Statements that do work: without begin, commit and set_config. */
  working: z.int(),
  walBytes: z.int(),
  gatewayCalls: z.int(),
  /** The statements' texts with their counts, so that a new statement can be named. */
  texts: z.record(z.string(), z.int()),
});
const HistoryBudget = z.object({
  events: z.int(),
  workflowTasks: z.int(),
  regularActivities: z.int(),
  localActivities: z.int(),
});
const Budgets = z.object({
  steps: z.object({ create: StepBudget, pay: StepBudget, return: StepBudget, read: StepBudget }),
  payment: HistoryBudget,
  webhook: HistoryBudget,
});

/** The maximum cost of a payment without errors, as committed in bench/budgets.json. */
export type Budgets = z.infer<typeof Budgets>;
export type StepBudget = z.infer<typeof StepBudget>;

export function readBudgets(): Budgets {
  return Budgets.parse(JSON.parse(readFileSync(FILE, 'utf8')));
}

export function writeBudgets(budgets: Budgets): void {
  writeFileSync(FILE, `${JSON.stringify(budgets, null, 2)}\n`);
}

export function budgetsOf({ steps, payment, webhook }: PaymentCounts): Budgets {
  const step = (name: Step): StepBudget => {
    const { statements, walBytes, gatewayCalls } = steps[name];
    return {
      statements: statements.reduce((sum, { calls }) => sum + calls, 0),
      working: statements.filter(({ text }) => !isBracket(text)).reduce((sum, { calls }) => sum + calls, 0),
      walBytes,
      gatewayCalls: Object.values(gatewayCalls).reduce((sum, calls) => sum + calls, 0),
      texts: Object.fromEntries(statements.map(({ role, text, calls }) => [`${role}: ${text}`, calls])),
    };
  };
  return {
    steps: { create: step('create'), pay: step('pay'), return: step('return'), read: step('read') },
    payment,
    webhook,
  };
}

/**
 * Returns one line for each count above its budget and for each statement that is new or more frequent there. Empty if every count is within its
 * budget.
 */
export function overBudget(measured: Budgets, budgets: Budgets): string[] {
  return [
    ...STEPS.flatMap((step) => stepOverBudget(step, { measured: measured.steps[step], budget: budgets.steps[step] })),
    ...historyOverBudget('payment workflow', { measured: measured.payment, budget: budgets.payment }),
    ...historyOverBudget('webhook workflow', { measured: measured.webhook, budget: budgets.webhook }),
  ];
}

function stepOverBudget(step: Step, { measured, budget }: { measured: StepBudget; budget: StepBudget }): string[] {
  const walMax = Math.round(budget.walBytes * (1 + WAL_TOLERANCE));
  const over = [
    { what: 'SQL statements', count: measured.statements, max: budget.statements },
    { what: 'working SQL statements', count: measured.working, max: budget.working },
    { what: 'WAL bytes', count: measured.walBytes, max: walMax },
    { what: 'gateway calls', count: measured.gatewayCalls, max: budget.gatewayCalls },
  ]
    .filter(({ count, max }) => count > max)
    .map(({ what, count, max }) => `${step}: ${count} ${what}, budget ${max}`);
  const appeared = Object.entries(measured.texts)
    .filter(([text, calls]) => calls > (budget.texts[text] ?? 0))
    .map(([text, calls]) => `${step}: ${calls} instead of ${budget.texts[text] ?? 0} × ${text}`);
  return over.length === 0 ? [] : [...over, ...appeared];
}

function historyOverBudget(
  what: string,
  { measured, budget }: { measured: HistoryCounts; budget: HistoryCounts },
): string[] {
  return (['events', 'workflowTasks', 'regularActivities', 'localActivities'] as const)
    .filter((name) => measured[name] > budget[name])
    .map((name) => `${what}: ${measured[name]} ${name}, budget ${budget[name]}`);
}
