/** What a gateway means by a row of its file, before it is written, in the words of no program. An empty text stands for an empty cell. */
export interface Fact {
  readonly kind: 'CHARGE' | 'REFUND' | 'FEE' | 'TAX' | 'DISPUTE' | 'RESERVE' | 'ADJUSTMENT';
  readonly payout: string;
  readonly lineId: string;
  readonly txnId: string;
  readonly attempt: string;
  readonly currency: string;
  /** Signed: positive if it moves to the shop. */
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly taxMinor: bigint;
  readonly paidIn: string;
  readonly rate: string;
  /** `YYYY-MM-DD HH:MM:SS` */
  readonly at: string;
  /** `YYYY-MM-DD` */
  readonly paidOutOn: string;
  readonly text: string;
}

export function netOf({ grossMinor, feeMinor, taxMinor }: Fact): bigint {
  return grossMinor - feeMinor - taxMinor;
}
