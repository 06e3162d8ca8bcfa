import { expressionBuilder, type Kysely } from 'kysely';
import { now } from '../../../database/expressions.ts';
import { list, type ListPage, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { DeliveryStatus, EventType } from '../../../domain/webhook.ts';

const ATTEMPTS_MAX = 500;

function events(db: Kysely<Tables>) {
  return db
    .selectFrom('webhook_events as e')
    .leftJoin('payments as p', 'p.id', 'e.paymentId')
    .leftJoin('invoices as i', 'i.id', 'e.invoiceId')
    .leftJoin('webhook_endpoints as w', (join) =>
      join.onRef('w.applicationId', '=', 'e.applicationId').onRef('w.mode', '=', 'e.mode'),
    )
    .select([
      'e.id',
      'e.eventId',
      'e.applicationId',
      'e.mode',
      'e.type',
      'e.contract',
      'e.schemaVersion',
      'e.payload',
      'e.deliveryStatus',
      'e.attempts',
      'e.lastResponseStatus',
      'e.lastError',
      'e.nextAttemptAt',
      'e.lastAttemptAt',
      'e.deliveredAt',
      'e.createdAt',
      'e.updatedAt',
      'w.circuitOpenUntil',
      now.as('readAt'),
    ])
    .select((eb) => eb.fn.coalesce('p.reference', 'i.reference').$notNull().as('reference'));
}

export interface EventFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly type?: EventType | undefined;
  readonly deliveryStatus?: DeliveryStatus | undefined;
}

const LIST = list((db, $: Given<ValuesOf<EventFilter>>) => {
  const eb = expressionBuilder<Tables & { e: Tables['webhook_events'] }, 'e'>();
  return {
    rows: events(db),
    conditions: {
      applicationId: eb('e.applicationId', '=', $('applicationId')),
      mode: eb('e.mode', '=', $('mode')),
      type: eb('e.type', '=', $('type')),
      deliveryStatus: eb('e.deliveryStatus', '=', $('deliveryStatus')),
    },
    orders: { id: ['e.id'] },
  };
});

/** Returns a page of the events in an operator's view. */
export function listAllEvents(
  statements: Statements,
  { filter, slice }: { readonly filter: EventFilter; readonly slice: ListSlice },
): Promise<ListPage<EventDetail>> {
  return LIST.page(statements, { filter, sortBy: 'id', slice });
}

const READ = statement((db, $: Given<{ id: bigint }>) => events(db).where('e.id', '=', $('id')));

/** An event as operators see it. */
export type EventDetail = RowOf<typeof READ>;

/** Returns null if the operator's view has no such event. */
export async function readEventDetail(statements: Statements, id: bigint): Promise<EventDetail | null> {
  return (await READ.first(statements, { id })) ?? null;
}

const ATTEMPTS = statement((db, $: Given<{ eventId: bigint }>) =>
  db
    .selectFrom('webhook_attempts')
    .select(['number', 'responseStatus', 'error', 'responseExcerpt', 'durationMs', 'createdAt'])
    .where('webhookEventId', '=', $('eventId'))
    .orderBy('number')
    .limit(ATTEMPTS_MAX),
);

/** Returns the delivery attempts of an event, oldest first. */
export function listAttempts(statements: Statements, eventId: bigint): Promise<RowOf<typeof ATTEMPTS>[]> {
  return ATTEMPTS.all(statements, { eventId });
}

interface Parked {
  readonly applicationId: bigint;
  readonly mode: Mode | null;
  readonly since: Date;
}

const RECOVER = statement((db, $: Given<Parked>) =>
  db
    .updateTable('webhook_events')
    .set({ nextSweepAt: now, updatedAt: now })
    .where('applicationId', '=', $('applicationId'))
    .where((eb) => eb('mode', '=', eb.fn.coalesce(eb.cast<Mode | null>($('mode'), 'text'), 'mode')))
    .where('deliveryStatus', '=', 'PARKED')
    .where('createdAt', '>=', $('since'))
    .returning('id'),
);

/** Makes the parked events of an application since a time due again. Returns how many there are. */
export async function recoverParked(statements: Statements, parked: Parked): Promise<number> {
  return (await RECOVER.all(statements, parked)).length;
}
