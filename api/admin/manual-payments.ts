import { z } from 'zod';
import { confirmOrReject } from '../../core/manual-payments/operator-decisions.ts';
import { listAllSubmissions, type SubmissionDetailRow } from '../../core/manual-payments/store/submission-list.ts';
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

function manualView(row: SubmissionDetailRow) {
  return {
    id: toJsonInteger(BigInt(row.id)),
    paymentId: toJsonInteger(BigInt(row.payment_id)),
    paymentReference: row.payment_reference,
    paymentStatus: row.payment_status,
    applicationId: toJsonInteger(BigInt(row.application_id)),
    applicationName: row.application_name,
    mode: row.mode,
    status: row.status,
    amountMinor: toJsonInteger(BigInt(row.amount_minor)),
    currency: row.currency,
    storeId: row.store_id,
    code: row.code,
    transaction: row.transaction,
    comparedAs: row.normalized,
    sender: row.sender,
    claimedByOthers: row.claimed_by_others,
    decision:
      row.decision === null
        ? null
        : {
            decision: row.decision === 'accept' ? ('confirm' as const) : ('reject' as const),
            awaitsSecondPerson: row.awaits_second,
          },
    expiresAt: new Date(row.expires_at).toISOString(),
    createdAt: new Date(row.created_at).toISOString(),
  };
}
