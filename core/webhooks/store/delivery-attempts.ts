import { expressionBuilder, sql, type Expression, type QueryCreator } from 'kysely';
import { endpointAfterFailure, type DeliveryStatus, type DisabledReason } from '../../../domain/webhook.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { Scope } from '../../../database/connection.ts';
import { now, plus, rowOf, span } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Delivery } from './deliveries.ts';

export interface AttemptRecord {
  /** When it began. */
  readonly at: Date;
  readonly durationMs: number;
  readonly responseStatus: number | null;
  readonly error: string | null;
  readonly responseExcerpt: string | null;
}

export interface FailureRecord {
  readonly attempt: AttemptRecord;
  readonly probe: boolean;
  readonly gone: boolean;
  /** The URL of the attempt; its failure says nothing about a URL registered since. Null if no URL was tried. */
  readonly url: string | null;
  /** Null if the schedule is exhausted: the event is then parked. */
  readonly nextAttemptAt: Date | null;
  /** The sweeper starts the event's workflow if the next attempt was missed by this much. */
  readonly sweepGraceMs: number;
}

export interface FailureOutcome {
  /** The attempt's number, from 1. */
  readonly number: number;
  readonly parked: boolean;
  /** Set if this failure disabled the endpoint. */
  readonly disabledReason: DisabledReason | null;
}

/** An attempt of the event that is named. */
interface Attempted extends AttemptRecord {
  readonly eventId: string;
}

/** An event whose attempt has just been counted. */
type Counted = Tables & { counted: { id: bigint; applicationId: bigint; mode: Mode; attempts: number } };

/** Writes the attempt that `counted` has just numbered. */
function insertAttempt(q: QueryCreator<Counted>, $: Given<Attempted>) {
  const source = q.selectFrom('counted');
  const eb = expressionBuilder(source);
  const row = rowOf('webhook_attempts', {
    webhookEventId: eb.ref('counted.id'),
    applicationId: eb.ref('counted.applicationId'),
    mode: eb.ref('counted.mode'),
    number: eb.ref('counted.attempts'),
    responseStatus: eb.cast<number | null>($('responseStatus'), 'integer'),
    error: $('error'),
    responseExcerpt: $('responseExcerpt'),
    durationMs: eb.cast<number>($('durationMs'), 'integer'),
    createdAt: eb.cast<Date>($('at'), 'timestamptz'),
  });
  return q.insertInto('webhook_attempts').columns(row.columns).expression(source.select(row.values));
}

/**
 * Counts an attempt in its event's row. Two attempts can be made at once, when an operator resends an event whose first attempt is in flight: each gets
 * the next number as it is recorded, and `last…` describes the one that began last.
 */
function counting($: Given<Pick<Attempted, 'at' | 'responseStatus' | 'error'>>) {
  const at = sql<Date>`${$('at')}::timestamptz`;
  const latest = <Value>(value: Expression<Value>, column: 'lastResponseStatus' | 'lastError' | 'lastAttemptAt') =>
    sql<Value>`case when ${sql.ref('lastAttemptAt')} > ${at} then ${sql.ref(column)} else ${value} end`;
  return {
    attempts: sql<number>`${sql.ref('attempts')} + 1`,
    lastResponseStatus: latest(sql<number | null>`${$('responseStatus')}::integer`, 'lastResponseStatus'),
    lastError: latest(sql<string | null>`${$('error')}::text`, 'lastError'),
    lastAttemptAt: latest(at, 'lastAttemptAt'),
    updatedAt: now,
  };
}

/** When the attempt's response came. */
function receivedAt($: Given<Pick<Attempted, 'at' | 'durationMs'>>) {
  return plus(sql<Date>`${$('at')}::timestamptz`, span($('durationMs'), 'millisecond'));
}

const RECORD_DELIVERED = statement((db, $: Given<Attempted & Scope>) =>
  db
    .with('healthy', (q) =>
      q
        .updateTable('webhook_endpoints')
        .set({ consecutiveFailures: 0, failingSince: null, circuitOpenUntil: null, updatedAt: now })
        .where('applicationId', '=', $('applicationId'))
        .where('mode', '=', $('mode'))
        // Otherwise all deliveries would wait for the row of a healthy endpoint.
        .where((eb) =>
          eb.or([
            eb('consecutiveFailures', '>', 0),
            eb('failingSince', 'is not', null),
            eb('circuitOpenUntil', 'is not', null),
          ]),
        ),
    )
    .with('counted', (q) =>
      q
        .updateTable('webhook_events')
        .set((eb) => ({
          ...counting((name) => $(name)),
          deliveryStatus: 'DELIVERED',
          deliveredAt: eb.fn.coalesce(
            'deliveredAt',
            receivedAt((name) => $(name)),
          ),
          nextAttemptAt: null,
          nextSweepAt: null,
        }))
        .where('eventId', '=', $('eventId'))
        .returning(['id', 'applicationId', 'mode', 'attempts']),
    )
    .with('attempted', (q) => insertAttempt(q, (name) => $(name)))
    .selectFrom('counted')
    .select('counted.attempts as number'),
);

/**
 * Writes attempt, event and endpoint after a 2xx, in one statement. A healthy endpoint is not updated; otherwise all deliveries would wait for its
 * row. Returns the attempt's number, from 1.
 */
export async function recordDelivered(
  statements: Statements,
  { scope, delivery: { eventId }, attempt }: { scope: Scope; delivery: Delivery; attempt: AttemptRecord },
): Promise<number> {
  const recorded = await RECORD_DELIVERED.first(statements, { ...attempt, ...scope, eventId });
  return numberOf(recorded);
}

