import type { CoreDependencies } from '../dependencies.ts';
import {
  areSummariesBehind,
  lockSummaries,
  nextBatch,
  advance,
  startOverIn,
  summarizeBatch,
} from './store/summaries.ts';

/** Limit for one pass of the sweeper, so that all its steps fit into the activity's minute. */
const PASS_MAX_MS = 12_000;
/** The most payments, and the most refunds, of one transaction. */
const BATCH_MAX = 10_000;

type SummaryDependencies = Pick<CoreDependencies, 'database' | 'calendar'>;

/**
 * Continues the summaries of reports with what has ended since, in batches of one transaction each, so that a run that dies keeps those it has made.
 * Two runs at once are safe: one leaves the work to the other. Returns how many batches it made.
 */
export async function summarizeEnded(
  deps: SummaryDependencies,
  { batchMax = BATCH_MAX }: { readonly batchMax?: number } = {},
): Promise<number> {
  const stopAtMs = Date.now() + PASS_MAX_MS;
  for (let batches = 0; ; batches += 1) {
    const outcome = await summarizeNext(deps, batchMax);
    if (outcome !== 'more' || Date.now() >= stopAtMs) {
      return outcome === 'nothing' ? batches : batches + 1;
    }
  }
}

function summarizeNext({ database, calendar: { timeZone } }: SummaryDependencies, rowsMax: number) {
  return database.withSystem(async (em): Promise<'nothing' | 'more' | 'all'> => {
    if (!(await areSummariesBehind(em, timeZone)) || !(await lockSummaries(em))) {
      return 'nothing';
    }
    // Read after the lock in separate statements, whose snapshots include what its previous holder has written.
    await startOverIn(em, timeZone);
    await advance(em);
    const next = await nextBatch(em, { rowsMax });
    if (next === null) {
      return 'nothing';
    }
    await summarizeBatch(em, { ...next, timeZone });
    return next.hasMore ? 'more' : 'all';
  });
}
