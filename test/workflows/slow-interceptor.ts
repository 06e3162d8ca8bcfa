import type { UpdateInput, WorkflowInterceptors } from '@temporalio/workflow';

/** Longer than any other work of the same activation. */
const TURNS = 200;

/**
 * Passes an update on a little later, as an interceptor with work of its own may do. Until then the run has a handler in progress, but not its
 * message.
 */
export const interceptors = (): WorkflowInterceptors => ({
  inbound: [
    {
      async handleUpdate(input: UpdateInput, next: (input: UpdateInput) => Promise<unknown>): Promise<unknown> {
        for (let turn = 0; turn < TURNS; turn += 1) {
          await Promise.resolve();
        }
        return next(input);
      },
    },
  ],
});
