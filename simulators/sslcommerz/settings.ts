import type { PayoutChanges } from '../kit/payouts/settings.ts';
import type { Script } from './scripts.ts';

/** Settings that the control API can change while the simulator runs. They are kept across restarts. Times are in milliseconds. */
export type Settings = {
  sessionTtlMs: number;
  /** Pauses between the attempts of one IPN. Their number limits the attempts. */
  noticeRetryMs: readonly number[];
  noticeTimeoutMs: number;
  /** For `after`: the delay after the page that sends the browser back was served. */
  afterReturnMs: number;
  /** For `late`. */
  lateNoticeMs: number;
  /** How long a hanging call is held before its connection is cut. */
  hangMs: number;
  slowMs: number;
  refundAfterMs: number;
  longRefundMs: number;
  /** `required` as documented since 2025; `optional` (legacy) for older clients, which do not send it. */
  refundTransId: 'required' | 'optional';
  /** `shipped`: required only if goods are shipped; the official Node client’s own sample omits it otherwise. */
  numOfItem: 'always' | 'shipped';
  /** Asks the payer for a one-time password after the pay button. */
  otpStep: boolean;
  /** Ids of disabled stores. */
  inactiveStores: readonly string[];
  /** How payouts differ from the defaults in `payouts.ts`. */
  payouts: PayoutChanges;
  /** The script with which every new session starts. */
  script: Script;
};

export const defaultSettings: Settings = {
  sessionTtlMs: 20 * 60_000,
  noticeRetryMs: [1_000, 5_000, 30_000, 120_000, 600_000],
  noticeTimeoutMs: 10_000,
  afterReturnMs: 2_000,
  lateNoticeMs: 60_000,
  hangMs: 120_000,
  slowMs: 5_000,
  refundAfterMs: 2_000,
  longRefundMs: 10 * 60_000,
  refundTransId: 'optional',
  numOfItem: 'shipped',
  otpStep: false,
  inactiveStores: [],
  payouts: {},
  script: {},
};
