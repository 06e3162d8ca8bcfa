import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { describeError, type Logger } from '../runtime/logger.ts';
import { ensureLoop, SEALER, SWEEPER, type LoopToRun } from '../temporal/loops.ts';

/** Nothing else restarts the sweeper, so every worker looks after it. */
const LOOK_EVERY_MS = 60_000;

export interface KeptLoops {
  /** Stops looking. The loops themselves go on at other workers. */
  end(): Promise<void>;
}

export interface Keeping {
  readonly client: Client;
  readonly log: Logger;
  readonly everyMs?: number;
}

/** Starts the sweeper and the sealer if they do not run, and again whenever someone has terminated one. */
export async function keepLoops(keeping: Keeping): Promise<KeptLoops> {
  const { log, everyMs = LOOK_EVERY_MS } = keeping;
  const ended = new AbortController();
  const look = async (): Promise<void> => {
    for (const loop of [SWEEPER, SEALER]) {
      await ensure(keeping, loop);
    }
  };
  await look();
  const keptUp = (async () => {
    while (!ended.signal.aborted) {
      await sleep(everyMs, undefined, { signal: ended.signal }).catch(() => undefined);
      if (!ended.signal.aborted) {
        await look();
      }
    }
  })();
  keptUp.catch((error: unknown) => log.error({ error: describeError(error) }, 'the loops are not looked after'));
  return {
    async end() {
      ended.abort();
      await keptUp;
    },
  };
}

async function ensure({ client, log }: Keeping, loop: LoopToRun): Promise<void> {
  const { workflowId } = loop;
  try {
    if (await ensureLoop(client, loop)) {
      log.info({ workflowId }, 'loop started');
    }
  } catch (error) {
    log.warn({ workflowId, error: describeError(error) }, 'loop not looked after; the next look is in a minute');
  }
}
