export interface Limits {
  readonly queryTimeoutMs: number;
  /** Timeout of a call that moves money. */
  readonly executeTimeoutMs: number;
  /** Limit for one query with all its calls. It must end before the caller's own timeout. */
  readonly totalMs: number;
  /** Pauses between queries after an execution, since queries may lag behind it. */
  readonly pausesMs: readonly number[];
}

/** bKash works on a call for at most 30 seconds. Doubled, because its 30 seconds may start later than ours. */
export const AT_WORK_MS = 60_000;

const TIMEOUT_MIN_MS = 1_000;

/** Returns the timeout of one call, given the time left for all calls. */
export function within(timeoutMs: number, leftMs: number): number {
  return Math.min(timeoutMs, Math.max(TIMEOUT_MIN_MS, Math.floor(leftMs)));
}
