/** The head of the ledger's chain, as the sealing workflow's result. Temporal stores it, so there is evidence of the chain outside Postgres. */
export interface SealLedgerResult {
  /** Decimal text: JSON has no bigint. `0` before the first seal. */
  readonly sealId: string;
  /** 64 hexadecimal digits; all zero before the first seal. */
  readonly hash: string;
  /** Ledger transactions sealed since the beginning, decimal text. */
  readonly totalTransactions: string;
  /** False when more transactions are waiting than one pass seals. */
  readonly drained: boolean;
}

export interface SealLedgerActivities {
  /** Seals committed transactions in bounded batches and returns the chain's head. */
  sealLedger(): Promise<SealLedgerResult>;
}
