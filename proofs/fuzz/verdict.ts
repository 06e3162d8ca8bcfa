import { z } from 'zod';
import type { ResultTable } from '../../scripts/repository/results/result-file.ts';
import type { Subject } from './subject.ts';

const Judging = z.object({ ran: z.int(), judged: z.int() });

/** The counts of `count_checks.py`. */
export const Counts = z.object({
  checks: z.record(z.string(), Judging),
  cases: z.array(z.object({ operation: z.string(), phase: z.string(), mode: z.string(), count: z.int() })),
  statuses: z.array(z.object({ operation: z.string(), status: z.int(), count: z.int() })),
});
export type Counts = z.infer<typeof Counts>;

/** The members of schemathesis' own report that a verdict needs. */
export const Report = z.object({
  schemathesis_version: z.string(),
  seed: z.int(),
  running_time: z.number(),
  stop_reason: z.string(),
  complete: z.boolean(),
  exit_code: z.int(),
  operations: z.object({ total: z.int(), selected: z.int(), tested: z.int(), errored: z.int(), skipped: z.int() }),
  phases: z.record(z.string(), z.object({ status: z.string() })),
  test_cases: z.object({ generated: z.int() }),
  failures: z.array(z.object({ title: z.string(), code: z.string(), count: z.int(), operations: z.array(z.string()) })),
  errors: z.array(z.object({ title: z.string(), count: z.int() })),
  filtered: z.int(),
  warnings: z.record(z.string(), z.array(z.unknown())),
});
export type Report = z.infer<typeof Report>;

export interface Fuzzed {
  readonly counts: Counts;
  readonly report: Report;
  /** Every operation of the document, such as `GET /app/me`. */
  readonly operations: readonly string[];
  /** How many cases each operation must get in the fuzzing phase. */
  readonly examples: number;
  readonly subject: Pick<Subject, 'beyondSchema' | 'silentChecks' | 'fewCases' | 'seldom'>;
}

/** The minimum number of cases for an operation that gets few. */
const SELDOM_MIN = 2;
const PHASES = ['examples', 'coverage', 'fuzzing', 'stateful'] as const;

/**
 * Checks that have nothing to judge as long as the contract lacks their subject. `when` says when that is so. Once the contract has it, having
 * nothing to judge is a failure.
 */
const INAPPLICABLE: Readonly<Record<string, { when(operations: readonly string[]): boolean; why: string }>> = {
  use_after_free: {
    when: (operations) => !operations.some((operation) => operation.startsWith('DELETE ')),
    why: 'the contract has no DELETE: nothing of a payment can be deleted',
  },
};

/** Returns why a check had nothing to judge, if the contract or the subject explains it. */
export function inapplicable(
  check: string,
  { operations, subject }: Pick<Fuzzed, 'operations' | 'subject'>,
): string | null {
  const known = INAPPLICABLE[check];
  return known !== undefined && known.when(operations) ? known.why : (subject.silentChecks[check] ?? null);
}

/** Returns every reason why a run is not a proof; empty if it is one. */
export function problemsOf(fuzzed: Fuzzed): string[] {
  const { report, operations } = fuzzed;
  const problems = [
    ...report.failures.map(({ code, title, operations: where }) => `${code} ${title}: ${where.join(', ')}`),
    ...report.errors.map(({ title }) => `error: ${title}`),
  ];
  if (!report.complete || report.stop_reason !== 'completed' || report.exit_code !== 0) {
    problems.push(`schemathesis ended with ${report.exit_code} (${report.stop_reason})`);
  }
  if (report.filtered > 0) {
    problems.push(`${report.filtered} failures were filtered out`);
  }
  if (report.operations.tested !== operations.length) {
    problems.push(`${report.operations.tested} of ${operations.length} operations were tested`);
  }
  for (const phase of PHASES) {
    if (report.phases[phase]?.status !== 'success') {
      problems.push(`the phase ${phase} is ${report.phases[phase]?.status ?? 'missing'}`);
    }
  }
  return [...problems, ...checkProblems(fuzzed), ...operationProblems(fuzzed)];
}

function checkProblems(fuzzed: Fuzzed): string[] {
  const { checks } = fuzzed.counts;
  const silent = Object.entries(checks).filter(
    ([name, { judged }]) => judged === 0 && inapplicable(name, fuzzed) === null,
  );
  return [
    ...(Object.keys(checks).length === 0 ? ['no check was counted'] : []),
    ...silent.map(([name, { ran }]) => `the check ${name} judged nothing (it ran ${ran} times)`),
  ];
}

function operationProblems({ counts, operations, examples, subject }: Fuzzed): string[] {
  return operations.flatMap((operation) => {
    const fuzzed = casesOf(counts, operation, 'fuzzing');
    return [
      ...(succeeded(counts, operation) === 0 && subject.beyondSchema[operation] === undefined
        ? [`${operation} never answered 2xx`]
        : []),
      ...(fuzzed < Math.min(examples, operation in subject.seldom ? SELDOM_MIN : (subject.fewCases ?? examples))
        ? [`${operation} got ${fuzzed} examples of ${examples}`]
        : []),
    ];
  });
}

export function tablesOf({
  counts,
  operations,
  subject,
}: Pick<Fuzzed, 'counts' | 'operations' | 'subject'>): ResultTable[] {
  return [
    {
      caption: 'Checks: on how many answers each ran, and how many of them it had something to say about',
      columns: ['check', 'ran', 'judged', 'failures'],
      rows: Object.entries(counts.checks).map(([name, { ran, judged }]) => {
        const why = judged === 0 ? inapplicable(name, { operations, subject }) : null;
        return [name, String(ran), why === null ? String(judged) : `0: ${why}`, '0'];
      }),
    },
    {
      caption: 'Operations: cases by phase, and what was answered',
      columns: ['operation', ...PHASES, '2xx', 'answers'],
      rows: operations.map((operation) => [
        operation,
        ...PHASES.map((phase) => String(casesOf(counts, operation, phase))),
        String(succeeded(counts, operation)),
        counts.statuses
          .filter((entry) => entry.operation === operation)
          .map(({ status, count }) => `${status} × ${count}`)
          .join(', '),
      ]),
    },
  ];
}

function casesOf({ cases }: Counts, operation: string, phase: string): number {
  return sum(cases.filter((entry) => entry.operation === operation && entry.phase === phase));
}

function succeeded({ statuses }: Counts, operation: string): number {
  return sum(statuses.filter((entry) => entry.operation === operation && entry.status >= 200 && entry.status < 300));
}

function sum(entries: readonly { readonly count: number }[]): number {
  return entries.reduce((total, { count }) => total + count, 0);
}
