import { z } from 'zod';
import { locatePayment, locateRefund } from '../../core/operators/store/money.ts';
import { approveRefund, auditStarted, rejectRefund, resolveRefund } from '../../core/refunds/operator-decisions.ts';
import { listAllRefunds } from '../../core/refunds/store/refund-list.ts';
import { notFound } from '../../domain/errors.ts';
import { refundView } from '../../domain/refund-view.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import { makeRefund } from '../native/create-refund.ts';
import { Refund } from '../native/schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import { CreateOperatorRefund, DecidedRefund, Reason, RefundReviewBody, RefundsQuery } from './money-schemas.ts';
import { momentRange, reviewFilter } from './filters.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Refunds by operators';

/** Returns the routes by which operators start, approve, reject and resolve refunds. Operators cannot approve their own refunds. */
export function refundAdminRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), read(deps), create(deps), approve(deps), reject(deps), review(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/refunds',
    operationId: 'listAllRefunds',
    tag: TAG,
    summary: 'List refunds',
    permission: 'refund:read',
    query: RefundsQuery,
    response: { status: 200, schema: z.array(Refund), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { underReview, from: _from, to: _to, ...rest } = query;
      const filter = { ...rest, ...reviewFilter(underReview), ...momentRange(query) };
      const { rows, total, nextCursor } = await deps.database.withOperator(caller.view, (em) =>
        listAllRefunds(em, { filter, sortBy: slice.sortBy, slice }),
      );
      return {
        status: 200,
        data: rows.map(refundView),
        pagination: paginationOf(slice, { total, nextCursor }),
      };
    },
  });
}

function read(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/refunds/{id}',
    operationId: 'getAnyRefund',
    tag: TAG,
    summary: 'Retrieve a refund',
    permission: 'refund:read',
    params: IdParams,
    response: { status: 200, schema: Refund },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => {
      const found = await deps.database.withOperator(caller.view, (em) => locateRefund(em, params.id));
      if (found === null) {
        throw notFound('refund');
      }
      return { status: 200, data: refundView(found.refund) };
    },
  });
}

function create(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/payments/{id}/refunds',
    operationId: 'createRefundByOperator',
    tag: TAG,
    summary: 'Create a refund; above the application’s threshold it needs a second operator’s approval',
    permission: 'refund:create',
    params: IdParams,
    body: CreateOperatorRefund,
    response: { status: 201, schema: Refund },
    idempotent: true,
    errors: [
      'RESOURCE_NOT_FOUND',
      'INVALID_OPERATION_STATE',
      'REFUND_EXCEEDS_BALANCE',
      'IDEMPOTENCY_KEY_CONFLICT',
      'IDEMPOTENCY_IN_PROGRESS',
    ],
    links: { readRefund: { operationId: 'getAnyRefund', parameters: { id: '$response.body#/data/id' } } },
    handler: async ({ caller, params, body, rawBody, headers }) => {
      const found = await deps.database.withOperator(caller.view, (em) => locatePayment(em, params.id));
      if (found === null) {
        throw notFound('payment');
      }
      return makeRefund(deps, {
        ...found,
        paymentId: params.id,
        body,
        rawBody,
        operation: `POST /admin/payments/{id}/refunds by operator ${caller.operator.id}`,
        idempotencyKey: headers['idempotency-key'],
        creator: { type: 'USER', operatorId: caller.operator.id },
        note: (statements, refund) => auditStarted(statements, { actor: caller.actor, refund, reason: body.reason }),
      });
    },
  });
}

function approve(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/refunds/{id}/approve',
    operationId: 'approveRefund',
    tag: TAG,
    summary: 'Approve a refund created by another operator',
    permission: 'refund:approve',
    sensitive: true,
    params: IdParams,
    response: { status: 200, schema: Refund },
    errors: ['RESOURCE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: refundView(await approveRefund(deps, caller, params.id)),
    }),
  });
}

function reject(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/refunds/{id}/reject',
    operationId: 'rejectRefund',
    tag: TAG,
    summary: 'Reject a refund created by another operator',
    permission: 'refund:approve',
    sensitive: true,
    params: IdParams,
    body: Reason,
    response: { status: 200, schema: Refund },
    errors: ['RESOURCE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => ({
      status: 200,
      data: refundView(await rejectRefund(deps, caller, { refundId: params.id, ...body })),
    }),
  });
}

function review(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/refunds/{id}/review',
    operationId: 'reviewRefund',
    tag: TAG,
    summary: 'Resolve a refund under review',
    permission: 'payment:review',
    sensitive: true,
    params: IdParams,
    body: RefundReviewBody,
    response: { status: 200, schema: DecidedRefund },
    errors: ['RESOURCE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body: { decision: finding, reason } }) => {
      const { refund, decision } = await resolveRefund(deps, caller, { refundId: params.id, finding, reason });
      return { status: 200, data: { refund: refundView(refund), decision } };
    },
  });
}
