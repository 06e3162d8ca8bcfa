import { expressionBuilder, sql, type QueryCreator } from 'kysely';
import type { Contract } from '../../../domain/contract.ts';
import type { Mode } from '../../../domain/mode.ts';
import { eventId as newEventId } from '../../../domain/references.ts';
import { EVENT_SCHEMA_VERSION, subjectOf, type EventData, type EventType } from '../../../domain/webhook.ts';
import { signingSecretPlace } from '../../../runtime/sealed-places.ts';
import type { Scope } from '../../../database/connection.ts';
import { clock, rowOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { signingSecretsOf, type Delivery } from './deliveries.ts';
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
  /** The delivery that this process may begin after the commit. Null for a parked event, and where only a workflow delivers. */
  readonly first: FirstDelivery | null;
}

/**
 * A delivery that belongs to the process that recorded its event, until the lease passes. The lease is the time at which the sweeper looks at the
 * event, so nobody else starts the delivery before.
 */
export interface FirstDelivery {
  readonly delivery: Delivery;
  /** The lease as the row has it. It changes when the sweeper or another attempt takes the event. */
  readonly leaseUntil: Date;
  /** On this process's monotonic clock: the lease lasts `FIRST_ATTEMPT_LEASE_MS` from then. */
  readonly leasedAtMs: number;
}

export interface EventRow extends Scope {
  readonly eventId: string;
  readonly paymentId: bigint | null;
  readonly invoiceId: bigint | null;
  readonly contract: Contract;
  readonly type: EventType;
  readonly sequence: number;
  readonly payload: string;
  readonly createdAt: Date;
}

/** Writes an event as `recorded`, and reads its endpoint as `endpoint`, in a statement that may have other parts. */
export function recordingEvent(db: QueryCreator<Tables>, $: Given<EventRow>) {
  return db
    .with('endpoint', (q) =>
      endpointOf(q, { applicationId: $('applicationId'), mode: $('mode') }).select((eb) => [
        'w.url',
        'w.circuitOpenUntil',
        signingSecretsOf(eb).as('signingSecrets'),
      ]),
    )
    .with('recorded', (q) => {
      const source = q.selectFrom('endpoint');
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
        ...deliveryBy(eb.ref('endpoint.trouble')),
      });
      return q
        .insertInto('webhook_events')
        .columns(row.columns)
        .expression(source.select(row.values))
        .returning(['nextSweepAt']);
    })
    .selectFrom(['endpoint', 'recorded'])
    .select([
      'endpoint.trouble',
      'endpoint.url',
      'endpoint.circuitOpenUntil',
      'endpoint.signingSecrets',
      'recorded.nextSweepAt',
      clock.as('readAt'),
    ]);
}

const INSERT_EVENT = statement((db, $: Given<EventRow>) => recordingEvent(db, $));

/** What the statement of an event returns beside the event's own values. */
type Recording = RowOf<typeof INSERT_EVENT>;

/**
 * Records an event in the transaction of its state change, so that neither exists without the other. The payload is built once, and every attempt
 * signs and sends the same bytes.
 */
export async function recordEvent(statements: Statements, event: NewEvent): Promise<RecordedEvent> {
  const row = eventRow(event);
  return recordingAs(row, () => INSERT_EVENT.first(statements, row));
}

/** An event as its statement takes it. */
export function eventRow(event: NewEvent): EventRow {
  const { eventId: ownId, createdAt, payload: ownPayload } = payloadOf(event);
  const { applicationId, mode, paymentId = null, invoiceId = null, type, sequence, contractBody } = event;
  return {
    eventId: contractBody?.eventId ?? ownId,
    applicationId,
    mode,
    paymentId,
    invoiceId,
    contract: contractBody?.contract ?? 'native',
    type,
    sequence,
    payload: contractBody?.payload ?? ownPayload,
    createdAt,
  };
}

/** Runs the statement that records the event, and returns how its delivery begins. */
export async function recordingAs(
  { eventId, contract, type, payload, applicationId, mode }: EventRow,
  record: () => Promise<Recording | undefined>,
): Promise<RecordedEvent> {
  const recordedAtMs = performance.now();
  const recorded = await record();
  if (recorded === undefined || recorded.trouble !== null || recorded.url === null || recorded.nextSweepAt === null) {
    return { eventId, parked: true, first: null };
  }
  const delivery: Delivery = {
    eventId,
    contract,
    type,
    payload,
    status: 'PENDING',
    attempts: 0,
    lastResponseStatus: null,
    lastError: null,
    nextAttemptAt: null,
    readAt: recorded.readAt,
    endpoint: {
      url: recorded.url,
      disabled: false,
      place: signingSecretPlace({ applicationId, mode }),
      signingSecrets: recorded.signingSecrets ?? [],
      circuitOpenUntil: recorded.circuitOpenUntil,
    },
  };
  return { eventId, parked: false, first: { delivery, leaseUntil: recorded.nextSweepAt, leasedAtMs: recordedAtMs } };
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
