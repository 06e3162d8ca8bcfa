import { setTimeout as sleep } from 'node:timers/promises';
import { lastWords, type Child } from '../shared/child.ts';

/** A process that is restarted whenever it dies, until it is told to stop. */
export interface Supervised {
  readonly name: string;
  child(): Child;
  stop(): Promise<void>;
}

export interface Supervision {
  readonly name: string;
  /** Starts the process and waits until it is ready. */
  readonly start: () => Promise<Child>;
  readonly onStarted: (child: Child) => void;
  readonly say: (line: string) => void;
  /** Called once, when the process has died too often in a row to be restarted. */
  readonly onGivenUp: (reason: string) => void;
}

const DEATHS_IN_A_ROW_MAX = 10;
const HEALTHY_AFTER_MS = 60_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Starts a process and keeps it running. The pause before each restart doubles, up to half a minute. Ten deaths without a healthy minute in between
 * end the supervision.
 * @throws the error of the first start; later deaths lead to restarts
 */
export async function supervise(supervision: Supervision): Promise<Supervised> {
  let child = await supervision.start();
  supervision.onStarted(child);
  const stopped = new AbortController();
  const finished = keepRunning(supervision, { child, stopped: stopped.signal, replace: (next) => (child = next) });
  return {
    name: supervision.name,
    child: () => child,
    async stop() {
      stopped.abort();
      await child.stop();
      await finished;
      // A start that was in progress when the stop came has replaced the child.
      await child.stop();
    },
  };
}

interface Watch {
  readonly child: Child;
  readonly stopped: AbortSignal;
  readonly replace: (child: Child) => void;
}

async function keepRunning(supervision: Supervision, { child, stopped, replace }: Watch): Promise<void> {
  const { name, say, onGivenUp } = supervision;
  let ending = await endOf(child);
  let deaths = 1;
  while (!stopped.aborted) {
    if (deaths > DEATHS_IN_A_ROW_MAX) {
      onGivenUp(`${name} ended ${DEATHS_IN_A_ROW_MAX} times in a row, most recently with ${ending}.`);
      return;
    }
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (deaths - 1), LONGEST_PAUSE_MS);
    say(`${name} ended (${ending}); restarting it in ${pauseMs / 1000} s.`);
    await sleep(pauseMs, undefined, { signal: stopped }).catch(() => undefined);
    if (stopped.aborted) {
      return;
    }
    const startedAt = Date.now();
    try {
      const next = await supervision.start();
      replace(next);
      supervision.onStarted(next);
      say(`${name} is running again.`);
      ending = await endOf(next);
    } catch (error) {
      ending = error instanceof Error ? error.message : String(error);
    }
    deaths = Date.now() - startedAt > HEALTHY_AFTER_MS ? 1 : deaths + 1;
  }
}

async function endOf(child: Child): Promise<string> {
  const how = await child.exited;
  const words = lastWords(child).split('\n').at(-1) ?? '';
  return words === '' ? how : `${how}: ${words.slice(0, 300)}`;
}
