import type { ExpressionBuilder } from 'kysely';
import { jsonBuildObject } from 'kysely/helpers/postgres';
import type { AttemptStatus } from '../../../domain/payment.ts';
import { now } from '../../../database/expressions.ts';
import { instant, optional } from '../../../database/read-row.ts';
import type { Tables } from '../../../database/tables.ts';

/** One session at a gateway, as the steps of a payment need it. */
export interface AttemptRecord {
  readonly id: bigint;
  readonly reference: string;
  readonly gateway: string;
  readonly storeId: string;
  /** The store's credentials, sealed; null for the store from the environment. */
  readonly sealedSecret: string | null;
  readonly status: AttemptStatus;
  readonly sessionKey: string | null;
  /** Whether the payer has moved on to another gateway. */
  readonly superseded: boolean;
  /** Null while no session is known. */
  readonly openedAt: Date | null;
  /** The database's time of the read. The test clock is not applied, since gateways do not know it. */
  readonly readAt: Date;
}

/** An attempt within JSON, where PostgreSQL has neither 64-bit integers nor times. */
type AttemptJson = Omit<AttemptRecord, 'id' | 'openedAt' | 'readAt'> & {
  readonly id: string;
  readonly openedAt: string | null;
  readonly readAt: string;
};

export function attemptJson(eb: ExpressionBuilder<Tables & { t: Tables['payment_attempts'] }, 't'>) {
  return jsonBuildObject({
    id: eb.cast<string>('t.id', 'text'),
    reference: eb.ref('t.reference'),
    gateway: eb.ref('t.gateway'),
    storeId: eb.ref('t.storeId'),
    sealedSecret: eb.fn<string | null>('lenden_store_secret', ['t.applicationId', 't.mode', 't.gateway', 't.storeId']),
    status: eb.ref('t.status'),
    sessionKey: eb.ref('t.sessionKey'),
    superseded: eb('t.supersededAt', 'is not', null).$castTo<boolean>(),
    openedAt: eb.ref('t.openedAt'),
    readAt: now,
  });
}

export function attemptOf(json: AttemptJson): AttemptRecord {
  return {
    ...json,
    id: BigInt(json.id),
    openedAt: optional(json.openedAt, instant),
    readAt: instant(json.readAt),
  };
}
