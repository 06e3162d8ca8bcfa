import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';
import { ROW_MISSING } from './messages/names.ts';

/**
 * Ends the workflow, visibly, when an activity found that the database has no row for it any more: no pause and no later try brings it back.
 * Every other failure is left to the caller.
 *
 * @throws ApplicationFailure ROW_MISSING, not retryable
 */
export function failIfRowMissing(error: unknown): void {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type === ROW_MISSING) {
      setCurrentDetails(
        `Stopped: ${cause.message}. Was an older backup of the database restored? See docs/restore.md.`,
      );
      throw ApplicationFailure.create({ type: ROW_MISSING, message: cause.message, nonRetryable: true });
    }
  }
}

/** For a step that may fail: what counts as its answer then, unless the row is missing. */
export function unlessRowMissing<T>(answer: T): (error: unknown) => T {
  return (error) => {
    failIfRowMissing(error);
    return answer;
  };
}
