import { expressionBuilder, sql, type Expression, type QueryCreator } from 'kysely';
import type { Contract } from '../../../domain/contract.ts';
import type { Mode } from '../../../domain/mode.ts';
import { eventId as newEventId } from '../../../domain/references.ts';
import {
  endpointAfterFailure,
  EVENT_SCHEMA_VERSION,
  PROBE_LEASE_MS,
  subjectOf,
  type DeliveryStatus,
  type DisabledReason,
  type EventData,
  type EventType,
} from '../../../domain/webhook.ts';
import { signingSecretPlace, type SealedPlace } from '../../../runtime/sealed-places.ts';
import type { Scope } from '../../../database/connection.ts';
import { later, now, rowOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { deliveryBy, endpointOf } from './usable-endpoint.ts';

/** The object that orders events: sequences count within a payment, including its refunds, or within an invoice. */
export type EventRoot =
  | { readonly paymentId: bigint; readonly invoiceId?: undefined }
  | { readonly invoiceId: bigint; readonly paymentId?: undefined };

export type NewEvent = EventRoot & {
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly type: EventType;
  /** The event's position in the order of its root, from 1. */
  readonly sequence: number;
  readonly data: EventData;
  /** Set for another contract than the native one: the body as it is signed and sent, and its id if the body contains one. */
  readonly contractBody?: { readonly contract: Contract; readonly payload: string; readonly eventId?: string };
};

export interface RecordedEvent {
  readonly eventId: string;
  /** An event without a usable endpoint is parked immediately. */
  readonly parked: boolean;
}

interface EventRow extends Scope {
  readonly eventId: string;
  readonly paymentId: bigint | null;
  readonly invoiceId: bigint | null;
  readonly contract: Contract;
  readonly type: EventType;
  readonly sequence: number;
  readonly payload: string;
  readonly createdAt: Date;
}

const INSERT_EVENT = statement((db, $: Given<EventRow>) => {
  const source = db.selectFrom(endpointOf(db, { applicationId: $('applicationId'), mode: $('mode') }));
  const eb = expressionBuilder(source);
  const row = rowOf('webhook_events', {
    eventId: $('eventId'),
    applicationId: eb.cast<bigint>($('applicationId'), 'bigint'),
    mode: $('mode'),
    paymentId: eb.cast<bigint | null>($('paymentId'), 'bigint'),
    invoiceId: eb.cast<bigint | null>($('invoiceId'), 'bigint'),
    contract: $('contract'),
    type: $('type'),
    schemaVersion: sql.lit(EVENT_SCHEMA_VERSION),
    sequence: eb.cast<number>($('sequence'), 'integer'),
    payload: $('payload'),
    createdAt: eb.cast<Date>($('createdAt'), 'timestamptz'),
    ...deliveryBy(eb.ref('endpoint.usable')),
  });
  return db
    .insertInto('webhook_events')
    .columns(row.columns)
    .expression(source.select(row.values))
    .returning('deliveryStatus');
});

/**
 * Records an event in the transaction of its state change, so that neither exists without the other. The payload is built once, and every attempt
 * signs and sends the same bytes.
 */
export async function recordEvent(statements: Statements, event: NewEvent): Promise<RecordedEvent> {
  const { eventId: ownId, createdAt, payload } = payloadOf(event);
  const { applicationId, mode, paymentId = null, invoiceId = null, type, sequence, contractBody } = event;
  const eventId = contractBody?.eventId ?? ownId;
  const row = await INSERT_EVENT.first(statements, {
    eventId,
    applicationId,
    mode,
    paymentId,
    invoiceId,
    contract: contractBody?.contract ?? 'native',
    type,
    sequence,
    payload: contractBody?.payload ?? payload,
    createdAt,
  });
  return { eventId, parked: row?.deliveryStatus === 'PARKED' };
}

/** Builds the body of an event in the native contract, as it is signed and sent. */
export function payloadOf({ type, mode, sequence, data }: Pick<NewEvent, 'type' | 'mode' | 'sequence' | 'data'>) {
  const eventId = newEventId();
  const createdAt = new Date();
  const payload = JSON.stringify({
    id: eventId,
    type,
    schemaVersion: EVENT_SCHEMA_VERSION,
    mode,
    createdAt: createdAt.toISOString(),
    subject: subjectOf(type, data),
    sequence,
    data,
  });
  return { eventId, createdAt, payload };
}

/** Everything that an attempt needs to know, read in one statement. */
export interface Delivery {
  /** Public, and used to find the row again: its id may belong to another row if an older database was restored. */
  readonly eventId: string;
  readonly contract: Contract;
  readonly type: string;
  readonly payload: string;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly lastResponseStatus: number | null;
  readonly lastError: string | null;
  readonly nextAttemptAt: Date | null;
  readonly endpoint: DeliveryEndpoint | null;
  /** The database's time of the read. */
  readonly readAt: Date;
}

export interface DeliveryEndpoint {
  readonly url: string;
  readonly disabled: boolean;
  /** The sealing context of its secrets. */
  readonly place: SealedPlace;
  /** Sealed secrets of the event's mode that are valid now: first the one that was accepted last, then newest first. */
  readonly signingSecrets: readonly string[];
  readonly circuitOpenUntil: Date | null;
}

const READ_DELIVERY = statement((db, $: Given<{ eventId: string }>) =>
  db
    .selectFrom('webhook_events as e')
    .leftJoin('webhook_endpoints as w', (join) =>
      join.onRef('w.applicationId', '=', 'e.applicationId').onRef('w.mode', '=', 'e.mode'),
    )
    .select((eb) => [
      'e.eventId',
      'e.applicationId',
      'e.mode',
      'e.contract',
      'e.type',
      'e.payload',
      'e.deliveryStatus as status',
      'e.attempts',
      'e.lastResponseStatus',
      'e.lastError',
      'e.nextAttemptAt',
      'w.url',
      'w.disabledAt',
      'w.circuitOpenUntil',
      now.as('readAt'),
      eb
        .selectFrom('webhook_signing_secrets as s')
        .select((s) =>
          s.fn
            .coalesce(
              s.fn
                .jsonAgg('s.sealed')
                .orderBy(s.fn.coalesce(s('s.id', '=', s.ref('w.acceptedSecretId')), sql.lit(false)), 'desc')
                .orderBy('s.id', 'desc'),
              sql<never[]>`'[]'`,
            )
            .$castTo<string[]>()
            .as('secrets'),
        )
        .whereRef('s.applicationId', '=', 'e.applicationId')
        .whereRef('s.mode', '=', 'e.mode')
        .where((s) => s.or([s('s.expiresAt', 'is', null), s('s.expiresAt', '>', now)]))
        .as('signingSecrets'),
    ])
    .where('e.eventId', '=', $('eventId')),
);

/** Returns null if the scope has no such event. */
export async function readDelivery(statements: Statements, eventId: string): Promise<Delivery | null> {
  const row = await READ_DELIVERY.first(statements, { eventId });
  if (row === undefined) {
    return null;
  }
  const { applicationId, mode, url, disabledAt, circuitOpenUntil, signingSecrets, ...delivery } = row;
  return {
    ...delivery,
    endpoint:
      url === null
        ? null
        : {
            url,
            disabled: disabledAt !== null,
            place: signingSecretPlace({ applicationId, mode }),
            signingSecrets: signingSecrets ?? [],
            circuitOpenUntil,
          },
  };
}

const CLAIM_PROBE = statement((db, $: Given<Scope & { now: Date; until: Date }>) =>
  db
    .updateTable('webhook_endpoints')
    .set({ circuitOpenUntil: $('until') })
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('circuitOpenUntil', '<=', $('now'))
    .returning('applicationId'),
);

/** Claims the single attempt that an expired circuit lets through. Returns false if another one has claimed it. */
export async function claimProbe(statements: Statements, { applicationId, mode }: Scope, at: Date): Promise<boolean> {
  const until = new Date(at.getTime() + PROBE_LEASE_MS);
  return (await CLAIM_PROBE.first(statements, { applicationId, mode, now: at, until })) !== undefined;
}

const PARK = statement((db, $: Given<{ eventId: string; reason: string }>) =>
  db
    .updateTable('webhook_events')
    .set({
      deliveryStatus: 'PARKED',
      lastError: $('reason'),
      nextAttemptAt: null,
      nextSweepAt: null,
      updatedAt: now,
    })
    .where('eventId', '=', $('eventId'))
    .where('deliveryStatus', '<>', 'DELIVERED'),
);

/** Ends the delivery of an event that cannot be sent. A delivered event stays delivered. */
export async function parkEvent(statements: Statements, { eventId }: Delivery, reason: string): Promise<void> {
  await PARK.all(statements, { eventId, reason });
}

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
