/**
 * Replaces `@temporalio/activity` for the product's activities in the simulation. It contains only what they use; importing anything else fails.
 */
import { CancelledFailure } from '@temporalio/common';
import { AsyncLocalStorage } from 'node:async_hooks';

/** One attempt of an activity, as its code sees it. */
export class ActivityExecution {
  readonly heartbeat: () => void;
  readonly cancelled: Promise<never>;
  private readonly controller = new AbortController();

  constructor(heartbeat: () => void) {
    this.heartbeat = heartbeat;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    this.cancelled = promise;
    this.cancellationSignal.addEventListener('abort', () => reject(this.cancellationSignal.reason as Error));
  }

  get cancellationSignal(): AbortSignal {
    return this.controller.signal;
  }

  cancel(): void {
    this.controller.abort(new CancelledFailure('CANCELLED'));
  }
}

const current = new AsyncLocalStorage<ActivityExecution>();

export function inExecution<T>(execution: ActivityExecution, work: () => T): T {
  return current.run(execution, work);
}

export const Context = {
  current(): ActivityExecution {
    const execution = current.getStore();
    if (execution === undefined) {
      throw new Error('activity code ran outside of an activity');
    }
    return execution;
  },
};
