/**
 * Replaces `@temporalio/workflow` for the product's workflows in the simulation: the same names, implemented with one run's commands and a fake
 * clock. It contains only what the workflows use; importing anything else fails.
 */
import { msToNumber, type Duration } from '@temporalio/common/lib/time.js';
import { ContinueAsNew, currentRun as run, type Child, type MessageDefinition } from './current-run.ts';

export { ApplicationFailure } from '@temporalio/common';
export { ParentClosePolicy } from '@temporalio/workflow/lib/interfaces.js';

export { isCancellation } from './run-of-code.ts';

/** A run has one scope that its cancellation reaches, and any number that it does not. */
export const CancellationScope = {
  nonCancellable: <T>(work: () => Promise<T>): Promise<T> => run().shielded(work),
  current: () => ({ consideredCancelled: run().isCancelled() }),
};

/** A child outlives its parent, as with the policy `ABANDON`. */
export function startChild(
  workflowType: string,
  { workflowId, args = [] }: { readonly workflowId: string; readonly args?: readonly unknown[] },
): Promise<Child> {
  return run().child({ workflowType, workflowId, args });
}

export function defineSignal(name: string): MessageDefinition {
  return { type: 'signal', name };
}

export function defineUpdate(name: string): MessageDefinition {
  return { type: 'update', name };
}

export function defineQuery(name: string): MessageDefinition {
  return { type: 'query', name };
}

export function setHandler(definition: MessageDefinition, handler: (...args: never[]) => unknown): void {
  run().setHandler(definition, handler);
}

export function allHandlersFinished(): boolean {
  return !run().handlersRun();
}

export function sleep(duration: Duration): Promise<void> {
  return run().timer(Math.max(1, msToNumber(duration))).fired;
}

export function condition(holds: () => boolean): Promise<void>;
export function condition(holds: () => boolean, timeout: Duration): Promise<boolean>;
export async function condition(holds: () => boolean, timeout?: Duration): Promise<boolean | void> {
  const mine = run();
  if (timeout === undefined) {
    return mine.until(holds);
  }
  const timer = mine.timer(Math.max(1, msToNumber(timeout)));
  const held = await Promise.race([mine.until(holds).then(() => true), timer.fired.then(() => false)]);
  timer.cancel();
  return held;
}

type Activities = Record<string, (...args: unknown[]) => Promise<unknown>>;

function proxy(options: object, local: boolean): Activities {
  return new Proxy<Activities>(
    {},
    {
      get:
        (_target, name) =>
        (...args: unknown[]) =>
          run().activity({ name: String(name), args, options, local }),
    },
  );
}

export function proxyActivities(options: object): Activities {
  return proxy(options, false);
}

export function proxyLocalActivities(options: object): Activities {
  return proxy(options, true);
}

export function continueAsNew(...args: unknown[]): Promise<never> {
  return Promise.reject(new ContinueAsNew(args));
}

export function makeContinueAsNewFunc(): (...args: unknown[]) => Promise<never> {
  return continueAsNew;
}

export function setCurrentDetails(details: string): void {
  run().describe(details);
}

export function upsertSearchAttributes(attributes: readonly { key: { name: string }; value: unknown }[]): void {
  run().upsert(attributes);
}

export function workflowInfo(): object {
  return run().info();
}
