import { describeError, type Logger } from '../runtime/logger.ts';

/** Work in another workflow that a committed step triggers. If starting it fails, the rows still show it, and the sweeper starts it later. */
export interface FollowUp {
  readonly what: string;
  /** Fields for the log line if it fails. */
  readonly about?: Readonly<Record<string, string>>;
  readonly start: () => Promise<unknown>;
}

/** Starts each follow-up. A failure of one does not stop the others. */
export async function followUp(
  { log }: { readonly log: Logger },
  { reference }: { readonly reference: string },
  followUps: readonly FollowUp[],
): Promise<void> {
  for (const { what, about, start } of followUps) {
    await start().catch((error: unknown) => {
      log.warn({ reference, ...about, error: describeError(error) }, `${what} not started; the sweeper retries`);
    });
  }
}
