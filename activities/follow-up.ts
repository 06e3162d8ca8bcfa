import { describeError } from '../runtime/logger.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** What a committed step sets going in other workflows. All of it can be lost: the rows say so, and the sweeper starts it then. */
export interface FollowUp {
  readonly what: string;
  /** For the log line of a failure. */
  readonly about?: Readonly<Record<string, string>>;
  readonly start: () => Promise<unknown>;
}

/** Starts each; a failure of one keeps none of the others. */
export async function followUp(
  { log }: ActivityDependencies,
  { reference }: { readonly reference: string },
  followUps: readonly FollowUp[],
): Promise<void> {
  for (const { what, about, start } of followUps) {
    await start().catch((error: unknown) => {
      log.warn({ reference, ...about, error: describeError(error) }, `${what} not started; the sweeper will`);
    });
  }
}
