/**
 * Imports one payout file or bank statement, then reconciles the days that it belongs to. The file's row is authoritative: it holds what was stored and
 * where the import goes on.
 *
 *   importing    one activity stores what the file says; tried again, it goes on where it stopped → reconciling | ended
 *   reconciling  a run for each day of what was added, one after the other → ended
 *   ended        imported, refused, or cancelled: by an operator through the API, or by cancelling this workflow
 *
 * The pending activity shows how many rows are done.
 */
import {
  CancellationScope,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
} from '@temporalio/workflow';
import type { PayoutImportActivities, PayoutImportInput, PayoutImportOutcome } from './messages/payout-import.ts';
import { failIfRowMissing } from './missing-row.ts';
import { CANCEL_IMPORT, DAYS_OF_IMPORT, IMPORT } from './options.ts';
import { reconcileDays } from './reconcile-days.ts';

const { importPayoutFile } = proxyActivities<PayoutImportActivities>(IMPORT);
const { cancelPayoutImport } = proxyActivities<PayoutImportActivities>(CANCEL_IMPORT);
const { daysOfImport } = proxyLocalActivities<PayoutImportActivities>(DAYS_OF_IMPORT);

export async function payoutImportWorkflow(input: PayoutImportInput): Promise<PayoutImportOutcome> {
  setCurrentDetails('Importing. The pending activity shows how many rows are done.');
  try {
    const outcome = await importPayoutFile(input);
    setCurrentDetails(inWords(outcome));
    if (outcome.linesAdded > 0) {
      await reconcileDays(await daysOfImport(input));
    }
    return outcome;
  } catch (error) {
    failIfRowMissing(error);
    if (isCancellation(error)) {
      setCurrentDetails(inWords(await CancellationScope.nonCancellable(() => cancelPayoutImport(input))));
    }
    throw error;
  }
}

const ENDED_WORDS = {
  IMPORTED: 'Imported',
  REFUSED: 'Refused',
  CANCELLED: 'Cancelled',
} as const satisfies Readonly<Record<PayoutImportOutcome['state'], string>>;

function inWords({ state, problem, rowsRead, linesAdded, linesKnown, linesRejected }: PayoutImportOutcome): string {
  const why = problem === null ? '' : ` (${problem})`;
  return `${ENDED_WORDS[state]}${why}: ${rowsRead} rows, of which ${linesAdded} are new, ${linesKnown} known and ${linesRejected} rejected.`;
}
