import { z } from 'zod';
import type { CallbackKind, CallbackOutcome } from '../../database/entities/payment.ts';
import { listRows } from '../../database/lists.ts';
import { maskCardNumbers } from '../../domain/card-number.ts';
import type { Mode } from '../../domain/mode.ts';
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

interface CallbackRow {
  id: string;
  gateway: string;
  mode: Mode;
  kind: CallbackKind;
  reference: string | null;
  payment_id: string | null;
  signature_valid: boolean;
  outcome: CallbackOutcome;
  note: string | null;
  repeats: number;
  raw_payload: string;
  created_at: Date;
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
        listRows<CallbackRow>(em, {
          columns: 'c.*',
          from: 'gateway_callbacks c',
          conditions: [
            ['c.mode = ?', query.mode],
            ['c.outcome = ?', query.outcome],
            ['c.reference = ?', query.reference],
            ['c.payment_id = ?', query.matchedPaymentId],
            ['c.gateway = ?', query.gateway],
            ['c.signature_valid = ?', signatureValid],
          ],
          orderBy: ['c.created_at', 'c.id'],
          slice,
        }),
      );
      return { status: 200, data: rows.map(callbackView), pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

function callbackView(row: CallbackRow) {
  return {
    id: toJsonInteger(BigInt(row.id)),
    gateway: row.gateway,
    mode: row.mode,
    kind: row.kind,
    reference: row.reference,
    matchedPaymentId: row.payment_id === null ? null : toJsonInteger(BigInt(row.payment_id)),
    signatureValid: row.signature_valid,
    outcome: row.outcome,
    note: row.note === null ? null : maskCardNumbers(row.note),
    repeats: row.repeats,
    // The row keeps the original text as evidence.
    rawPayload: maskCardNumbers(row.raw_payload),
    createdAt: new Date(row.created_at).toISOString(),
  };
}
