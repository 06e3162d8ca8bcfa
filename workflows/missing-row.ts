import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';
import { failureOfType } from './failure-type.ts';
import { ROW_MISSING } from './messages/names.ts';

/**
 * Fails the workflow visibly when an activity found no row for it, since neither a pause nor a retry brings the row back. Returns for every other
 * failure, which the caller handles.
 *
 * @throws ApplicationFailure ROW_MISSING, not retryable
 */
export function failIfRowMissing(error: unknown): void {
  const failure = failureOfType(error, ROW_MISSING);
  if (failure !== null) {
    const { message } = failure;
    setCurrentDetails(`Stopped: ${message}. Was an older backup of the database restored? See docs/restore.md.`);
    const shown = ApplicationFailure.create({ type: ROW_MISSING, message, nonRetryable: true });
    // The trace would name the files of the installation.
    shown.stack = '';
    throw shown;
  }
}

/** Returns a handler for a failed step that gives this answer instead, unless the row is missing. */
export function unlessRowMissing<T>(answer: T): (error: unknown) => T {
  return (error) => {
    failIfRowMissing(error);
    return answer;
  };
}
