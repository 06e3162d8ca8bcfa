/** The head of the ledger's chain. Temporal stores what a pass returns, so there is evidence of the chain outside Postgres. */
export interface ChainHeadRecord {
  /** Decimal text: JSON has no bigint. `0` before the first seal. */
  readonly sealId: string;
  /** 64 hexadecimal digits; all zero before the first seal. */
  readonly hash: string;
  /** Ledger transactions sealed since the beginning, decimal text. */
  readonly totalTransactions: string;
}

export interface SealLedgerResult extends ChainHeadRecord {
  /** False when more transactions are waiting than one pass seals. */
  readonly drained: boolean;
  /** True if the database lacks the remembered head. Then nothing was sealed, and that head is returned. */
  readonly headLost?: boolean;
}

export interface RememberedHeadRecord extends ChainHeadRecord {
  /** ISO 8601. */
  readonly recordedAt: string;
}

export interface SealLedgerInput {
  /** The last head of the run before. */
  readonly head?: RememberedHeadRecord;
}

export interface SealLedgerActivities {
  /** Seals committed transactions in bounded batches and returns the chain's head. Seals nothing if the database lacks the remembered one. */
  sealLedger(remembered?: RememberedHeadRecord): Promise<SealLedgerResult>;
}
