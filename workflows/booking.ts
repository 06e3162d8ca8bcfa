import { ApplicationFailure, sleep } from '@temporalio/workflow';
import { failIfRowMissing } from './missing-row.ts';
import { RECORDING_PAUSES } from './options.ts';

/**
 * A money step: bounded retries, then pauses, then a visible failure that the sweeper resumes. Never retried for ever in silence, and not at all
 * when its row is gone.
 *
 * @param tell - hears before each pause what a person should read
 */
export async function book<T>(step: () => Promise<T>, tell: (details: string) => void): Promise<T> {
  for (const pauseFor of RECORDING_PAUSES) {
    try {
      return await step();
    } catch (error) {
      failIfRowMissing(error);
      tell(`Recording failed; retrying in ${pauseFor}.`);
      await sleep(pauseFor);
    }
  }
  return step().catch((error: unknown) => {
    failIfRowMissing(error);
    throw ApplicationFailure.create({
      type: 'RECORDING_FAILED',
      message: 'recording failed',
      nonRetryable: true,
      cause: error instanceof Error ? error : new Error('unknown'),
    });
  });
}

/** "2026-11-21 14:05 UTC". */
export function utc(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
