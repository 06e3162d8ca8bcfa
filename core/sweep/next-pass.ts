import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { nextDueInMs } from '../maintenance/store/next-due.ts';

/** A row that becomes due meanwhile waits for this time at most. */
export const IDLE_MS = 30_000;
/** Rows that come due one after the other are taken together, so that the sweeper does not run all the time. */
export const SOONEST_MS = 5_000;

/** Returns the time until the next pass: when something is due, within the bounds. */
export async function nextPassInMs({ database, log }: CoreDependencies): Promise<number> {
  try {
    const dueInMs = await database.withSystem(nextDueInMs);
    return Math.ceil(Math.min(Math.max(dueInMs, SOONEST_MS), IDLE_MS));
  } catch (error) {
    log.warn({ error: describeError(error) }, 'what is due next could not be read');
    return IDLE_MS;
  }
}
