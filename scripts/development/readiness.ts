import { setTimeout as sleep } from 'node:timers/promises';
import { lastWords, waitForLogText, type Child } from '../shared/child.ts';

export interface Readiness {
  readonly timeoutMs: number;
  /** Ends the wait when the whole stack is being stopped. */
  readonly stopped: AbortSignal;
}

/**
 * Waits until a child answers 200 at `url`. Stops the child if that does not happen in time.
 * @throws Error with the child's last log lines
 */
export async function untilAnswering(child: Child, { url, ...readiness }: Readiness & { url: string }): Promise<Child> {
  const deadline = Date.now() + readiness.timeoutMs;
  while (!(await answers(url))) {
    if (child.hasExited() || readiness.stopped.aborted || Date.now() > deadline) {
      return await giveUpOn(child);
    }
    await sleep(50);
  }
  return child;
}

/** Waits until a child has logged `text`. Failures are handled as in `untilAnswering`. */
export async function untilLogged(child: Child, { text, ...readiness }: Readiness & { text: string }): Promise<Child> {
  return (await waitForLogText(child, { text, ...readiness })) ? child : await giveUpOn(child);
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

async function giveUpOn(child: Child): Promise<never> {
  await child.stop();
  throw new Error(`${child.name} did not become ready (${await child.exited}). Its last lines:\n${lastWords(child)}`);
}
