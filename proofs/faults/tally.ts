import { describeMachine, type ResultFile } from '../../scripts/repository/results/result-file.ts';
import { ALL_DIALS } from './dials.ts';
import { INVARIANTS, judge, JUDGES, type InvariantName } from './judges.ts';
import { givingsOf } from './judges/refunds.ts';
import type { RoundResult } from './round.ts';

export interface Summary {
  readonly rounds: number;
  readonly payments: number;
  readonly charges: number;
  readonly refunds: RefundCount;
  readonly medianMs: number;
  readonly longestMs: number;
  readonly dials: ReadonlyMap<string, number>;
  readonly invariants: ReadonlyMap<InvariantName, { readonly judged: number; readonly violations: number }>;
  /** Seed and round of each round with a violation. */
  readonly failedRounds: readonly string[];
  /** Dials that never took effect and judges that never had anything to judge, although a full run should have used them all. */
  readonly idle: readonly string[];
  readonly failed: boolean;
}

/** Refunds as the API shows them at the end, by outcome, and how many the gateway has. */
export interface RefundCount {
  readonly made: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly rejected: number;
  readonly underReview: number;
  /** Accepted by the gateway while the faults lasted. */
  readonly amidFaults: number;
}

export interface Tally {
  /** Counts a round and returns it. */
  add(result: RoundResult): RoundResult;
  summary(options: { everyDial: boolean }): Summary;
}

/**
 * A cycle of eight rounds deals every dial once, but a busy machine may not get to one of them in the seconds of the load. Within three cycles none
 * is missed by chance.
 */
const SURE_AFTER_ROUNDS = 24;
const IDLE_SHARE_OF_A_CYCLE = 0.1;

export function openTally(): Tally {
  const dials = new Map<string, number>();
  const invariants = new Map(INVARIANTS.map((name) => [name, { judged: 0, violations: 0 }]));
  const tookMs: number[] = [];
  const failedRounds: string[] = [];
  let payments = 0;
  let charges = 0;
  let refunds: RefundCount = { made: 0, succeeded: 0, failed: 0, rejected: 0, underReview: 0, amidFaults: 0 };
  return {
    add(result) {
      result.log.counts.forEach((count, name) => dials.set(name, (dials.get(name) ?? 0) + count));
      const verdicts = judge(result.evidence);
      verdicts.forEach(({ judged, violations }, name) => {
        const known = invariants.get(name) ?? { judged: 0, violations: 0 };
        invariants.set(name, { judged: known.judged + judged, violations: known.violations + violations.length });
      });
      if ([...verdicts.values()].some(({ violations }) => violations.length > 0)) {
        failedRounds.push(`seed ${result.plan.seed} round ${result.plan.round}`);
      }
      tookMs.push(result.tookMs);
      payments += result.evidence.errands.length;
      charges += result.evidence.charges.length;
      refunds = sum(refunds, countRefunds(result));
      return result;
    },
    summary({ everyDial }) {
      const sorted = tookMs.toSorted((a, b) => a - b);
      const idleDials = everyDial ? ALL_DIALS.filter((name) => (dials.get(name) ?? 0) === 0) : [];
      const idleJudges = everyDial ? INVARIANTS.filter((name) => invariants.get(name)?.judged === 0) : [];
      const idleMost = tookMs.length < SURE_AFTER_ROUNDS ? Math.floor(ALL_DIALS.length * IDLE_SHARE_OF_A_CYCLE) : 0;
      return {
        rounds: tookMs.length,
        payments,
        charges,
        refunds,
        medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0,
        longestMs: sorted.at(-1) ?? 0,
        dials,
        invariants,
        failedRounds,
        idle: [
          ...idleDials.map((name) => `the dial ${name} never took effect`),
          ...idleJudges.map((name) => `${name} had nothing to judge`),
        ],
        failed: failedRounds.length > 0 || idleDials.length > idleMost || idleJudges.length > 0 || tookMs.length === 0,
      };
    },
  };
}

function countRefunds({ evidence, healedAtMs }: RoundResult): RefundCount {
  const statuses = givingsOf(evidence).map(({ view }) => view.status);
  const count = (status: string): number => statuses.filter((one) => one === status).length;
  return {
    made: statuses.length,
    succeeded: count('SUCCEEDED'),
    failed: count('FAILED'),
    rejected: count('REJECTED'),
    underReview: count('PENDING'),
    amidFaults: evidence.refunded.filter(({ atMs }) => atMs < healedAtMs).length,
  };
}

