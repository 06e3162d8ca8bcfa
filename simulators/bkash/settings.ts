import type { Code } from './codes.ts';
import type { PayoutChanges } from '../kit/payouts/settings.ts';
import type { Script } from './scripts.ts';

/** Settings that the control API can change while the simulator runs. They are kept across restarts. Times are in milliseconds. */
export type Settings = {
  tokenTtlMs: number;
  refreshTokenTtlMs: number;
  /** Grants and refreshes that one merchant may make in an hour. One more blocks the merchant for tokenBlockMs. */
  tokenCallsPerHour: number;
  tokenBlockMs: number;
  paymentTtlMs: number;
  /** How long a hanging call is held before its connection is cut. */
  hangMs: number;
  slowMs: number;
  /** The maximum age of a payment that can be refunded. */
  refundWindowMs: number;
  /** The codes that an execution answers before the payer has finished, and after the first execution. */
  prematureCode: Code;
  repeatedCode: Code;
  /** What a query answers for a payment that was cancelled, failed or expired. `named`: a status of its own. */
  endedStatus: 'initiated' | 'named';
  /** `refused`: no second payment can be created for an invoice number that is already paid (2029). */
  paidInvoice: 'refused' | 'allowed';
  /** URL to which the notice of every completed payment is posted; '' for none. */
  noticeUrl: string;
  /** How payouts differ from the defaults in `payouts.ts`. */
  payouts: PayoutChanges;
  /** The script with which every new payment starts. */
  script: Script;
};

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export const defaultSettings: Settings = {
  tokenTtlMs: hourMs,
  refreshTokenTtlMs: 28 * dayMs,
  tokenCallsPerHour: 2,
  tokenBlockMs: hourMs,
  paymentTtlMs: dayMs,
  hangMs: 120_000,
  slowMs: 5_000,
  refundWindowMs: 15 * dayMs,
  prematureCode: '2060',
  repeatedCode: '2062',
  endedStatus: 'initiated',
  paidInvoice: 'refused',
  noticeUrl: '',
  payouts: {},
  script: {},
};
