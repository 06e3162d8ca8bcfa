import { sql, type RawBuilder } from 'kysely';
import type { Database } from '../../../database/connection.ts';
import { minus, now, span } from '../../../database/expressions.ts';
import { statement, type Given, type TypedStatement } from '../../../database/typed-statements.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';

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

interface Days {
  readonly days: number;
}

export interface Retired {
  /** Rows that were checked: fewer than `RETIRED_MAX` if nothing is left. */
  readonly found: number;
  readonly removed: number;
}

function daysAgo($: Given<Days>): RawBuilder<Date> {
  return minus(now, span($('days'), 'day'));
}

const COUNT = sql<number>`count(*)::integer`;
/** Of statements that remove all rows that they find. */
const REMOVED = [COUNT.as('found'), COUNT.as('removed')] as const;

/**
 * Callbacks are checked once, when their time is over. Those with money are marked as kept and never checked again, so that a run stays cheap however
 * many are kept. Those not handled yet, or with an open payment, wait.
 */
const RETIRE_CALLBACKS = statement((db, $: Given<Days>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('gateway_callbacks as c')
        .select((eb) => [
          'c.id',
          eb
            .or([
              eb.exists(
                eb
                  .selectFrom('payment_attempts as t')
                  .select('t.id')
                  .whereRef('t.id', '=', 'c.attemptId')
                  .where('t.status', '=', 'CONFIRMED'),
              ),
              eb.exists(
                eb.selectFrom('unapplied_payments as l').select('l.id').whereRef('l.attemptId', '=', 'c.attemptId'),
              ),
            ])
            .$castTo<boolean>()
            .as('ofMoney'),
        ])
        .where((eb) => eb.not('c.kept'))
        .where('c.consumedAt', 'is not', null)
        .where('c.createdAt', '<', daysAgo($))
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('payments as p')
                .select('p.id')
                .whereRef('p.id', '=', 'c.paymentId')
                .where('p.status', 'in', OPEN_STATUSES),
            ),
          ),
        )
        .orderBy('c.createdAt')
        .limit(RETIRED_MAX)
        .forUpdate('c')
        .skipLocked(),
    )
    .with('marked', (q) =>
      q
        .updateTable('gateway_callbacks')
        .set({ kept: true })
        .where('id', 'in', (eb) => eb.selectFrom('due').select('due.id').where('due.ofMoney', '=', true)),
    )
    .with('removed', (q) =>
      q
        .deleteFrom('gateway_callbacks')
        .where('id', 'in', (eb) => eb.selectFrom('due').select('due.id').where('due.ofMoney', '=', false))
        .returning('id'),
    )
    .selectFrom('due')
    .select((eb) => [
      COUNT.as('found'),
      eb.fn.coalesce(eb.selectFrom('removed').select(COUNT.as('removed')), sql.lit(0)).as('removed'),
    ]),
);

/** A row's place in its table, where rows have no id. */
const PLACE = sql.ref<string>('ctid');

const RETIRE_KEYS = statement((db, $: Given<Days>) =>
  db
    .with('removed', (q) =>
      q
        .deleteFrom('idempotency_keys')
        .where((eb) => {
          const expired = eb
            .selectFrom('idempotency_keys')
            .select(PLACE.as('place'))
            .where('expiresAt', '<=', daysAgo($))
            .limit(RETIRED_MAX);
          return sql<boolean>`${PLACE} = any(array${expired})`;
        })
        .returning('key'),
    )
    .selectFrom('removed')
    .select(REMOVED),
);

/** Attempts of events that are still being delivered are not deleted. */
const RETIRE_DELIVERIES = statement((db, $: Given<Days>) =>
  db
    .with('removed', (q) =>
      q
        .deleteFrom('webhook_attempts')
        .where((eb) => {
          const old = eb
            .selectFrom('webhook_attempts as a')
            .innerJoin('webhook_events as e', 'e.id', 'a.webhookEventId')
            .select(sql.ref<string>('a.ctid').as('place'))
            .where('a.createdAt', '<', daysAgo($))
            .where('e.deliveryStatus', 'in', ['DELIVERED', 'PARKED'])
            .orderBy('a.createdAt')
            .limit(RETIRED_MAX);
          return sql<boolean>`${PLACE} = any(array${old})`;
        })
        .returning('number'),
    )
    .selectFrom('removed')
    .select(REMOVED),
);

const ENDED_AT = sql<Date>`least(${sql.ref('endedAt')}, ${sql.ref('expiresAt')})`;

const RETIRE_SESSIONS = statement((db, $: Given<Days>) =>
  db
    .with('removed', (q) =>
      q
        .deleteFrom('operator_sessions')
        .where('id', 'in', (eb) =>
          eb
            .selectFrom('operator_sessions')
            .select('id')
            .where(ENDED_AT, '<', daysAgo($))
            .orderBy(ENDED_AT)
            .limit(RETIRED_MAX),
        )
        .returning('id'),
    )
    .selectFrom('removed')
    .select(REMOVED),
);

/** Each function deletes one batch of rows past their retention. */
export const RETIREMENTS = {
  callbacks: (database: Database, { callbackDays }: Retention) => retire(database, RETIRE_CALLBACKS, callbackDays),
  keys: (database: Database, { keyDays }: Retention) => retire(database, RETIRE_KEYS, keyDays),
  deliveries: (database: Database, { deliveryDays }: Retention) => retire(database, RETIRE_DELIVERIES, deliveryDays),
  sessions: (database: Database, { sessionDays }: Retention) => retire(database, RETIRE_SESSIONS, sessionDays),
} as const;

async function retire(database: Database, statement: TypedStatement<Days, Retired>, days: number): Promise<Retired> {
  return (await database.withSystem((em) => statement.first(em, { days }))) ?? { found: 0, removed: 0 };
}
