import { ApplicationFailure } from '@temporalio/workflow';

/** Returns the failure of this type that an error is, or that caused it. */
export function failureOfType(error: unknown, type: string): ApplicationFailure | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type === type) {
      return cause;
    }
  }
  return null;
}
