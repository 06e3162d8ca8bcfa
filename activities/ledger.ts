import { headAnnouncer, sealBatches } from '../core/ledger/seal-batches.ts';
import type { Database } from '../database/connection.ts';
import type { Logger } from '../runtime/logger.ts';
import type { SealLedgerActivities } from '../workflows/messages/seal-ledger.ts';

export interface LedgerDependencies {
  readonly database: Database;
  readonly log: Logger;
}

export function createLedgerActivities({ database, log }: LedgerDependencies): SealLedgerActivities {
  const announce = headAnnouncer(log);
  return {
    async sealLedger() {
      const { head, drained } = await sealBatches(database, announce);
      return {
        sealId: head.sealId.toString(),
        hash: head.hash.toString('hex'),
        totalTransactions: head.totalTransactions.toString(),
        drained,
      };
    },
  };
}
