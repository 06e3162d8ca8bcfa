import type { Logger } from './logger.ts';

const GRACE_MS = 30_000;

/**
 * Ends the process in order on SIGTERM or SIGINT: runs the steps one after the other, within 30 seconds in total. A second signal or a hanging step
 * ends the process at once; work lost then is recovered as after a kill.
 */
export function onShutdown(log: Logger, steps: readonly (() => Promise<unknown>)[]): void {
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) {
      process.exit(1);
    }
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    void runSteps(log, steps).then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

async function runSteps(log: Logger, steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const step of steps) {
    await step().catch((error: unknown) =>
      log.warn({ error: error instanceof Error ? error.message : 'unknown' }, 'a shutdown step failed'),
    );
  }
  log.info('stopped');
}
