import { AT_WORK_MS } from './limits.ts';

/**
 * What this process does not know of its own executions. Of bKash's rule "after an execution without an answer ask, do not execute again"
 * this is the memory: while the gateway may be at work on a payment it is not executed again, and nobody is told that nothing is under way.
 * That one payment id is executed once is the gateway's own promise. A process that has forgotten, or never knew, may call a payment
 * untouched that is being charged; its charge is found by the question that is put once more after a payment has ended.
 */
export interface Executions {
  standOf(paymentId: string): ExecutionStand;
  begin(paymentId: string): void;
  /** Its answer came, or no longer can. What is plain leaves an earlier doubt as it was. */
  end(paymentId: string, left: ExecutionDoubt | 'plain'): void;
  /** The gateway shows its charge. */
  forget(paymentId: string): void;
}

/**
 * `lost`: without a usable answer. `carried-out`: by the execution's answer, and not by the query's. `never`: not again by a machine, though
 * it moved nothing.
 */
export type ExecutionDoubt = 'lost' | 'carried-out' | 'never';
export type ExecutionStand = ExecutionDoubt | 'none' | 'at-work';

const REMEMBERED_MAX = 10_000;

interface Remembered {
  readonly doubt: ExecutionDoubt;
  readonly atWorkUntilMs: number;
}

export function createExecutions(nowMs: () => number = Date.now): Executions {
  const unanswered = new Set<string>();
  const remembered = new Map<string, Remembered>();
  const remember = (paymentId: string, left: ExecutionDoubt): void => {
    const oldest = remembered.size < REMEMBERED_MAX ? undefined : remembered.keys().next().value;
    if (oldest !== undefined) {
      remembered.delete(oldest);
    }
    const doubt = left === 'lost' && remembered.get(paymentId)?.doubt === 'carried-out' ? 'carried-out' : left;
    remembered.set(paymentId, { doubt, atWorkUntilMs: left === 'never' ? 0 : nowMs() + AT_WORK_MS });
  };
  return {
    standOf(paymentId) {
      const known = remembered.get(paymentId);
      const atWork = unanswered.has(paymentId) || (known !== undefined && known.atWorkUntilMs > nowMs());
      return atWork ? 'at-work' : (known?.doubt ?? 'none');
    },
    begin: (paymentId) => void unanswered.add(paymentId),
    end(paymentId, left) {
      unanswered.delete(paymentId);
      if (left !== 'plain') {
        remember(paymentId, left);
      }
    },
    forget: (paymentId) => void remembered.delete(paymentId),
  };
}