function numberOf(recorded: { readonly number: number } | undefined): number {
  if (recorded === undefined) {
    throw new Error('the event of an attempt does not exist');
  }
  return recorded.number;
}

const RECORD_ACCEPTED_SECRET = statement((db, $: Given<Scope & { sealed: string }>) =>
  db
    .updateTable('webhook_endpoints')
    .set((eb) => ({
      updatedAt: now,
      acceptedSecretId: eb
        .selectFrom('webhook_signing_secrets as s')
        .select('s.id')
        .where('s.applicationId', '=', $('applicationId'))
        .where('s.mode', '=', $('mode'))
        .where('s.sealed', '=', $('sealed')),
    }))
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode')),
);

/**
 * Records the secret that a receiver has accepted, so that it is used first from now on. If it was resealed in the meantime, the record is cleared.
 */
export async function recordAcceptedSecret(
  statements: Statements,
  { scope, sealed }: { readonly scope: Scope; readonly sealed: string },
): Promise<void> {
  await RECORD_ACCEPTED_SECRET.all(statements, { ...scope, sealed });
}

interface FailedAttempt extends Attempted {
  readonly status: DeliveryStatus;
  readonly nextAttemptAt: Date | null;
  readonly nextSweepAt: Date | null;
}

/** Everybody locks the event before its endpoint. */
const LOCK_EVENT = statement((db, $: Given<{ eventId: string }>) =>
  db.selectFrom('webhook_events').select('id').where('eventId', '=', $('eventId')).forUpdate(),
);

const RECORD_FAILURE = statement((db, $: Given<FailedAttempt>) =>
  db
    .with('counted', (q) =>
      q
        .updateTable('webhook_events')
        .set((eb) => {
          const unlessDelivered = (at: Expression<Date | null>) =>
            eb
              .case()
              .when('deliveryStatus', '=', 'DELIVERED')
              .then(sql<null>`null`)
              .else(eb.cast<Date | null>(at, 'timestamptz'))
              .end();
          return {
            ...counting((name) => $(name)),
            deliveryStatus: eb
              .case()
              .when('deliveryStatus', '=', 'DELIVERED')
              .then(eb.ref('deliveryStatus'))
              .else($('status'))
              .end(),
            nextAttemptAt: unlessDelivered($('nextAttemptAt')),
            nextSweepAt: unlessDelivered($('nextSweepAt')),
          };
        })
        .where('eventId', '=', $('eventId'))
        .returning(['id', 'applicationId', 'mode', 'attempts']),
    )
    .with('attempted', (q) => insertAttempt(q, (name) => $(name)))
    .selectFrom('counted')
    .select('counted.attempts as number'),
);

/** Writes attempt, event and endpoint after a failure. */
export async function recordFailure(
  statements: Statements,
  { scope, delivery: { eventId }, failure }: { scope: Scope; delivery: Delivery; failure: FailureRecord },
): Promise<FailureOutcome> {
  const { attempt } = failure;
  await LOCK_EVENT.all(statements, { eventId });
  const disabledReason =
    failure.url === null ? null : await failEndpoint(statements, scope, { ...failure, url: failure.url });
  const next = disabledReason === null ? failure.nextAttemptAt : null;
  const recorded = await RECORD_FAILURE.first(statements, {
    ...attempt,
    eventId,
    status: next === null ? 'PARKED' : 'RETRYING',
    nextAttemptAt: next,
    nextSweepAt: next === null ? null : new Date(next.getTime() + failure.sweepGraceMs),
  });
  return { number: numberOf(recorded), parked: next === null, disabledReason };
}

const LOCK_HEALTH = statement((db, $: Given<Scope & { url: string }>) =>
  db
    .selectFrom('webhook_endpoints')
    .select(['consecutiveFailures', 'failingSince', 'circuitOpenUntil'])
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('url', '=', $('url'))
    .where('disabledAt', 'is', null)
    .forUpdate(),
);

interface Health extends Scope {
  readonly consecutiveFailures: number;
  readonly failingSince: Date | null;
  readonly circuitOpenUntil: Date | null;
  readonly disabledReason: DisabledReason | null;
}

const RECORD_HEALTH = statement((db, $: Given<Health>) =>
  db
    .updateTable('webhook_endpoints')
    .set((eb) => ({
      consecutiveFailures: eb.cast<number>($('consecutiveFailures'), 'integer'),
      failingSince: eb.cast<Date | null>($('failingSince'), 'timestamptz'),
      circuitOpenUntil: eb.cast<Date | null>($('circuitOpenUntil'), 'timestamptz'),
      disabledAt: eb
        .case()
        .when(eb.cast<string | null>($('disabledReason'), 'text'), 'is', null)
        .then(sql<null>`null`)
        .else(now)
        .end(),
      disabledReason: $('disabledReason'),
      updatedAt: now,
    }))
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode')),
);

async function failEndpoint(
  statements: Statements,
  { applicationId, mode }: Scope,
  { attempt, probe, gone, url }: FailureRecord & { readonly url: string },
): Promise<DisabledReason | null> {
  const known = await LOCK_HEALTH.first(statements, { applicationId, mode, url });
  if (known === undefined) {
    return null;
  }
  const health = endpointAfterFailure(known, {
    now: new Date(attempt.at.getTime() + attempt.durationMs),
    probe,
    gone,
  });
  await RECORD_HEALTH.all(statements, {
    applicationId,
    mode,
    consecutiveFailures: health.consecutiveFailures,
    failingSince: health.failingSince,
    circuitOpenUntil: health.circuitOpenUntil,
    disabledReason: health.disabledReason,
  });
  return health.disabledReason;
}
