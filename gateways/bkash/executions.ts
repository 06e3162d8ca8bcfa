/**
 * Executions of this process whose outcome is not known. Of bKash's rule "after an execution without an answer ask, do not execute again"
 * this is the memory: a payment is not executed again while the gateway may still be at work on it. That one payment id is executed once
 * is the gateway's own promise, so a process that has forgotten does no harm.
 */
export interface Executions {
  /** Whether this payment may be executed now. */
  mayBegin(paymentId: string): boolean;
  /** Whether an earlier execution of it went unanswered. */
  isDoubtful(paymentId: string): boolean;
  /** No usable answer: not again before the gateway has certainly done with it. */
  lost(paymentId: string): void;
  /** Not again by a machine. */
  never(paymentId: string): void;
}

/** bKash works on a call for 30 seconds at most; twice that, since clocks begin at different ends. */
const AT_WORK_MS = 60_000;
const REMEMBERED_MAX = 10_000;

export function createExecutions(nowMs: () => number = Date.now): Executions {
  const notBefore = new Map<string, number>();
  const remember = (paymentId: string, untilMs: number): void => {
    const oldest = notBefore.size < REMEMBERED_MAX ? undefined : notBefore.keys().next().value;
    if (oldest !== undefined) {
      notBefore.delete(oldest);
    }
    notBefore.set(paymentId, untilMs);
  };
  return {
    mayBegin: (paymentId) => (notBefore.get(paymentId) ?? 0) <= nowMs(),
    isDoubtful: (paymentId) => notBefore.has(paymentId),
    lost: (paymentId) => remember(paymentId, nowMs() + AT_WORK_MS),
    never: (paymentId) => remember(paymentId, Infinity),
  };
}
