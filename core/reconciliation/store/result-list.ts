import { expressionBuilder, sql } from 'kysely';
import { list, type ListPage, type ListRow, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { FlagReason } from '../../../domain/payouts/matching.ts';
import type { Matched } from './runs.ts';

export interface ResultFilter {
  readonly mode?: Mode | undefined;
  readonly gateway?: string | undefined;
  readonly period?: string | undefined;
  readonly status?: string | undefined;
  readonly reason?: string | undefined;
  readonly applicationId?: bigint | undefined;
  readonly paymentId?: bigint | undefined;
  readonly payout?: string | undefined;
}

const RESULTS = list((db, $: Given<ValuesOf<ResultFilter>>) => {
  const results = db
    .selectFrom('reconciliation_results as r')
    .leftJoin('payout_lines as n', 'n.id', 'r.lineId')
    .leftJoin('payouts as o', 'o.id', 'n.payoutId')
    .leftJoin('payments as p', 'p.id', 'r.paymentId')
    .leftJoin('refunds as f', 'f.id', 'r.refundId')
    .where('r.superseded', '=', false);
  const eb = expressionBuilder(results);
  return {
    rows: results.select([
      'r.id',
      'r.mode',
      'r.gateway',
      'r.storeId',
      'r.applicationId',
      'r.period',
      'r.status',
      'r.reason',
      'r.detail',
      'r.lineId',
      'r.lineKind',
      'r.movementKind',
      'r.paymentId',
      'p.reference as paymentReference',
      'r.refundId',
      'f.reference as refundReference',
      'r.gatewayTxnId',
      'r.currency',
      'r.expectedMinor',
      'r.settledMinor',
      'r.feeExpectedMinor',
      'r.feeSettledMinor',
      'r.acceptedAt',
      'o.reference as payoutReference',
      'n.netMinor',
      'n.lineReference',
      'r.createdAt',
      'r.updatedAt',
    ]),
    conditions: {
      mode: eb('r.mode', '=', $('mode')),
      gateway: eb('r.gateway', '=', $('gateway')),
      period: eb('r.period', '=', $('period')),
      status: sql<boolean>`r.status = ${$('status')}`,
      reason: eb('r.reason', '=', $('reason')),
      applicationId: eb('r.applicationId', '=', $('applicationId')),
      paymentId: eb('r.paymentId', '=', $('paymentId')),
      payout: eb('o.reference', '=', $('payout')),
    },
    orders: { id: ['r.id'] },
  };
});

/** What reconciliation says of a line or of a movement without one. */
export type ListedResult = ListRow<typeof RESULTS>;

/** Returns a page of the results in an operator's view. */
export function listResults(
  statements: Statements,
  { filter, slice }: { readonly filter: ResultFilter; readonly slice: ListSlice },
): Promise<ListPage<ListedResult>> {
  return RESULTS.page(statements, { filter, sortBy: 'id', slice });
}

const COUNTS = statement((db, $: Given<{ mode: Mode; period: string; gateways: readonly string[] }>) =>
  db
    .selectFrom('reconciliation_results')
    .select((eb) => ['status', 'reason', eb.cast<number>(eb.fn.countAll(), 'integer').as('results')])
    .where('mode', '=', $('mode'))
    .where('period', '=', $('period'))
    .where('gateway', '=', sql<string>`any(${$('gateways')})`)
    .where('superseded', '=', false)
    .groupBy(['status', 'reason']),
);

/** How many results of a day there are, in the contract's words. */
export interface ResultCounts {
  readonly matched: number;
  readonly missingInSettlement: number;
  readonly missingInternal: number;
  readonly amountMismatch: number;
  readonly deferred: number;
}

const COUNTED_AS = {
  MISSING_IN_PAYOUT: 'missingInSettlement',
  MISSING_INTERNALLY: 'missingInternal',
  DUPLICATE: 'missingInternal',
  WRONG_STORE: 'missingInternal',
  REFUND_UNKNOWN: 'missingInternal',
  AMOUNT: 'amountMismatch',
  FEE: 'amountMismatch',
  CURRENCY: 'amountMismatch',
} as const satisfies Record<FlagReason, keyof ResultCounts>;

/** Counts the results of a day in an operator's view. */
export async function countResults(
  statements: Statements,
  wanted: { readonly mode: Mode; readonly period: string; readonly gateways: readonly string[] },
): Promise<ResultCounts> {
  const counts = { matched: 0, missingInSettlement: 0, missingInternal: 0, amountMismatch: 0, deferred: 0 };
  for (const { status, reason, results } of await COUNTS.all(statements, wanted)) {
    if (status === 'MATCHED') {
      counts.matched += results;
    } else if (status === 'DEFERRED') {
      counts.deferred += results;
    } else if (isFlagReason(reason)) {
      counts[COUNTED_AS[reason]] += results;
    }
  }
  return counts;
}

function isFlagReason(reason: string | null): reason is FlagReason {
  return reason !== null && reason in COUNTED_AS;
}

export interface RunFilter {
  readonly mode?: Mode | undefined;
  readonly gateway?: string | undefined;
  readonly period?: string | undefined;
  readonly state?: string | undefined;
}

const RUNS = list((db, $: Given<ValuesOf<RunFilter>>) => {
  const runs = db.selectFrom('reconciliation_runs as u');
  const eb = expressionBuilder(runs);
  return {
    rows: runs.select([
      'u.id',
      'u.reference',
      'u.mode',
      'u.gateway',
      'u.period',
      'u.state',
      'u.step',
      'u.linesDone',
      'u.movementsDone',
      'u.ledgerBalanced',
      'u.problem',
      'u.startedByOperatorId',
      'u.createdAt',
      'u.endedAt',
    ]),
    conditions: {
      mode: eb('u.mode', '=', $('mode')),
      gateway: eb('u.gateway', '=', $('gateway')),
      period: eb('u.period', '=', $('period')),
      state: sql<boolean>`u.state = ${$('state')}`,
    },
    orders: { id: ['u.id'] },
  };
});

export type ListedRun = ListRow<typeof RUNS>;

export function listRuns(
  statements: Statements,
  { filter, slice }: { readonly filter: RunFilter; readonly slice: ListSlice },
): Promise<ListPage<ListedRun>> {
  return RUNS.page(statements, { filter, sortBy: 'id', slice });
}

const NEWEST = statement((db, $: Given<Matched & { since: Date }>) =>
  db
    .selectFrom('reconciliation_runs')
    .select([
      'id',
      'reference',
      'mode',
      'gateway',
      'period',
      'state',
      'step',
      'linesDone',
      'movementsDone',
      'ledgerBalanced',
      'problem',
      'startedByOperatorId',
      'createdAt',
      'endedAt',
    ])
    .where('mode', '=', $('mode'))
    .where('gateway', '=', $('gateway'))
    .where('period', '=', $('period'))
    .where((eb) => eb.or([eb('state', '=', 'RUNNING'), eb('endedAt', '>=', $('since'))]))
    .orderBy('id', 'desc')
    .limit(1),
);

/** Returns the run that runs, or the newest one that has ended since. */
export async function newestRun(
  statements: Statements,
  wanted: Matched & { readonly since: Date },
): Promise<RowOf<typeof NEWEST> | null> {
  return (await NEWEST.first(statements, wanted)) ?? null;
}
