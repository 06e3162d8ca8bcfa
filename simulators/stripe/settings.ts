import type { PayoutChanges } from '../kit/payouts/settings.ts';
import type { Script } from './scripts.ts';

/** Settings that the control API can change while the simulator runs. They are kept across restarts. Times are in milliseconds. */
export type Settings = {
  /** How long a hanging call is held before its connection is cut. */
  hangMs: number;
  slowMs: number;
  /** When a delayed method ends, counted from the payer's leaving. */
  delayedAfterMs: number;
  /** When a refund ends if it does not end at once. */
  pendingRefundMs: number;
  /** When a late event is first posted. */
  lateEventMs: number;
  eventTimeoutMs: number;
  /** Pauses before an event that was not accepted is posted again. */
  eventRetryMs: readonly number[];
  idempotencyTtlMs: number;
  /** The fee: a rate in ten-thousandths, and a fixed part in the smallest unit. */
  feeBps: number;
  feeFixed: number;
  /** How payouts differ from the defaults in `payouts.ts`. */
  payouts: PayoutChanges;
  /** The script with which every new session starts. */
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
  payouts: {},
  script: {},
};
