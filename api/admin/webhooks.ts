import { z } from 'zod';
import { recoverEvents, resendEvent } from '../../core/webhooks/resend.ts';
import {
  listAllEvents,
  listAttempts,
  readEventDetail,
  type EventDetail,
} from '../../core/webhooks/store/event-list.ts';
import { maskCardNumbers } from '../../domain/card-number.ts';
import { notFound } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { circuitState } from '../../domain/webhook.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { AdminDependencies } from './dependencies.ts';
import { instantOf } from './filters.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { RecoveredWebhooks, RecoverWebhooks, WebhookAttempt, WebhookEvent, WebhooksQuery } from './webhook-schemas.ts';

const TAG = 'Deliveries';

/** Returns the routes for webhook deliveries: their attempts, and sending them again. */
export function webhookRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), read(deps), attempts(deps), resend(deps), recover(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/webhooks',
    operationId: 'listWebhooks',
    tag: TAG,
    summary: 'List events and their delivery status',
    permission: 'audit:read',
    query: WebhooksQuery,
    response: { status: 200, schema: z.array(WebhookEvent), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { rows, total, nextCursor } = await deps.database.withOperator(caller.view, (em) =>
        listAllEvents(em, { filter: query, slice }),
      );
      return { status: 200, data: rows.map(eventView), pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

function read(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/webhooks/{id}',
    operationId: 'getWebhook',
    tag: TAG,
    summary: 'Retrieve an event and its delivery status',
    permission: 'audit:read',
    params: IdParams,
    response: { status: 200, schema: WebhookEvent },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => {
      const event = await deps.database.withOperator(caller.view, (em) => readEventDetail(em, params.id));
      if (event === null) {
        throw notFound('webhook event');
      }
      return { status: 200, data: eventView(event) };
    },
  });
}

function attempts(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/webhooks/{id}/attempts',
    operationId: 'listWebhookAttempts',
    tag: TAG,
    summary: 'List the delivery attempts of an event, oldest first',
    permission: 'audit:read',
    params: IdParams,
    response: { status: 200, schema: z.array(WebhookAttempt) },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        if ((await readEventDetail(em, params.id)) === null) {
          throw notFound('webhook event');
        }
        const rows = await listAttempts(em, params.id);
        return rows.map((row) => ({
          number: row.number,
          responseStatus: row.responseStatus,
          error: row.error,
          responseExcerpt: row.responseExcerpt === null ? null : maskCardNumbers(row.responseExcerpt),
          durationMs: row.durationMs,
          createdAt: row.createdAt.toISOString(),
        }));
      }),
    }),
  });
}

function resend(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/webhooks/{id}/resend',
    operationId: 'resendWebhook',
    tag: TAG,
    summary: 'Resend an event immediately with the same id and body',
    permission: 'app:manage',
    params: IdParams,
    response: { status: 200, schema: WebhookEvent },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: eventView(await resendEvent(deps, caller, params.id)),
    }),
  });
}

function recover(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/apps/{id}/webhooks/recover',
    operationId: 'recoverWebhooks',
    tag: TAG,
    summary: 'Resend all parked events since a given time',
    permission: 'app:manage',
    params: IdParams,
    body: RecoverWebhooks,
    response: { status: 200, schema: RecoveredWebhooks },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params, body: { since, mode = null } }) => {
      const wanted = { applicationId: params.id, mode, since: instantOf(since) };
      return { status: 200, data: { recovered: await recoverEvents(deps, caller, wanted) } };
    },
  });
}

function eventView(row: EventDetail) {
  return {
    id: toJsonInteger(row.id),
    eventId: row.eventId,
    applicationId: toJsonInteger(row.applicationId),
    mode: row.mode,
    type: row.type,
    contract: row.contract,
    schemaVersion: row.schemaVersion,
    payload: row.payload,
    deliveryStatus: row.deliveryStatus,
    attempts: row.attempts,
    lastResponseStatus: row.lastResponseStatus,
    lastError: row.lastError,
    nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
    lastAttemptAt: row.lastAttemptAt?.toISOString() ?? null,
    deliveredAt: row.deliveredAt?.toISOString() ?? null,
    circuit: circuitView(row),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function circuitView({ circuitOpenUntil, readAt }: Pick<EventDetail, 'circuitOpenUntil' | 'readAt'>) {
  const state = circuitState({ circuitOpenUntil }, readAt);
  return { state, until: state === 'open' ? (circuitOpenUntil?.toISOString() ?? null) : null };
}
