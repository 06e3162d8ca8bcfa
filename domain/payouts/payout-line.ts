import type { PlainDate } from '../plain-date.ts';

/** What moved the money of a line. Each sign of `netMinor` is possible for each kind: a reversed refund is a REFUND with a positive amount. */
export const PAYOUT_LINE_KINDS = ['CHARGE', 'REFUND', 'FEE', 'TAX', 'DISPUTE', 'RESERVE', 'ADJUSTMENT'] as const;
export type PayoutLineKind = (typeof PAYOUT_LINE_KINDS)[number];

/**
 * One movement of money as a gateway's settlement states it. Amounts are signed minor units of `currency`: money to us is positive, a fee or tax that
 * we pay is positive too, and net = gross − fee − tax. A reference that the source leaves empty is null, never ''.
 */
export interface PayoutLine {
  readonly kind: PayoutLineKind;
  readonly payoutReference: string | null;
  /** The source's own unique id of the movement. */
  readonly lineReference: string | null;
  readonly gatewayTxnId: string | null;
  /** Our reference of the attempt, or of the refund, as the gateway repeats it. */
  readonly attemptReference: string | null;
  readonly currency: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly taxMinor: bigint;
  readonly netMinor: bigint;
  /** The currency in which the payer paid, if the gateway converted it. */
  readonly originalCurrency: string | null;
  /** Decimal text, such as `0.0091`. */
  readonly exchangeRate: string | null;
  readonly occurredAt: Date | null;
  readonly paidOutOn: PlainDate | null;
  readonly description: string | null;
}
