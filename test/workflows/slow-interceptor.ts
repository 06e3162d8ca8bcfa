import type { UpdateInput, WorkflowInterceptors } from '@temporalio/workflow';

/** Longer than anything else of the same activation takes. */
const TURNS = 200;

/** Hands an update on a little later, as an interceptor may that has something to wait for: until then the run knows of a handler, not of its message. */
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
