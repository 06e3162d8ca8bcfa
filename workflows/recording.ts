import { ApplicationFailure, sleep } from '@temporalio/workflow';
import { failIfRowMissing } from './missing-row.ts';
import { RECORDING_PAUSES } from './options.ts';

/**
 * Runs a step that records money. When the activity's bounded retries run out, the step pauses and tries again. After the last pause the workflow
 * fails visibly, and the sweeper resumes it. A step whose row is missing is not retried.
 *
 * @param show - called before each pause with text for operators
 */
export async function record<T>(step: () => Promise<T>, show: (details: string) => void): Promise<T> {
  for (const pauseFor of RECORDING_PAUSES) {
    try {
      return await step();
    } catch (error) {
      failIfRowMissing(error);
      show(`Recording failed; retrying in ${pauseFor}.`);
      await sleep(pauseFor, { summary: 'recording is tried again' });
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

/** Formats a time, such as `2026-11-21 14:05 UTC`. */
export function utc(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
