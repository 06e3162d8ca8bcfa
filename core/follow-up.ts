import { describeError } from '../runtime/logger.ts';
import type { CoreDependencies } from './dependencies.ts';

/** Work in another workflow that a committed step triggers. If starting it fails, the rows still show it, and the sweeper starts it later. */
export interface FollowUp {
  readonly what: string;
  /** Fields for the log line if it fails. */
  readonly about?: Readonly<Record<string, string>>;
  readonly start: () => Promise<unknown>;
}

/** Starts each follow-up. A failure of one does not stop the others. */
export async function followUp(
  { log }: CoreDependencies,
  { reference }: { readonly reference: string },
  followUps: readonly FollowUp[],
): Promise<void> {
  for (const { what, about, start } of followUps) {
    await start().catch((error: unknown) => {
      log.warn({ reference, ...about, error: describeError(error) }, `${what} not started; the sweeper retries`);
    });
  }
}
