import { sql } from 'kysely';
import type { Database, Scope } from '../../../database/connection.ts';
import { now } from '../../../database/expressions.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

export interface AttemptIds {
  readonly scope: Scope;
  readonly attemptId: bigint;
  readonly paymentId: bigint;
}

/** An attempt found for a callback, with the store whose signature the callback must carry. */
export interface FoundAttempt extends AttemptIds {
  /** The database's time of the lookup. */
  readonly foundAt: Date;
  readonly store: { readonly storeId: string; readonly sealedSecret: string | null };
}

interface NamedAttempt extends Scope {
  readonly attemptId: bigint;
  readonly paymentId: bigint;
  readonly storeId: string;
  readonly storeSecret: string | null;
}

const FIND_ATTEMPT = statement((db, $: Given<{ gateway: string; reference: string }>) =>
  db
    .selectFrom(sql<NamedAttempt>`lenden_find_attempt(${$('gateway')}, ${$('reference')})`.as('a'))
    .select([
      'a.attemptId',
      'a.paymentId',
      'a.applicationId',
      'a.mode',
      'a.storeId',
      'a.storeSecret',
      now.as('foundAt'),
    ]),
);

export async function findAttempt(
  database: Database,
  gateway: string,
  reference: string,
): Promise<FoundAttempt | null> {
  const found = await FIND_ATTEMPT.lookup(database, { gateway, reference });
  if (found === undefined) {
    return null;
  }
  const { applicationId, mode, storeId, storeSecret, ...ids } = found;
  return { ...ids, scope: { applicationId, mode }, store: { storeId, sealedSecret: storeSecret } };
}
