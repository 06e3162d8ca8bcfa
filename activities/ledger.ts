import type { Database } from '../database/connection.ts';
import { sealBatch, type ChainHead, type SealOutcome } from '../database/ledger/seal.ts';
import type { Logger } from '../runtime/logger.ts';
import { SEAL_HEAD_MESSAGE } from '../runtime/seal-heads.ts';
import type { SealLedgerActivities } from '../workflows/messages/seal-ledger.ts';

const TRANSACTIONS_PER_SEAL_MAX = 500;
const SEALS_PER_CALL_MAX = 20;

export interface LedgerActivityParts {
  readonly database: Database;
  readonly log: Logger;
}

export function createLedgerActivities({ database, log }: LedgerActivityParts): SealLedgerActivities {
  const tell = headTeller(log);
  return {
    async sealLedger() {
      let outcome = await seal(database);
      tell(outcome.head);
      for (let seals = 1; seals < SEALS_PER_CALL_MAX && !outcome.drained; seals += 1) {
        outcome = await seal(database);
        tell(outcome.head);
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

/**
 * Returns a function that logs each chain head once, whatever the log level. A copy of the logs kept elsewhere is evidence that nobody with access to
 * the database can change. A process starts by logging the current head, in case an earlier one died before logging it.
 */
function headTeller(log: Logger): (head: ChainHead) => void {
  const always = log.child({}, { level: 'info' });
  let told = 0n;
  return ({ sealId, hash, totalTransactions }) => {
    if (sealId > told) {
      told = sealId;
      const head = {
        sealId: sealId.toString(),
        hash: hash.toString('hex'),
        totalTransactions: totalTransactions.toString(),
      };
      always.info(head, SEAL_HEAD_MESSAGE);
    }
  };
}

/** Uses one database transaction per seal, so that a run that dies keeps the seals it has made. */
function seal(database: Database): Promise<SealOutcome> {
  return database.withSystem((em) => sealBatch(em, { transactionsMax: TRANSACTIONS_PER_SEAL_MAX }));
}
