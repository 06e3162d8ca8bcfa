export interface Limits {
  readonly queryTimeoutMs: number;
  /** Of a call that moves money. */
  readonly executeTimeoutMs: number;
  /** For one question with all its calls: it has to end before whoever asked gives up. */
  readonly totalMs: number;
  /** Pauses between queries after an execution, which may be ahead of what queries show. */
  readonly pausesMs: readonly number[];
}

/** bKash works on a call for 30 seconds at most; twice that, since clocks begin at different ends. */
export const AT_WORK_MS = 60_000;

const TIMEOUT_MIN_MS = 1_000;

/** The time for a call of which all calls together have so much left. */
export function within(timeoutMs: number, leftMs: number): number {
  return Math.min(timeoutMs, Math.max(TIMEOUT_MIN_MS, Math.floor(leftMs)));
}
