import { expressionBuilder, sql, type Expression, type QueryCreator } from 'kysely';
import { endpointAfterFailure, type DeliveryStatus, type DisabledReason } from '../../../domain/webhook.ts';
import type { Scope } from '../../../database/connection.ts';
import { now, rowOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Delivery } from './deliveries.ts';

export interface AttemptRecord {
  readonly number: number;
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
}

export interface FailureOutcome {
  readonly parked: boolean;
  /** Set if this failure disabled the endpoint. */
  readonly disabledReason: DisabledReason | null;
}

/** The sweeper restarts a delivery only if its workflow has missed the next attempt by this much. */
const SWEEP_GRACE_MS = 600_000;

/** An attempt of the event that is named. */
interface Attempted extends AttemptRecord {
  readonly eventId: string;
}

/** If this attempt is run again after its worker died, the first record is kept. */
function insertAttempt(q: QueryCreator<Tables>, $: Given<Attempted>) {
  const source = q.selectFrom('webhook_events as e').where('e.eventId', '=', $('eventId'));
  const eb = expressionBuilder(source);
  const row = rowOf('webhook_attempts', {
    webhookEventId: eb.ref('e.id'),
    applicationId: eb.ref('e.applicationId'),
    mode: eb.ref('e.mode'),
    number: eb.cast<number>($('number'), 'integer'),
    responseStatus: eb.cast<number | null>($('responseStatus'), 'integer'),
    error: $('error'),
    responseExcerpt: $('responseExcerpt'),
    durationMs: eb.cast<number>($('durationMs'), 'integer'),
    createdAt: eb.cast<Date>($('at'), 'timestamptz'),
  });
  return q
    .insertInto('webhook_attempts')
    .columns(row.columns)
    .expression(source.select(row.values))
    .onConflict((conflict) => conflict.columns(['webhookEventId', 'number']).doNothing());
}

const INSERT_ATTEMPT = statement((db, $: Given<Attempted>) => insertAttempt(db, $));

const RECORD_DELIVERED = statement((db, $: Given<Attempted & Scope>) =>
  db
    .with('attempted', (q) => insertAttempt(q, (name) => $(name)))
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
    .updateTable('webhook_events')
    .set((eb) => ({
      deliveryStatus: 'DELIVERED',
      attempts: eb.fn<number>('greatest', ['attempts', eb.cast<number>($('number'), 'integer')]),
      lastResponseStatus: eb.cast<number | null>($('responseStatus'), 'integer'),
      lastError: null,
      lastAttemptAt: eb.cast<Date>($('at'), 'timestamptz'),
      deliveredAt: eb.fn.coalesce('deliveredAt', eb.cast<Date>($('at'), 'timestamptz')),
      nextAttemptAt: null,
      nextSweepAt: null,
      updatedAt: now,
    }))
    .where('eventId', '=', $('eventId')),
);

/**
 * Writes attempt, event and endpoint after a 2xx, in one statement. A healthy endpoint is not updated; otherwise all deliveries would wait for its
 * row.
 */
export async function recordDelivered(
  statements: Statements,
  { scope, delivery: { eventId }, attempt }: { scope: Scope; delivery: Delivery; attempt: AttemptRecord },
): Promise<void> {
  await RECORD_DELIVERED.all(statements, { ...attempt, ...scope, eventId });
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

interface FailedEvent extends Pick<Attempted, 'eventId' | 'number' | 'responseStatus' | 'error' | 'at'> {
  readonly status: DeliveryStatus;
  readonly nextAttemptAt: Date | null;
  readonly nextSweepAt: Date | null;
}

const RECORD_FAILURE = statement((db, $: Given<FailedEvent>) =>
  db
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
        deliveryStatus: eb
          .case()
          .when('deliveryStatus', '=', 'DELIVERED')
          .then(eb.ref('deliveryStatus'))
          .else($('status'))
          .end(),
        attempts: eb.fn<number>('greatest', ['attempts', eb.cast<number>($('number'), 'integer')]),
        lastResponseStatus: eb.cast<number | null>($('responseStatus'), 'integer'),
        lastError: $('error'),
        lastAttemptAt: eb.cast<Date>($('at'), 'timestamptz'),
        nextAttemptAt: unlessDelivered($('nextAttemptAt')),
        nextSweepAt: unlessDelivered($('nextSweepAt')),
        updatedAt: now,
      };
    })
    .where('eventId', '=', $('eventId')),
);

/** Writes attempt, event and endpoint after a failure. */
export async function recordFailure(
  statements: Statements,
  { scope, delivery: { eventId }, failure }: { scope: Scope; delivery: Delivery; failure: FailureRecord },
): Promise<FailureOutcome> {
  const { attempt } = failure;
  await INSERT_ATTEMPT.all(statements, { ...attempt, eventId });
  const disabledReason =
    failure.url === null ? null : await failEndpoint(statements, scope, { ...failure, url: failure.url });
  const next = disabledReason === null ? failure.nextAttemptAt : null;
  await RECORD_FAILURE.all(statements, {
    ...attempt,
    eventId,
    status: next === null ? 'PARKED' : 'RETRYING',
    nextAttemptAt: next,
    nextSweepAt: next === null ? null : new Date(next.getTime() + SWEEP_GRACE_MS),
  });
  return { parked: next === null, disabledReason };
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
