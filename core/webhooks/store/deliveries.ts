import { sql } from 'kysely';
import type { Contract } from '../../../domain/contract.ts';
import { PROBE_LEASE_MS, type DeliveryStatus } from '../../../domain/webhook.ts';
import { signingSecretPlace, type SealedPlace } from '../../../runtime/sealed-places.ts';
import type { Scope } from '../../../database/connection.ts';
import { NO_MEMBERS, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

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
              NO_MEMBERS,
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
