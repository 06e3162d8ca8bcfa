import { quantile } from '../statistics.ts';
import type { FlowCounts, StepCounts } from './flow-counts.ts';
import type { HistoryCounts } from './histories.ts';
import type { Statement } from './statements.ts';

/** Returns the median of each count of a flow, but the minimum for histories. */
export function medianOf(counted: readonly FlowCounts[]): FlowCounts {
  const steps = namesOf(counted.map((flow) => flow.steps));
  const kinds = namesOf(counted.map((flow) => flow.workflows));
  return {
    steps: Object.fromEntries(
      steps.map((name) => [name, medianStep(counted.flatMap((flow) => flow.steps[name] ?? []))]),
    ),
    workflows: Object.fromEntries(
      kinds.map((kind) => [kind, leastHistory(counted.flatMap((flow) => flow.workflows[kind] ?? []))]),
    ),
  };
}

function namesOf(records: readonly Readonly<Record<string, unknown>>[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))];
}

/** On a busy machine Temporal sometimes splits the same commands into one more workflow task. The minimum is what the workflow itself needs. */
function leastHistory(counts: readonly HistoryCounts[]): HistoryCounts {
  const least = (of: (history: HistoryCounts) => number): number => Math.min(...counts.map(of));
  return {
    runs: least(({ runs }) => runs),
    events: least(({ events }) => events),
    workflowTasks: least(({ workflowTasks }) => workflowTasks),
    regularActivities: least(({ regularActivities }) => regularActivities),
    localActivities: least(({ localActivities }) => localActivities),
  };
}

function medianStep(counts: readonly StepCounts[]): StepCounts {
  return {
    statements: medianStatements(counts.map(({ statements }) => statements)),
    walBytes: Math.round(median(counts.map(({ walBytes }) => walBytes))),
    gatewayCalls: medianCalls(counts.map(({ gatewayCalls }) => gatewayCalls)),
  };
}

/** A statement that only few payments ran, such as recording once a minute that a credential was used, has a median of 0 and is omitted. */
function medianStatements(lists: readonly (readonly Statement[])[]): Statement[] {
  const keyOf = ({ role, text }: Statement): string => `${role} ${text}`;
  const known = new Map(lists.flat().map((statement) => [keyOf(statement), statement]));
  return [...known]
    .map(([key, { role, text }]) => {
      const each = lists.map((list) => list.find((statement) => keyOf(statement) === key));
      const of = (value: (statement: Statement) => number): number =>
        median(each.map((statement) => (statement === undefined ? 0 : value(statement))));
      return {
        role,
        text,
        calls: Math.round(of(({ calls }) => calls)),
        walBytes: Math.round(of(({ walBytes }) => walBytes)),
        fullPageImages: Math.round(of(({ fullPageImages }) => fullPageImages)),
        blocks: Math.round(of(({ blocks }) => blocks)),
        ms: of(({ ms }) => ms),
      };
    })
    .filter(({ calls }) => calls > 0)
    .sort((a, b) => b.calls - a.calls || a.text.localeCompare(b.text));
}

function medianCalls(each: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  return Object.fromEntries(
    namesOf(each)
      .sort()
      .map((path) => [path, Math.round(median(each.map((calls) => calls[path] ?? 0)))] as const)
      .filter(([, calls]) => calls > 0),
  );
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
