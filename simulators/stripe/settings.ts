import type { Script } from './scripts.ts';

/** What the control plane may change while the simulator runs; kept over restarts. Times in milliseconds. */
export type Settings = {
  /** How long a hanging call is held before its connection is cut. */
  hangMs: number;
  slowMs: number;
  /** When a delayed method ends, after the payer has left. */
  delayedAfterMs: number;
  /** When a refund ends that does not end at once. */
  pendingRefundMs: number;
  /** When a late event is first posted. */
  lateEventMs: number;
  eventTimeoutMs: number;
  /** Pauses before an event is posted again that nobody took. */
  eventRetryMs: readonly number[];
  /** How long an idempotency key is remembered. */
  idempotencyTtlMs: number;
  /** The fee: parts of ten thousand, and a fixed part in the smallest unit. */
  feeBps: number;
  feeFixed: number;
  /** What every new session begins with. */
  script: Script;
};

export const defaultSettings: Settings = {
  hangMs: 120_000,
  slowMs: 5_000,
  delayedAfterMs: 3_000,
  pendingRefundMs: 2_000,
  lateEventMs: 10_000,
  eventTimeoutMs: 10_000,
  eventRetryMs: [1_000, 5_000, 30_000, 300_000, 1_800_000],
  idempotencyTtlMs: 24 * 3_600_000,
  feeBps: 290,
  feeFixed: 30,
  script: {},
};
