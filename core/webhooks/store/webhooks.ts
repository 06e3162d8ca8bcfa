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
import type { Statements } from '../../../database/statements.ts';

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
  readonly told?: { readonly contract: Contract; readonly payload: string; readonly eventId?: string };
};

export interface RecordedEvent {
  readonly eventId: string;
  /** An event without a usable endpoint is parked immediately. */
  readonly parked: boolean;
}

/**
 * Records an event in the transaction of its state change, so that neither exists without the other. The payload is built once, and every attempt
 * signs and sends the same bytes.
 */
export async function recordEvent(statements: Statements, event: NewEvent): Promise<RecordedEvent> {
  const { eventId: ownId, createdAt, payload } = payloadOf(event);
  const { applicationId, mode, paymentId = null, invoiceId = null, type, sequence, told } = event;
  const eventId = told?.eventId ?? ownId;
  const [row] = await statements.execute<{ delivery_status: DeliveryStatus }[]>(
    `insert into webhook_events (event_id, application_id, mode, payment_id, invoice_id, contract, type, schema_version, sequence, payload, created_at,
       delivery_status, last_error, next_sweep_at)
     select ?, ?::bigint, ?, ?::bigint, ?::bigint, ?, ?, ?::integer, ?::integer, ?, ?::timestamptz, ${BY_ENDPOINT}
     returning delivery_status`,
    [
      eventId,
      applicationId,
      mode,
      paymentId,
      invoiceId,
      told?.contract ?? 'native',
      type,
      EVENT_SCHEMA_VERSION,
      sequence,
      told?.payload ?? payload,
      createdAt,
      applicationId,
      mode,
    ],
  );
  return { eventId, parked: row?.delivery_status === 'PARKED' };
}

/** The last columns of an insert, followed by two values: the application's id and the mode. */
export const BY_ENDPOINT = `case when usable then 'PENDING' else 'PARKED' end, case when not usable then 'NO_ENDPOINT' end,
       case when usable then now() + interval '30 seconds' end
     from (select exists(select 1 from webhook_endpoints
       where application_id = ?::bigint and mode = ? and url is not null and disabled_at is null) as usable) endpoint`;

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

interface DeliveryRow {
  application_id: string;
  mode: Mode;
  contract: Contract;
  type: string;
  payload: string;
  delivery_status: DeliveryStatus;
  attempts: number;
  last_response_status: number | null;
  last_error: string | null;
  next_attempt_at: Date | null;
  url: string | null;
  disabled_at: Date | null;
  circuit_open_until: Date | null;
  secrets: string;
  read_at: Date;
}

/** Returns null if the scope has no such event. */
export async function readDelivery(statements: Statements, eventId: string): Promise<Delivery | null> {
  const [row] = await statements.execute<DeliveryRow[]>(
    `select e.application_id, e.mode, e.contract, e.type, e.payload, e.delivery_status, e.attempts, e.last_response_status, e.last_error, e.next_attempt_at, w.url,
       w.disabled_at, w.circuit_open_until, now() as read_at,
       (select coalesce(json_agg(s.sealed order by coalesce(s.id = w.accepted_secret_id, false) desc, s.id desc), '[]') from webhook_signing_secrets s
        where s.application_id = e.application_id and s.mode = e.mode and (s.expires_at is null or s.expires_at > now()))::text as secrets
     from webhook_events e left join webhook_endpoints w on w.application_id = e.application_id and w.mode = e.mode where e.event_id = ?`,
    [eventId],
  );
  if (row === undefined) {
    return null;
  }
  return {
    eventId,
    contract: row.contract,
    type: row.type,
    payload: row.payload,
    status: row.delivery_status,
    attempts: row.attempts,
    lastResponseStatus: row.last_response_status,
    lastError: row.last_error,
    nextAttemptAt: asDate(row.next_attempt_at),
    endpoint:
      row.url === null
        ? null
        : {
            url: row.url,
            disabled: row.disabled_at !== null,
            place: signingSecretPlace({ applicationId: BigInt(row.application_id), mode: row.mode }),
            signingSecrets: JSON.parse(row.secrets) as string[],
            circuitOpenUntil: asDate(row.circuit_open_until),
          },
    readAt: new Date(row.read_at),
  };
}

/** Claims the single attempt that an expired circuit lets through. Returns false if another one has claimed it. */
export async function claimProbe(statements: Statements, { applicationId, mode }: Scope, now: Date): Promise<boolean> {
  const claimed = await statements.execute<object[]>(
    `update webhook_endpoints set circuit_open_until = ?::timestamptz
     where application_id = ?::bigint and mode = ? and circuit_open_until <= ?::timestamptz returning 1`,
    [new Date(now.getTime() + PROBE_LEASE_MS), applicationId, mode, now],
  );
  return claimed.length > 0;
}

