import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '../../scripts/shared/child.ts';

/** One process of the stack under test, restarted whenever it ends for any reason. */
export interface Member {
  readonly name: string;
  pid(): number | undefined;
  /** Every pid that it ever had. Work that a dead process had taken is lost. */
  pids(): ReadonlySet<number>;
  /** Sends a signal. Returns false if there is no process. A process killed by it is restarted after `restartAfterMs`. */
  signal(signal: NodeJS.Signals, options?: { restartAfterMs: number }): boolean;
  /** Resolves when the process is ready. */
  up(timeoutMs: number): Promise<void>;
  /** Ends the process once it is ready, and prevents its restart until the returned function is called. */
  hold(signal: NodeJS.Signals, timeoutMs: number): Promise<() => void>;
  stop(): Promise<void>;
}

export interface MemberSettings {
  readonly name: string;
  /** Starts the process and waits until it is ready. */
  readonly start: () => Promise<Child>;
  readonly say: (line: string) => void;
}

const PAUSE_MS = 200;

export async function openMember({ name, start, say }: MemberSettings): Promise<Member> {
  const pids = new Set<number>();
  const stopped = new AbortController();
  let child: Child | undefined = await start();
  const isUp = (): boolean => child !== undefined && !child.hasExited();
  let restartAfterMs = PAUSE_MS;
  let held: Promise<void> | undefined;
  const supervise = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      if (child !== undefined) {
        pids.add(child.identity.pid);
        const ending = await child.exited;
        child = undefined;
        say(`${name} ended: ${ending}`);
      }
      await sleep(restartAfterMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      restartAfterMs = PAUSE_MS;
      await held;
      if (!stopped.signal.aborted) {
        child = await start().catch((error: unknown) => {
          say(
            `${name} did not start: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
          );
          return undefined;
        });
        say(child === undefined ? `${name} is tried again` : `${name} is up again`);
      }
    }
  };
  const supervision = supervise();
  const up = async (timeoutMs: number): Promise<void> => {
    const deadline = Date.now() + timeoutMs;
    while (!isUp()) {
      if (Date.now() > deadline) {
        throw new Error(`${name} did not come up within ${timeoutMs / 1_000} s`);
      }
      await sleep(20);
    }
  };
  return {
    name,
    pid: () => child?.identity.pid,
    pids: () => pids,
    signal(signal, options) {
      if (child === undefined || child.hasExited()) {
        return false;
      }
      restartAfterMs = options?.restartAfterMs ?? restartAfterMs;
      process.kill(child.identity.pid, signal);
      return true;
    },
    up,
    async hold(signal, timeoutMs) {
      await up(timeoutMs);
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      stopped.signal.addEventListener('abort', () => resolve());
      const ending = child?.exited;
      if (child !== undefined && !child.hasExited()) {
        process.kill(child.identity.pid, signal);
      }
      await ending;
      return resolve;
    },
    async stop() {
      stopped.abort();
      await child?.stop();
      await supervision;
      await child?.stop();
    },
  };
}
