import {
  allHandlersFinished,
  condition,
  makeContinueAsNewFunc,
  workflowInfo,
  type Workflow,
} from '@temporalio/workflow';
import type { Inbox } from './inbox.ts';

type AnyInbox = Pick<Inbox<never>, 'isEmpty'>;

/** The server suggests to go on in a new history. A handler that waits without a message in the inbox has to answer then. */
export function historyIsLong(): boolean {
  return workflowInfo().continueAsNewSuggested;
}

/**
 * Continues as new once the history is long, with everything that operators search by. Called at the top of a workflow's loop, where its rows and
 * `next` hold all that a fresh run needs.
 *
 * Messages and handlers stay behind with their run: nobody delivers them to the next one. So a run with an unread message goes on.
 */
export async function renewWhenLong<W extends Workflow>(inbox: AnyInbox, ...next: Parameters<W>): Promise<void> {
  if (historyIsLong() && inbox.isEmpty && (await isQuiet(inbox))) {
    const { typedSearchAttributes, workflowType } = workflowInfo();
    await makeContinueAsNewFunc<W>({ workflowType, typedSearchAttributes })(...next);
  }
}

/**
 * Waits for the handlers that still run; true when nothing is left to do for anybody. A handler may wait for the loop to take up its message, so a
 * message ends the wait.
 */
export async function isQuiet(inbox: AnyInbox): Promise<boolean> {
  await condition(() => !inbox.isEmpty || allHandlersFinished());
  return inbox.isEmpty && allHandlersFinished();
}
