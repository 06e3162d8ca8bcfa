/**
 * The sealer: a loop that seals the unsealed end of the ledger. Its history holds the chain's head after each pass, and each run begins with the last
 * head of the run before. Each pass first checks that the chain still holds it. `npm run verify` compares both with the chain.
 */
import { proxyLocalActivities } from '@temporalio/workflow';
import { Loop } from './loop.ts';
import type { SealLedgerActivities, SealLedgerInput } from './messages/seal-ledger.ts';
import { SEAL } from './options.ts';
import { renewWhenLong } from './renew.ts';

const { sealLedger } = proxyLocalActivities<SealLedgerActivities>(SEAL);

const EVERY_MS = 30_000;

export function sealLedgerWorkflow({ head: before }: SealLedgerInput = {}): Promise<never> {
  const loop = new Loop();
  let head = before;
  return loop.run(
    async () => {
      const { drained, headLost, ...sealed } = await sealLedger(head);
      if (headLost === true) {
        return {
          said: `the database lacks seal ${sealed.sealId}, so nothing was sealed. Was an older backup restored? See docs/restore.md`,
          nextInMs: EVERY_MS,
        };
      }
      head = { ...sealed, recordedAt: new Date().toISOString() };
      return {
        said: `seal ${sealed.sealId} ends the chain of ${sealed.totalTransactions} ledger transactions`,
        nextInMs: drained ? EVERY_MS : 0,
      };
    },
    () => renewWhenLong<typeof sealLedgerWorkflow>(loop.inbox, head === undefined ? {} : { head }),
  );
}
