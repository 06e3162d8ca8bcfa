import type { Database } from '../../database/connection.ts';
import type { Logger } from '../../runtime/logger.ts';
import { SEAL_HEAD_MESSAGE } from '../../runtime/seal-heads.ts';
import { sealBatch, type ChainHead, type SealOutcome } from './seal.ts';

const TRANSACTIONS_PER_SEAL_MAX = 500;
const SEALS_PER_CALL_MAX = 20;

/** Seals committed transactions in bounded batches, and announces each new head of the chain. Returns the last one. */
export async function sealBatches(database: Database, announce: (head: ChainHead) => void): Promise<SealOutcome> {
  let outcome = await seal(database);
  announce(outcome.head);
  for (let seals = 1; seals < SEALS_PER_CALL_MAX && !outcome.drained; seals += 1) {
    outcome = await seal(database);
    announce(outcome.head);
  }
  return outcome;
}

/**
 * Returns a function that logs each chain head once, whatever the log level. A copy of the logs kept elsewhere is evidence that nobody with access to
 * the database can change. A process starts by logging the current head, in case an earlier one died before logging it.
 */
export function headAnnouncer(log: Logger): (head: ChainHead) => void {
  const always = log.child({}, { level: 'info' });
  let announced = 0n;
  return ({ sealId, hash, totalTransactions }) => {
    if (sealId > announced) {
      announced = sealId;
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
