import { z } from 'zod';
import { recordAudit } from '../../core/operators/store/audit.ts';
import { readApplication } from '../../core/applications/store/administration.ts';
import { listRows } from '../../database/lists.ts';
import type { EntityManager } from '../../database/connection.ts';
import { maskCardNumbers } from '../../domain/card-number.ts';
import type { Contract } from '../../domain/contract.ts';
import type { Mode } from '../../domain/mode.ts';
import { notFound } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import type { DeliveryStatus, EventType } from '../../domain/webhook.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { AdminDependencies } from './dependencies.ts';
import { instantOf } from './filters.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { RecoveredWebhooks, RecoverWebhooks, WebhookAttempt, WebhookEvent, WebhooksQuery } from './webhook-schemas.ts';

const TAG = 'Deliveries';
const ATTEMPTS_MAX = 500;

/** Returns the routes for webhook deliveries: their attempts, and sending them again. */
export function webhookRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), attempts(deps), resend(deps), recover(deps)];
}

interface EventRow {
  id: string;
  event_id: string;
  application_id: string;
  mode: Mode;
  type: EventType;
  contract: Contract;
  schema_version: number;
  payload: string;
  delivery_status: DeliveryStatus;
  attempts: number;
  last_response_status: number | null;
  last_error: string | null;
  next_attempt_at: Date | null;
  last_attempt_at: Date | null;
  delivered_at: Date | null;
  created_at: Date;
  updated_at: Date;
  reference: string;
}

const COLUMNS = 'e.*, coalesce(p.reference, i.reference) as reference';
const FROM = 'webhook_events e left join payments p on p.id = e.payment_id left join invoices i on i.id = e.invoice_id';

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
        listRows<EventRow>(em, {
          columns: COLUMNS,
          from: FROM,
          conditions: [
            ['e.application_id = ?', query.applicationId],
            ['e.mode = ?', query.mode],
            ['e.type = ?', query.type],
            ['e.delivery_status = ?', query.deliveryStatus],
          ],
          orderBy: ['e.created_at', 'e.id'],
          slice,
        }),
      );
      return { status: 200, data: rows.map(eventView), pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

interface AttemptRow {
  number: number;
  response_status: number | null;
  error: string | null;
  response_excerpt: string | null;
  duration_ms: number;
  created_at: Date;
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
        await readEvent(em, params.id);
        const rows = await em.execute<AttemptRow[]>(
          `select number, response_status, error, response_excerpt, duration_ms, created_at from webhook_attempts
           where webhook_event_id = ? order by number limit ${ATTEMPTS_MAX}`,
          [params.id],
        );
        return rows.map((row) => ({
          number: row.number,
          responseStatus: row.response_status,
          error: row.error,
          responseExcerpt: row.response_excerpt === null ? null : maskCardNumbers(row.response_excerpt),
          durationMs: row.duration_ms,
          createdAt: new Date(row.created_at).toISOString(),
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
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => {
      const row = await deps.database.withOperator(caller.view, async (em) => {
        const event = await readEvent(em, params.id);
        const target = { type: 'webhook-event', id: event.event_id };
        const application = { id: BigInt(event.application_id), mode: event.mode };
        await recordAudit(em, { actor: caller.actor, action: 'webhook.resent', target, application });
        return event;
      });
      const { event_id: eventId, application_id: applicationId, mode, type, reference } = row;
      await deps.dispatch.resendDelivery({ eventId, applicationId: BigInt(applicationId), mode, type, reference });
      return { status: 200, data: eventView(row) };
    },
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
    handler: async ({ caller, params, body }) => {
      const since = instantOf(body.since);
      const { mode = null } = body;
      const recovered = await deps.database.withOperator(caller.view, async (em) => {
        await readApplication(em, params.id);
        const rows = await em.execute<object[]>(
          `update webhook_events set next_sweep_at = now(), updated_at = now()
           where application_id = ? and mode = coalesce(?::text, mode) and delivery_status = 'PARKED'
             and created_at >= ?::timestamptz returning 1`,
          [params.id, mode, since],
        );
        await recordAudit(em, {
          actor: caller.actor,
          action: 'webhook.recovered',
          target: { type: 'application', id: params.id },
          application: { id: params.id },
          after: { since, mode, recovered: rows.length },
        });
        return rows.length;
      });
      return { status: 200, data: { recovered } };
    },
  });
}

async function readEvent(em: EntityManager, id: bigint): Promise<EventRow> {
  const [row] = await em.execute<EventRow[]>(`select ${COLUMNS} from ${FROM} where e.id = ?`, [id]);
  if (row === undefined) {
    throw notFound('webhook event');
  }
  return row;
}

function eventView(row: EventRow) {
  return {
    id: toJsonInteger(BigInt(row.id)),
    eventId: row.event_id,
    applicationId: toJsonInteger(BigInt(row.application_id)),
    mode: row.mode,
    type: row.type,
    contract: row.contract,
    schemaVersion: row.schema_version,
    payload: row.payload,
    deliveryStatus: row.delivery_status,
    attempts: row.attempts,
    lastResponseStatus: row.last_response_status,
    lastError: row.last_error,
    nextAttemptAt: instant(row.next_attempt_at),
    lastAttemptAt: instant(row.last_attempt_at),
    deliveredAt: instant(row.delivered_at),
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  };
}

function instant(moment: Date | null): string | null {
  return moment === null ? null : new Date(moment).toISOString();
}
