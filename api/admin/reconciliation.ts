import { z } from 'zod';
import { cancelOwnRun } from '../../core/reconciliation/cancel-run.ts';
import { startRuns } from '../../core/reconciliation/start-runs.ts';
import {
  type ListedResult,
  type ListedRun,
  listResults,
  listRuns,
} from '../../core/reconciliation/store/result-list.ts';
import { findRun } from '../../core/reconciliation/store/runs.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { toBoundedJsonInteger, toJsonInteger } from '../../domain/money.ts';
import type { FlagReason } from '../../domain/payouts/matching.ts';
import { FLAG_REASONS } from '../../domain/payouts/matching.ts';
import { wordsOfDetail } from '../../domain/payouts/verdict-words.ts';
import type { AppView } from '../../domain/permissions.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { AdminDependencies } from './dependencies.ts';
import {
  ReconciliationResult,
  ReconciliationRun,
  ResultsQuery,
  RunParams,
  RunsQuery,
  RunSummary,
  StartRunsQuery,
} from './reconciliation-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Reconciliation';

/** Returns the routes by which operators match payouts with payments, and read what was found. */
export function reconciliationRoutes(deps: AdminDependencies): AdminRoute[] {
  return [start(deps), runs(deps), run(deps), cancel(deps), results(deps)];
}

function start(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/reconciliation/runs',
    operationId: 'startReconciliation',
    tag: TAG,
    summary: 'Match a day’s payout lines with payments and refunds',
    description:
      'Starts a run for each gateway, and answers once they have ended, or after 25 seconds with the counts so far. Nothing is adjusted: each difference becomes a case. A day can be run again at any time. LIVE unless `mode` is TEST.',
    permission: 'report:read',
    query: StartRunsQuery,
    response: { status: 200, schema: RunSummary },
    errors: [],
    handler: async ({ caller, query: { period, mode = 'LIVE', gateway } }) => {
      const known = deps.gateways.names;
      if (gateway !== undefined && !known.includes(gateway)) {
        throw new DomainError('VALIDATION_ERROR', 'The request has invalid fields.', {
          fields: { gateway: 'is not a gateway of this installation' },
        });
      }
      const gateways = gateway === undefined ? known : [gateway];
      const started = await startRuns(deps, caller, { mode, period, gateways });
      const states = started.runs.map(({ state }) => state);
      const isRunning = started.runs.length < gateways.length || states.includes('RUNNING');
      return {
        status: 200,
        data: {
          period,
          ...started.counts,
          ledgerBalanced: started.runs.every(({ ledgerBalanced }) => ledgerBalanced !== false),
          runId: started.runs[0]?.reference ?? null,
          state: isRunning ? 'RUNNING' : (states.find((state) => state !== 'COMPLETED') ?? 'COMPLETED'),
          runs: started.runs.map((one) => runView(one, caller.view)),
        },
      };
    },
  });
}

function runs(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/reconciliation/runs',
    operationId: 'listReconciliationRuns',
    tag: TAG,
    summary: 'List runs',
    permission: 'report:read',
    query: RunsQuery,
    response: { status: 200, schema: z.array(ReconciliationRun), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'id');
      const page = await deps.database.withOperator(caller.view, (em) => listRuns(em, { filter: query, slice }));
      return {
        status: 200,
        data: page.rows.map((one) => runView(one, caller.view)),
        pagination: paginationOf(slice, page),
      };
    },
  });
}

function run(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/reconciliation/runs/{reference}',
    operationId: 'getReconciliationRun',
    tag: TAG,
    summary: 'Retrieve a run with its progress',
    permission: 'report:read',
    params: RunParams,
    response: { status: 200, schema: ReconciliationRun },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => {
      const found = await deps.database.withOperator(caller.view, (em) => findRun(em, params.reference));
      if (found === null) {
        throw notFound('run');
      }
      return { status: 200, data: runView(found, caller.view) };
    },
  });
}

function cancel(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/reconciliation/runs/{reference}/cancel',
    operationId: 'cancelReconciliationRun',
    tag: TAG,
    summary: 'Stop a run; what it has found stays',
    permission: 'reconciliation:manage',
    params: RunParams,
    response: { status: 200, schema: ReconciliationRun },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: runView(await cancelOwnRun(deps, caller, params.reference), caller.view),
    }),
  });
}

function results(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/reconciliation/results',
    operationId: 'listReconciliationResults',
    tag: TAG,
    summary: 'List what reconciliation says of payout lines, payments and refunds',
    description:
      'Each line has one result, and each payment and refund without a line has one. MATCHED: explained. FLAGGED: `reason`, `code` and `detail` say what differs. DEFERRED: not due or not confirmed yet.',
    permission: 'report:read',
    query: ResultsQuery,
    response: { status: 200, schema: z.array(ReconciliationResult), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'id');
      const page = await deps.database.withOperator(caller.view, (em) => listResults(em, { filter: query, slice }));
      return { status: 200, data: page.rows.map(resultView), pagination: paginationOf(slice, page) };
    },
  });
}

type ShownRun = Omit<ListedRun, 'id'>;

function runView(one: ShownRun, view: AppView): z.infer<typeof ReconciliationRun> {
  return {
    runId: one.reference,
    mode: one.mode,
    gateway: one.gateway,
    period: one.period,
    state: one.state,
    step: one.step,
    ledgerBalanced: one.ledgerBalanced,
    problem: view === 'every-app' ? one.problem : null,
    startedAt: one.createdAt.toISOString(),
    endedAt: one.endedAt?.toISOString() ?? null,
    progress: view === 'every-app' ? { lines: one.linesDone, movements: one.movementsDone } : null,
  };
}

const whole = (id: bigint | null) => (id === null ? null : toJsonInteger(id));
const sum = (sumMinor: bigint | null) => (sumMinor === null ? null : toBoundedJsonInteger(sumMinor));

function resultView(result: ListedResult): z.infer<typeof ReconciliationResult> {
  return {
    id: toJsonInteger(result.id),
    period: result.period,
    mode: result.mode,
    gateway: result.gateway,
    storeId: result.storeId,
    applicationId: whole(result.applicationId),
    paymentId: whole(result.paymentId),
    paymentReference: result.paymentReference,
    refundId: whole(result.refundId),
    refundReference: result.refundReference,
    payout: result.payoutReference,
    lineKind: result.lineKind,
    gatewayTxnId: result.gatewayTxnId,
    currency: result.currency,
    expectedMinor: sum(result.expectedMinor),
    settledMinor: sum(result.settledMinor),
    feeExpectedMinor: sum(result.feeExpectedMinor),
    feeSettledMinor: sum(result.feeSettledMinor),
    status: result.status,
    reason: reasonOf(result.reason),
    code: result.detail,
    detail: wordsOfDetail(result.detail),
    acceptedAt: result.acceptedAt?.toISOString() ?? null,
    createdAt: result.createdAt.toISOString(),
    updatedAt: result.updatedAt.toISOString(),
  };
}

function reasonOf(reason: string | null): FlagReason | null {
  return FLAG_REASONS.find((known) => known === reason) ?? null;
}
