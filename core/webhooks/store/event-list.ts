import type { EntityManager } from '../../../database/connection.ts';
import { listRows, type ListPage, type ListSlice } from '../../../database/lists.ts';
import type { Contract } from '../../../domain/contract.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { DeliveryStatus, EventType } from '../../../domain/webhook.ts';

const ATTEMPTS_MAX = 500;

/** An event as operators see it. */
export interface EventDetailRow {
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

export interface EventFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly type?: EventType | undefined;
  readonly deliveryStatus?: DeliveryStatus | undefined;
}

/** Returns a page of the events in an operator's view. */
export function listAllEvents(
  em: EntityManager,
  { filter, slice }: { readonly filter: EventFilter; readonly slice: ListSlice },
): Promise<ListPage<EventDetailRow>> {
  return listRows(em, {
    columns: COLUMNS,
    from: FROM,
    conditions: [
      ['e.application_id = ?', filter.applicationId],
      ['e.mode = ?', filter.mode],
      ['e.type = ?', filter.type],
      ['e.delivery_status = ?', filter.deliveryStatus],
    ],
    orderBy: ['e.created_at', 'e.id'],
    slice,
  });
}

/** Returns null if the operator's view has no such event. */
export async function readEventDetail(em: EntityManager, id: bigint): Promise<EventDetailRow | null> {
  const [row] = await em.execute<EventDetailRow[]>(`select ${COLUMNS} from ${FROM} where e.id = ?`, [id]);
  return row ?? null;
}

export interface AttemptDetailRow {
  number: number;
  response_status: number | null;
  error: string | null;
  response_excerpt: string | null;
  duration_ms: number;
  created_at: Date;
}

/** Returns the delivery attempts of an event, oldest first. */
export function listAttempts(em: EntityManager, eventId: bigint): Promise<AttemptDetailRow[]> {
  return em.execute<AttemptDetailRow[]>(
    `select number, response_status, error, response_excerpt, duration_ms, created_at from webhook_attempts
     where webhook_event_id = ? order by number limit ${ATTEMPTS_MAX}`,
    [eventId],
  );
}

/** Makes the parked events of an application since a time due again. Returns how many there are. */
export async function recoverParked(
  em: EntityManager,
  { applicationId, mode, since }: { readonly applicationId: bigint; readonly mode: Mode | null; readonly since: Date },
): Promise<number> {
  const rows = await em.execute<object[]>(
    `update webhook_events set next_sweep_at = now(), updated_at = now()
     where application_id = ? and mode = coalesce(?::text, mode) and delivery_status = 'PARKED'
       and created_at >= ?::timestamptz returning 1`,
    [applicationId, mode, since],
  );
  return rows.length;
}
