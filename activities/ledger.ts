import type { Database } from '../database/connection.ts';
import { sealBatch, type SealOutcome } from '../database/ledger/seal.ts';
import type { SealLedgerActivities } from '../workflows/messages/seal-ledger.ts';

const TRANSACTIONS_PER_SEAL_MAX = 500;
const SEALS_PER_CALL_MAX = 20;

export function createLedgerActivities({ database }: { readonly database: Database }): SealLedgerActivities {
  return {
    async sealLedger() {
      let outcome = await seal(database);
      for (let seals = 1; seals < SEALS_PER_CALL_MAX && !outcome.drained; seals += 1) {
        outcome = await seal(database);
      }
      const { head, drained } = outcome;
      return {
        sealId: head.sealId.toString(),
        hash: head.hash.toString('hex'),
        totalTransactions: head.totalTransactions.toString(),
        drained,
      };
    },
  };
}

/** One database transaction per seal, so that a pass which dies keeps what it has sealed. */
function seal(database: Database): Promise<SealOutcome> {
  return database.withSystem((em) => sealBatch(em, { transactionsMax: TRANSACTIONS_PER_SEAL_MAX }));
}
