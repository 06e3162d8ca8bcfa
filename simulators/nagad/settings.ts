import type { PayoutChanges } from '../kit/payouts/settings.ts';
import type { Script } from './scripts.ts';

/** Settings that the control API can change while the simulator runs. They are kept across restarts. Times are in milliseconds. */
export type Settings = {
  orderTtlMs: number;
  /** What a verification answers for an order that expired before the payer confirmed: `Aborted`, or permanently `Initiated`. */
  expiredAs: 'Aborted' | 'Initiated';
  /** Whether an unpaid order may be initialized again: never, until its complete call, or always. */
  repeatedOrder: 'refused' | 'untilComplete' | 'accepted';
  /** Asks the payer for a one-time password and a PIN after the number. */
  steps: boolean;
  /** For `late`: how long after the payer's confirmation the money moves. */
  lateChargeMs: number;
  /** How long a hanging call is held before its connection is cut. */
  hangMs: number;
  slowMs: number;
  /** Ids of disabled merchants. */
  inactiveMerchants: readonly string[];
  /** How payouts differ from the defaults in `payouts.ts`. */
  payouts: PayoutChanges;
  /** The script with which every new order starts. */
  script: Script;
};

export const defaultSettings: Settings = {
  orderTtlMs: 30 * 60_000,
  expiredAs: 'Aborted',
  repeatedOrder: 'untilComplete',
  steps: false,
  lateChargeMs: 60_000,
  hangMs: 120_000,
  slowMs: 5_000,
  inactiveMerchants: [],
  payouts: {},
  script: {},
};
