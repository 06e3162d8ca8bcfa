import { z } from 'zod';
import { refundOrKeep } from '../../core/unapplied-payments/operator-decisions.ts';
import { listAllUnapplied, type UnappliedDetail } from '../../core/unapplied-payments/store/unapplied-list.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { AdminDependencies } from './dependencies.ts';
import { UnappliedDecisionBody, UnappliedPaymentDetail, UnappliedPaymentsQuery } from './money-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Unapplied money';

/** Returns the routes for unapplied payments: an operator refunds each one or lets the application keep it. */
export function unappliedPaymentAdminRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), decideOne(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/unapplied-payments',
    operationId: 'listUnappliedPayments',
    tag: TAG,
    summary: 'List unapplied payments',
    permission: 'payment:read',
    query: UnappliedPaymentsQuery,
    response: { status: 200, schema: z.array(UnappliedPaymentDetail), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { rows, total, nextCursor } = await deps.database.withOperator(caller.view, (em) =>
        listAllUnapplied(em, { filter: query, sortBy: slice.sortBy, slice }),
      );
      return { status: 200, data: rows.map(unappliedView), pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

function decideOne(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/unapplied-payments/{id}',
    operationId: 'decideUnappliedPayment',
    tag: TAG,
    summary: 'Refund or keep an unapplied payment; above the application’s threshold two operators must agree',
    permission: 'payment:review',
    sensitive: true,
    params: IdParams,
    body: UnappliedDecisionBody,
    response: { status: 200, schema: UnappliedPaymentDetail },
    errors: ['RESOURCE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => ({
      status: 200,
      data: unappliedView(await refundOrKeep(deps, caller, { unappliedPaymentId: params.id, ...body })),
    }),
  });
}

function unappliedView({ decision, awaitsSecond, ...unapplied }: UnappliedDetail) {
  return {
    id: toJsonInteger(unapplied.id),
    paymentId: toJsonInteger(unapplied.paymentId),
    paymentReference: unapplied.paymentReference,
    paymentStatus: unapplied.paymentStatus,
    applicationId: toJsonInteger(unapplied.applicationId),
    applicationName: unapplied.applicationName,
    mode: unapplied.mode,
    status: unapplied.status,
    kind: unapplied.kind === 'overpayment' ? ('OVERPAYMENT' as const) : ('LATE' as const),
    amountMinor: toJsonInteger(unapplied.grossMinor),
    feeMinor: toJsonInteger(unapplied.feeMinor),
    currency: unapplied.currency,
    gateway: unapplied.gateway,
    gatewayTxnId: unapplied.gatewayTxnId,
    decision: decision === null ? null : { decision, awaitsSecondPerson: awaitsSecond === true },
    createdAt: unapplied.createdAt.toISOString(),
    updatedAt: unapplied.updatedAt.toISOString(),
  };
}
