/**
 * Matches the payout lines of one gateway, mode and day with payments and refunds. The run's row says where it goes on, so a run that was interrupted
 * continues, and one that is made again gives the same results.
 *
 *   opening    finds or writes the run's row → fetching
 *   fetching   reads the day's payouts from the gateway's own API, if it has one → advancing
 *   advancing  lines, then payments and refunds without a line, then cases, then the ledger; some seconds of work at a time → advancing | ended, or
 *              fetching if somebody has asked for the day meanwhile
 *   ended      the row says how
 *
 * Messages: query `progress`. Cancelling the workflow cancels the run; what it has found stays.
 */
import {
  CancellationScope,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import {
  reconciliationProgressQuery,
  type ReconciliationActivities,
  type ReconciliationInput,
  type ReconciliationProgress,
  type ScheduledReconciliationInput,
} from './messages/reconciliation.ts';
import { Inbox } from './inbox.ts';
import { FETCH_PAYOUTS, RECONCILE, RECORD_RUN } from './options.ts';
import { startRun } from './reconcile-days.ts';
import { renewWhenLong } from './renew.ts';

const { openReconciliation, cancelReconciliation, dayToReconcile, noteUnfetched } =
  proxyLocalActivities<ReconciliationActivities>(RECORD_RUN);
const { advanceReconciliation } = proxyActivities<ReconciliationActivities>(RECONCILE);
const { fetchPayouts } = proxyActivities<ReconciliationActivities>(FETCH_PAYOUTS);

const STEPS_IN_WORDS = {
  fetching: "Reading the gateway's payouts",
  matching: 'Matching lines with payments and refunds',
  looking: 'Looking for payments and refunds without a line',
  'opening-cases': 'Opening and closing cases',
  checking: 'Posting transfers and checking the ledger',
  done: 'Done',
} as const satisfies Record<ReconciliationProgress['step'], string>;

export async function reconciliationWorkflow(input: ReconciliationInput): Promise<string> {
  let progress: ReconciliationProgress | null = null;
  setHandler(reconciliationProgressQuery, () => progress);
  const reference = await openReconciliation(input);
  try {
    await fetchOrGoOn(reference);
    do {
      await renewWhenLong<typeof reconciliationWorkflow>(new Inbox(), input);
      progress = await advanceReconciliation(reference);
      setCurrentDetails(wordsOf(progress));
      if (progress.goesOn && progress.step === 'fetching') {
        await fetchOrGoOn(reference);
      }
    } while (progress.goesOn);
  } catch (error) {
    if (isCancellation(error)) {
      await CancellationScope.nonCancellable(() => cancelReconciliation(reference));
    }
    throw error;
  }
  return reference;
}

/** What is known already is matched even if the gateway's API is away: the next run reads the same days again. */
async function fetchOrGoOn(reference: string): Promise<void> {
  setCurrentDetails(`${STEPS_IN_WORDS.fetching}.`);
  try {
    await fetchPayouts(reference);
  } catch (error) {
    if (isCancellation(error)) {
      throw error;
    }
    await noteUnfetched(reference);
  }
}

function wordsOf({ step, linesDone, movementsDone }: ReconciliationProgress): string {
  return `${STEPS_IN_WORDS[step]}. ${linesDone} lines of the day and ${movementsDone} payments and refunds so far.`;
}

/** Started by a schedule each day: runs the day before. */
export async function scheduledReconciliationWorkflow(input: ScheduledReconciliationInput): Promise<void> {
  const run = { ...input, period: await dayToReconcile() };
  // If it runs already, somebody has started it by hand.
  await startRun(run);
}