function sum(left: RefundCount, right: RefundCount): RefundCount {
  return {
    made: left.made + right.made,
    succeeded: left.succeeded + right.succeeded,
    failed: left.failed + right.failed,
    rejected: left.rejected + right.rejected,
    underReview: left.underReview + right.underReview,
    amidFaults: left.amidFaults + right.amidFaults,
  };
}

function refundWords({ made, succeeded, failed, rejected, underReview, amidFaults }: RefundCount): string {
  return (
    `${made} refunds (${succeeded} succeeded, ${failed} failed, ${rejected} rejected, ${underReview} left to a person; ` +
    `the gateway accepted ${amidFaults} while faults lasted)`
  );
}

export function tablesOf(summary: Summary): string[] {
  const { rounds, payments, charges, medianMs, longestMs, failedRounds, idle } = summary;
  return [
    '',
    'dial: times it took effect',
    ...ALL_DIALS.map((name) => `  ${name.padEnd(36)} ${summary.dials.get(name) ?? 0}`),
    '',
    'invariant: judged / violations',
    ...[...summary.invariants].map(
      ([name, { judged, violations }]) =>
        `  ${name.padEnd(4)} ${String(judged).padStart(7)} / ${violations}  ${JUDGES[name].words}`,
    ),
    '',
    ...failedRounds.map((round) => `FAILED ${round}`),
    ...idle.map((words) => `IDLE ${words}`),
    `${rounds} rounds, ${payments} payments, ${charges} charges, ${refundWords(summary.refunds)}`,
    `median ${(medianMs / 1_000).toFixed(1)} s, longest ${(longestMs / 1_000).toFixed(1)} s`,
    summary.failed ? 'FAILED' : 'Everything held.',
  ];
}

interface About {
  readonly seed: string;
  readonly command: string;
  readonly commit: string;
}

export function resultOf(summary: Summary, { seed, command, commit }: About): ResultFile {
  const { rounds, payments, charges, medianMs, failedRounds, idle } = summary;
  const total = [...summary.invariants.values()].reduce((sum, { violations }) => sum + violations, 0);
  return {
    name: 'faults',
    page: 'proofs',
    order: 10,
    title: 'Nothing lost, nothing twice, under faults',
    command,
    at: new Date().toISOString(),
    machine: describeMachine(),
    summary: [
      `${rounds} rounds with seed ${seed} at commit ${commit}: ${payments} payments, ${charges} charges at the gateway, ` +
        `${refundWords(summary.refunds)}, ${total} violations. ` +
        `A round took ${(medianMs / 1_000).toFixed(1)} s at the median.`,
      'Postgres, Temporal, two api, two workers, the gateway simulator and two receivers, as processes of their own, joined by TCP proxies. In every round ' +
        'five to seven faults overlap while three applications create and give back, their payers act and operators decide; then everything is mended and judged from outside, by the ' +
        "gateway's charge log, the receivers' logs and the clients' journal. Waits of the product's own (retry pauses, expiry, webhook schedule) are shortened by " +
        'moving the clocks of workflows and the due times of rows, after the faults have ended; no step is done for it.',
      ...failedRounds.map((round) => `Failed: ${round}.`),
      ...idle.map((words) => `Idle: ${words}.`),
    ],
    tables: [
      {
        caption: 'Invariants',
        columns: ['', 'what', 'judged', 'violations'],
        rows: [...summary.invariants].map(([name, { judged, violations }]) => [
          name,
          JUDGES[name].words,
          String(judged),
          String(violations),
        ]),
      },
      {
        caption: 'Dials, with the times that each took effect',
        columns: ['dial', 'times'],
        rows: ALL_DIALS.map((name) => [name, String(summary.dials.get(name) ?? 0)]),
      },
    ],
    data: {
      seed,
      rounds,
      payments,
      charges,
      refunds: summary.refunds,
      medianMs,
      longestMs: summary.longestMs,
      failedRounds,
      idle,
      dials: Object.fromEntries(summary.dials),
      invariants: Object.fromEntries(summary.invariants),
    },
  };
}