/** Ends the delivery of an event that cannot be sent. A delivered event stays delivered. */
export async function parkEvent(statements: Statements, delivery: Delivery, reason: string): Promise<void> {
  await statements.execute(
    `update webhook_events set delivery_status = 'PARKED', last_error = ?, next_attempt_at = null, next_sweep_at = null, updated_at = now()
     where event_id = ? and delivery_status <> 'DELIVERED'`,
    [reason, delivery.eventId],
  );
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

/**
 * Writes attempt, event and endpoint after a 2xx, in one statement. A healthy endpoint is not updated; otherwise all deliveries would wait for its
 * row.
 */
export async function recordDelivered(
  statements: Statements,
  { scope, delivery, attempt }: { scope: Scope; delivery: Delivery; attempt: AttemptRecord },
): Promise<void> {
  await statements.execute(
    `with attempted as (${INSERT_ATTEMPT}),
     healthy as (
       update webhook_endpoints set consecutive_failures = 0, failing_since = null, circuit_open_until = null, updated_at = now()
       where application_id = ?::bigint and mode = ? and (consecutive_failures > 0 or failing_since is not null or circuit_open_until is not null))
     update webhook_events set delivery_status = 'DELIVERED', attempts = greatest(attempts, ?::integer), last_response_status = ?::integer,
       last_error = null, last_attempt_at = ?::timestamptz, delivered_at = coalesce(delivered_at, ?::timestamptz), next_attempt_at = null,
       next_sweep_at = null, updated_at = now()
     where event_id = ?`,
    [
      ...attemptValues({ delivery, attempt }),
      scope.applicationId,
      scope.mode,
      attempt.number,
      attempt.responseStatus,
      attempt.at,
      attempt.at,
      delivery.eventId,
    ],
  );
}

/**
 * Records the secret that a receiver has accepted, so that it is used first from now on. If it was resealed in the meantime, the record is cleared.
 */
export async function recordAcceptedSecret(
  statements: Statements,
  { scope: { applicationId, mode }, sealed }: { readonly scope: Scope; readonly sealed: string },
): Promise<void> {
  await statements.execute(
    `update webhook_endpoints set updated_at = now(), accepted_secret_id =
       (select id from webhook_signing_secrets where application_id = ?::bigint and mode = ? and sealed = ?)
     where application_id = ?::bigint and mode = ?`,
    [applicationId, mode, sealed, applicationId, mode],
  );
}

/** Writes attempt, event and endpoint after a failure. */
export async function recordFailure(
  statements: Statements,
  { scope, delivery, failure }: { scope: Scope; delivery: Delivery; failure: FailureRecord },
): Promise<FailureOutcome> {
  const { attempt } = failure;
  await statements.execute(INSERT_ATTEMPT, attemptValues({ delivery, attempt }));
  const disabledReason = failure.url === null ? null : await failEndpoint(statements, scope, failure);
  const next = disabledReason === null ? failure.nextAttemptAt : null;
  await statements.execute(
    `update webhook_events set delivery_status = case when delivery_status = 'DELIVERED' then delivery_status else ? end,
       attempts = greatest(attempts, ?::integer), last_response_status = ?::integer, last_error = ?, last_attempt_at = ?::timestamptz,
       next_attempt_at = case when delivery_status = 'DELIVERED' then null else ?::timestamptz end,
       next_sweep_at = case when delivery_status = 'DELIVERED' then null else ?::timestamptz end, updated_at = now()
     where event_id = ?`,
    [
      next === null ? 'PARKED' : 'RETRYING',
      attempt.number,
      attempt.responseStatus,
      attempt.error,
      attempt.at,
      next,
      next === null ? null : new Date(next.getTime() + SWEEP_GRACE_MS),
      delivery.eventId,
    ],
  );
  return { parked: next === null, disabledReason };
}

/** If this attempt is run again after its worker died, the first record is kept. */
const INSERT_ATTEMPT = `insert into webhook_attempts (webhook_event_id, application_id, mode, number, response_status, error, response_excerpt,
       duration_ms, created_at)
     select id, application_id, mode, ?::integer, ?::integer, ?, ?, ?::integer, ?::timestamptz from webhook_events where event_id = ?
     on conflict (webhook_event_id, number) do nothing`;

function attemptValues({ delivery, attempt }: { delivery: Delivery; attempt: AttemptRecord }): unknown[] {
  return [
    attempt.number,
    attempt.responseStatus,
    attempt.error,
    attempt.responseExcerpt,
    attempt.durationMs,
    attempt.at,
    delivery.eventId,
  ];
}

interface HealthRow {
  consecutive_failures: number;
  failing_since: Date | null;
  circuit_open_until: Date | null;
}

async function failEndpoint(
  statements: Statements,
  { applicationId, mode }: Scope,
  { attempt, probe, gone, url }: FailureRecord,
): Promise<DisabledReason | null> {
  const [row] = await statements.execute<HealthRow[]>(
    `select consecutive_failures, failing_since, circuit_open_until from webhook_endpoints
     where application_id = ?::bigint and mode = ? and url = ? and disabled_at is null for update`,
    [applicationId, mode, url],
  );
  if (row === undefined) {
    return null;
  }
  const health = endpointAfterFailure(
    {
      consecutiveFailures: row.consecutive_failures,
      failingSince: asDate(row.failing_since),
      circuitOpenUntil: asDate(row.circuit_open_until),
    },
    { now: new Date(attempt.at.getTime() + attempt.durationMs), probe, gone },
  );
  await statements.execute(
    `update webhook_endpoints set consecutive_failures = ?::integer, failing_since = ?::timestamptz, circuit_open_until = ?::timestamptz,
       disabled_at = case when ?::text is null then null else now() end, disabled_reason = ?, updated_at = now()
     where application_id = ?::bigint and mode = ?`,
    [
      health.consecutiveFailures,
      health.failingSince,
      health.circuitOpenUntil,
      health.disabledReason,
      health.disabledReason,
      applicationId,
      mode,
    ],
  );
  return health.disabledReason;
}

/** Depending on its configuration, the driver returns a timestamp as text or as a Date. */
function asDate(value: Date | string | null): Date | null {
  return value === null ? null : new Date(value);
}
