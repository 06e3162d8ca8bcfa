import { z } from 'zod';
import { listDisputes, type ListedDispute } from '../../core/disputes/store/dispute-list.ts';
import { toBoundedJsonInteger, toJsonInteger } from '../../domain/money.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { AdminDependencies } from './dependencies.ts';
import { DisputeDetail, DisputesQuery } from './dispute-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';

/** Returns the routes for disputes. They are answered at the gateway. */
export function disputeRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/disputes',
    operationId: 'listDisputes',
    tag: 'Disputes',
    summary: 'List charges that payers dispute',
    description: 'As the gateway states them. Answer a dispute in the gateway’s panel before `respondBy`.',
    permission: 'payment:read',
    query: DisputesQuery,
    response: { status: 200, schema: z.array(DisputeDetail), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'id');
      const page = await deps.database.withOperator(caller.view, (em) => listDisputes(em, { filter: query, slice }));
      return { status: 200, data: page.rows.map(disputeView), pagination: paginationOf(slice, page) };
    },
  });
}

function disputeView(dispute: ListedDispute): z.infer<typeof DisputeDetail> {
  return {
    id: toJsonInteger(dispute.id),
    applicationId: toJsonInteger(dispute.applicationId),
    applicationName: dispute.applicationName,
    mode: dispute.mode,
    paymentId: toJsonInteger(dispute.paymentId),
    paymentReference: dispute.paymentReference,
    gateway: dispute.gateway,
    storeId: dispute.storeId,
    gatewayTxnId: dispute.gatewayTxnId,
    gatewayDisputeId: dispute.gatewayDisputeId,
    status: dispute.status,
    gatewayStatus: dispute.gatewayStatus,
    reason: dispute.reason,
    amountMinor: dispute.amountMinor === null ? null : toJsonInteger(dispute.amountMinor),
    currency: dispute.currency,
    movedMinor: toBoundedJsonInteger(dispute.movedMinor),
    case: dispute.caseReference,
    respondBy: dispute.respondBy?.toISOString() ?? null,
    endedAt: dispute.endedAt?.toISOString() ?? null,
    queriedAt: dispute.queriedAt?.toISOString() ?? null,
    createdAt: dispute.createdAt.toISOString(),
    updatedAt: dispute.updatedAt.toISOString(),
  };
}
