/** Seals the unsealed end of the ledger, started by a schedule. Its result is the chain's head, which `npm run verify` compares with the chain. */
import { proxyActivities } from '@temporalio/workflow';
import type { SealLedgerActivities, SealLedgerResult } from './messages/seal-ledger.ts';

const { sealLedger } = proxyActivities<SealLedgerActivities>({
  startToCloseTimeout: '2m',
  retry: { maximumAttempts: 3 },
});

/** Enough for a backlog of 100,000 ledger transactions. The schedule starts the next pass. */
const ROUNDS_MAX = 10;

export async function sealLedgerWorkflow(): Promise<SealLedgerResult> {
  let result = await sealLedger();
  for (let rounds = 1; rounds < ROUNDS_MAX && !result.drained; rounds += 1) {
    result = await sealLedger();
  }
  return result;
}
