import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';

/** Returns false if no workflow runs: it has ended or was never started. */
export async function reachesRunning(signal: () => Promise<void>): Promise<boolean> {
  try {
    await signal();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      return false;
    }
    throw error;
  }
}

/** Returns `completed` if the workflow has ended for good. */
export async function runningOrCompleted(start: () => Promise<unknown>): Promise<'running' | 'completed'> {
  try {
    await start();
    return 'running';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      return 'completed';
    }
    throw error;
  }
}
