import type { LedgerTransaction } from '../domain/ledger.ts';
import type { EntityManager } from './connection.ts';

export type PostOutcome = 'posted' | 'already-posted';

/** Placeholder signature: the ledger's owner fills it. */
export function postTransaction(_em: EntityManager, _transaction: LedgerTransaction): Promise<PostOutcome> {
  return Promise.reject(new Error('not built yet'));
}
