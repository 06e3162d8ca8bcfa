import { z } from 'zod';
import { confirmOrReject } from '../../core/manual-payments/operator-decisions.ts';
import { listAllSubmissions, type SubmissionDetail } from '../../core/manual-payments/store/submission-list.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { AdminDependencies } from './dependencies.ts';
import { ManualDecisionBody, ManualPayment, ManualPaymentsQuery } from './money-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Manual payments';

/** Returns the routes for payments that payers report as made without a gateway. An operator checks the account and decides. */
export function manualPaymentRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), decideOne(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/manual-payments',
    operationId: 'listManualPayments',
    tag: TAG,
    summary: 'List manual payments; defaults to those that wait for a decision',
    permission: 'payment:review',
    query: ManualPaymentsQuery,
    response: { status: 200, schema: z.array(ManualPayment), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { rows, total, nextCursor } = await deps.database.withOperator(caller.view, (em) =>
        listAllSubmissions(em, { filter: query, sortBy: slice.sortBy, slice }),
      );
      return { status: 200, data: rows.map(manualView), pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

function decideOne(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/manual-payments/{id}/decision',
    operationId: 'decideManualPayment',
    tag: TAG,
    summary: 'Confirm or reject a manual payment; above the application’s threshold two operators must agree',
    permission: 'payment:review',
    sensitive: true,
    params: IdParams,
    body: ManualDecisionBody,
    response: { status: 200, schema: ManualPayment },
    errors: ['RESOURCE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => ({
      status: 200,
      data: manualView(await confirmOrReject(deps, caller, { submissionId: params.id, ...body })),
    }),
  });
}

function manualView({ decision, ...submission }: SubmissionDetail) {
  return {
    id: toJsonInteger(submission.id),
    paymentId: toJsonInteger(submission.paymentId),
    paymentReference: submission.paymentReference,
    paymentStatus: submission.paymentStatus,
    applicationId: toJsonInteger(submission.applicationId),
    applicationName: submission.applicationName,
    mode: submission.mode,
    status: submission.status,
    amountMinor: toJsonInteger(submission.amountMinor),
    currency: submission.currency,
    storeId: submission.storeId,
    code: submission.code,
    transaction: submission.transaction,
    comparedAs: submission.normalized,
    sender: submission.sender,
    claimedByOthers: submission.claimedByOthers ?? 0,
    decision:
      decision === null
        ? null
        : {
            decision: decision === 'accept' ? ('confirm' as const) : ('reject' as const),
            awaitsSecondPerson: submission.awaitsSecond,
          },
    expiresAt: submission.expiresAt.toISOString(),
    createdAt: submission.createdAt.toISOString(),
  };
}
