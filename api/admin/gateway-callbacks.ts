import { z } from 'zod';
import { listCallbacks, type ListedCallback } from '../../core/gateway-callbacks/store/callback-list.ts';
import { maskCardNumbers } from '../../domain/card-number.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { CallbacksQuery, GatewayCallback } from './webhook-schemas.ts';

/**
 * Returns the route for gateway callbacks: their raw text with card numbers masked, and the outcome of each. Callbacks without a payment are shown
 * only to operators who can see every application.
 */
export function gatewayCallbackRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/gateway-callbacks',
    operationId: 'listGatewayCallbacks',
    tag: 'Deliveries',
    summary: 'List gateway callbacks',
    permission: 'audit:read',
    query: CallbacksQuery,
    response: { status: 200, schema: z.array(GatewayCallback), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const signatureValid = query.signatureValid === undefined ? undefined : query.signatureValid === 'true';
      const { rows, total, nextCursor } = await deps.database.withOperator(caller.view, (em) =>
        listCallbacks(em, { filter: { ...query, signatureValid }, slice }),
      );
      return { status: 200, data: rows.map(callbackView), pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

function callbackView(row: ListedCallback) {
  return {
    id: toJsonInteger(row.id),
    gateway: row.gateway,
    mode: row.mode,
    kind: row.kind,
    reference: row.reference,
    matchedPaymentId: row.paymentId === null ? null : toJsonInteger(row.paymentId),
    signatureValid: row.signatureValid,
    outcome: row.outcome,
    note: row.note === null ? null : maskCardNumbers(row.note),
    repeats: row.repeats,
    // The row keeps the original text as evidence.
    rawPayload: maskCardNumbers(row.rawPayload),
    createdAt: row.createdAt.toISOString(),
  };
}
