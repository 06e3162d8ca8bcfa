import {
  allHandlersFinished,
  condition,
  makeContinueAsNewFunc,
  workflowInfo,
  type Workflow,
} from '@temporalio/workflow';
import type { Inbox } from './inbox.ts';

type AnyInbox = Pick<Inbox<never>, 'isEmpty'>;

/** Reports whether the server suggests continuing as new. A handler that waits without a message in the inbox has to answer then. */
export function historyIsLong(): boolean {
  return workflowInfo().continueAsNewSuggested;
}

/**
 * Continues as new once the history is long, with the run's search attributes. Called at the top of a workflow's loop, where the rows and `next` hold
 * everything that a fresh run needs.
 *
 * Temporal does not carry messages and handlers over to the next run, so a run with an unread message continues.
 */
export async function renewWhenLong<W extends Workflow>(inbox: AnyInbox, ...next: Parameters<W>): Promise<void> {
  if (historyIsLong() && inbox.isEmpty && (await isQuiet(inbox))) {
    const { typedSearchAttributes, workflowType } = workflowInfo();
    await makeContinueAsNewFunc<W>({ workflowType, typedSearchAttributes })(...next);
  }
}

/**
 * Waits for the running handlers and returns true when nothing is left to do. A handler can be waiting for the loop to take its message, so a new
 * message ends the wait.
 */
export async function isQuiet(inbox: AnyInbox): Promise<boolean> {
  await condition(() => !inbox.isEmpty || allHandlersFinished());
  return inbox.isEmpty && allHandlersFinished();
}
