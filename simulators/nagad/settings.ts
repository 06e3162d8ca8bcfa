import type { Script } from './scripts.ts';

/** What the control plane may change while the simulator runs; kept over restarts. Times in milliseconds. */
export type Settings = {
  orderTtlMs: number;
  /** What a verification says of an order whose time is over without the payer: `Aborted`, or `Initiated` for ever. */
  expiredAs: 'Aborted' | 'Initiated';
  /** Whether an order that is not paid may be initialized again: never, until it was completed once, or always. */
  repeatedOrder: 'refused' | 'untilComplete' | 'accepted';
  /** Asks the payer for a one-time password and a PIN after the number. */
  steps: boolean;
  /** For `late`: how long after the payer confirmed the money moves. */
  lateChargeMs: number;
  /** How long a hanging call is held before its connection is cut. */
  hangMs: number;
  slowMs: number;
  /** Ids of merchants that are switched off. */
  inactiveMerchants: readonly string[];
  /** What every new order begins with. */
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
  script: {},
};
