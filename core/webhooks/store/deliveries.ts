import { sql, type ExpressionBuilder } from 'kysely';
import type { Contract } from '../../../domain/contract.ts';
import { PROBE_LEASE_MS, type DeliveryStatus } from '../../../domain/webhook.ts';
import { signingSecretPlace, type SealedPlace } from '../../../runtime/sealed-places.ts';
import type { Scope } from '../../../database/connection.ts';
import { NO_MEMBERS, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { leaseUntil } from './usable-endpoint.ts';

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

/** The sealed secrets that are valid now, of the endpoint `w`: first the one that was accepted last, then newest first. */
export function signingSecretsOf(eb: ExpressionBuilder<Tables & { w: Tables['webhook_endpoints'] }, 'w'>) {
  return eb
    .selectFrom('webhook_signing_secrets as s')
    .select((s) =>
      s.fn
        .coalesce(
          s.fn
            .jsonAgg('s.sealed')
            .orderBy(s.fn.coalesce(s('s.id', '=', s.ref('w.acceptedSecretId')), sql.lit(false)), 'desc')
            .orderBy('s.id', 'desc'),
          NO_MEMBERS,
        )
        .$castTo<string[]>()
        .as('secrets'),
    )
    .whereRef('s.applicationId', '=', 'w.applicationId')
    .whereRef('s.mode', '=', 'w.mode')
    .where((s) => s.or([s('s.expiresAt', 'is', null), s('s.expiresAt', '>', now)]));
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
      signingSecretsOf(eb).as('signingSecrets'),
    ])
    .where('e.eventId', '=', $('eventId')),
);

/** Returns null if the scope has no such event. */
export async function readDelivery(statements: Statements, eventId: string): Promise<Delivery | null> {
  const row = await READ_DELIVERY.first(statements, { eventId });
  return row === undefined ? null : deliveryOf(row);
}

const CLAIM_FIRST = statement((db, $: Given<{ eventId: string; leaseUntil: Date }>) =>
  db
    .updateTable('webhook_events')
    .set({ nextSweepAt: leaseUntil })
    .where('eventId', '=', $('eventId'))
    .where('deliveryStatus', '=', 'PENDING')
    .where('attempts', '=', 0)
    .where('nextSweepAt', '=', $('leaseUntil'))
    .returning('id'),
);

/**
 * Renews the lease of a first attempt that has waited, and reads what it needs. Returns null if someone else has taken the event meanwhile. Both
 * statements are sent at once.
 */
export async function claimFirst(
  statements: Statements,
  lease: { readonly eventId: string; readonly leaseUntil: Date },
): Promise<Delivery | null> {
  const [claimed, row] = await Promise.all([
    CLAIM_FIRST.first(statements, lease),
    READ_DELIVERY.first(statements, { eventId: lease.eventId }),
  ]);
  return claimed === undefined || row === undefined ? null : deliveryOf(row);
}

const TAKE_UNSENT = statement((db, $: Given<{ eventId: string }>) =>
  db
    .updateTable('webhook_events')
    .set({ nextSweepAt: leaseUntil })
    .where('eventId', '=', $('eventId'))
    .where('deliveryStatus', '=', 'PENDING')
    .where('attempts', '=', 0),
);

/** Takes an event from the process that holds its first attempt, if that was not begun yet. */
export async function takeUnsent(statements: Statements, eventId: string): Promise<void> {
  await TAKE_UNSENT.all(statements, { eventId });
}

function deliveryOf({
  applicationId,
  mode,
  url,
  disabledAt,
  circuitOpenUntil,
  signingSecrets,
  ...delivery
}: RowOf<typeof READ_DELIVERY>): Delivery {
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
