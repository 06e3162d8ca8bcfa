import type { Code } from './codes.ts';
import type { Script } from './scripts.ts';

/** What the control plane may change while the simulator runs; kept over restarts. Times in milliseconds. */
export type Settings = {
  tokenTtlMs: number;
  refreshTokenTtlMs: number;
  /** Grants and refreshes of one merchant in an hour; one more and it is blocked for tokenBlockMs. */
  tokenCallsPerHour: number;
  tokenBlockMs: number;
  paymentTtlMs: number;
  /** How long a hanging call is held before its connection is cut. */
  hangMs: number;
  slowMs: number;
  /** How old a payment may be to be refunded. */
  refundWindowMs: number;
  /** What an execution is told before the payer has finished, and after the first one. */
  prematureCode: Code;
  repeatedCode: Code;
  /** What a query says of a payment that was cancelled, failed or is too old: `named` in a word of its own. */
  endedStatus: 'initiated' | 'named';
  /** `refused`: a second payment of an invoice number that is already paid cannot be made (2029). */
  paidInvoice: 'refused' | 'allowed';
  /** Where the notice of every completed payment is posted; '' for nowhere. */
  noticeUrl: string;
  /** What every new payment begins with. */
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
  script: {},
};
