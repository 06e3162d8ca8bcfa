import type { Database } from '../../../database/connection.ts';

/** How long rows that are no longer evidence are kept, in days. */
export interface Retention {
  /** Callbacks without money. Those of a charged attempt are kept with the ledger. */
  readonly callbackDays: number;
  /** Idempotency keys, counted from their expiry. */
  readonly keyDays: number;
  /** Attempts to deliver an event. The event itself is kept. */
  readonly deliveryDays: number;
  /** Operators' sessions, counted from their end. */
  readonly sessionDays: number;
}

/** Limit of deleted rows per statement, so that none holds its locks for long. */
export const RETIRED_MAX = 1_000;

/**
 * Callbacks are checked once, when their time is over. Those with money are marked as kept and never checked again, so that a run stays cheap however
 * many are kept. Those not handled yet, or with an open payment, wait.
 */
const RETIRE_CALLBACKS = `with due as (
    select c.id, exists (select from payment_attempts t where t.id = c.attempt_id and t.status = 'CONFIRMED')
        or exists (select from unapplied_payments l where l.attempt_id = c.attempt_id) as of_money
    from gateway_callbacks c
    where not c.kept and c.consumed_at is not null and c.created_at < now() - ? * interval '1 day'
      and not exists (select from payments p where p.id = c.payment_id and p.status in ('CREATED', 'PENDING'))
    order by c.created_at limit ${RETIRED_MAX} for update of c skip locked),
  marked as (update gateway_callbacks set kept = true where id in (select id from due where of_money) returning 1),
  removed as (delete from gateway_callbacks where id in (select id from due where not of_money) returning 1)
  select (select count(*) from due)::integer as found, (select count(*) from removed)::integer as removed`;

const RETIRE_KEYS = `with removed as (
    delete from idempotency_keys where ctid = any(array(
      select ctid from idempotency_keys where expires_at <= now() - ? * interval '1 day' limit ${RETIRED_MAX})) returning 1)
  select count(*)::integer as found, count(*)::integer as removed from removed`;

/** Attempts of events that are still being delivered are not deleted. */
const RETIRE_DELIVERIES = `with removed as (
    delete from webhook_attempts where id in (
      select a.id from webhook_attempts a join webhook_events e on e.id = a.webhook_event_id
      where a.created_at < now() - ? * interval '1 day' and e.delivery_status in ('DELIVERED', 'PARKED')
      order by a.created_at limit ${RETIRED_MAX}) returning 1)
  select count(*)::integer as found, count(*)::integer as removed from removed`;

const RETIRE_SESSIONS = `with removed as (
    delete from operator_sessions where id in (
      select id from operator_sessions where least(ended_at, expires_at) < now() - ? * interval '1 day'
      order by least(ended_at, expires_at) limit ${RETIRED_MAX}) returning 1)
  select count(*)::integer as found, count(*)::integer as removed from removed`;

export interface Retired {
  /** Rows that were checked: fewer than `RETIRED_MAX` if nothing is left. */
  readonly found: number;
  readonly removed: number;
}

/** Each function deletes one batch of rows past their retention. */
export const RETIREMENTS = {
  callbacks: (database: Database, { callbackDays }: Retention) => retire(database, RETIRE_CALLBACKS, callbackDays),
  keys: (database: Database, { keyDays }: Retention) => retire(database, RETIRE_KEYS, keyDays),
  deliveries: (database: Database, { deliveryDays }: Retention) => retire(database, RETIRE_DELIVERIES, deliveryDays),
  sessions: (database: Database, { sessionDays }: Retention) => retire(database, RETIRE_SESSIONS, sessionDays),
} as const;

async function retire(database: Database, statement: string, days: number): Promise<Retired> {
  const [row] = await database.withSystem((em) => em.execute<Retired[]>(statement, [days]));
  return row ?? { found: 0, removed: 0 };
}
