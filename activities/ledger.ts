import { headAnnouncer, sealBatches } from '../core/ledger/seal-batches.ts';
import { holdsHead } from '../core/ledger/remembered-head.ts';
import type { Database } from '../database/connection.ts';
import type { Logger } from '../runtime/logger.ts';
import type { SealLedgerActivities } from '../workflows/messages/seal-ledger.ts';
import { guarded } from './failures.ts';

export interface LedgerDependencies {
  readonly database: Database;
  readonly log: Logger;
}

export function createLedgerActivities({ database, log }: LedgerDependencies): SealLedgerActivities {
  const announce = headAnnouncer(log);
  return {
    sealLedger: (remembered) =>
      guarded({ log, activity: 'sealLedger' }, async () => {
        if (remembered !== undefined && !(await database.withSystem((em) => holdsHead(em, remembered)))) {
          const { sealId, hash, totalTransactions } = remembered;
          log.error(
            { sealId, hash, alert: 'ledger-head-lost' },
            'the ledger lacks a seal that was made, so nothing is sealed: was an older backup restored without `npm run restore`?',
          );
          return { sealId, hash, totalTransactions, drained: true, headLost: true };
        }
        const { head, drained } = await sealBatches(database, announce);
        return {
          sealId: head.sealId.toString(),
          hash: head.hash.toString('hex'),
          totalTransactions: head.totalTransactions.toString(),
          drained,
        };
      }),
  };
}
