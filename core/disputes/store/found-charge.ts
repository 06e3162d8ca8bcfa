import { sql } from 'kysely';
import type { Database, Scope } from '../../../database/connection.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';

/** The charge that a notice names, with the store whose signature the notice must carry. */
export interface FoundCharge {
  readonly scope: Scope;
  readonly attemptId: bigint;
  readonly paymentId: bigint;
  readonly store: { readonly storeId: string; readonly sealedSecret: string | null };
}

interface NamedCharge extends Scope {
  readonly attemptId: bigint;
  readonly paymentId: bigint;
  readonly storeId: string;
  readonly storeSecret: string | null;
}

const FIND = statement((db, $: Given<{ gateway: string; mode: Mode; gatewayTxnId: string }>) =>
  db
    .selectFrom(sql<NamedCharge>`lenden_find_charge(${$('gateway')}, ${$('mode')}, ${$('gatewayTxnId')})`.as('c'))
    .select(['c.attemptId', 'c.paymentId', 'c.applicationId', 'c.mode', 'c.storeId', 'c.storeSecret']),
);

/** Finds a charge by the gateway's transaction id, before its scope is known. */
export async function findCharge(
  database: Database,
  wanted: { readonly gateway: string; readonly mode: Mode; readonly gatewayTxnId: string },
): Promise<FoundCharge | null> {
  const found = await FIND.lookup(database, wanted);
  if (found === undefined) {
    return null;
  }
  const { applicationId, mode, storeId, storeSecret, ...ids } = found;
  return { ...ids, scope: { applicationId, mode }, store: { storeId, sealedSecret: storeSecret } };
}
