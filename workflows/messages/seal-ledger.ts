/** The head of the ledger's chain as the sealing workflow's result: Temporal keeps it, so it witnesses the chain from outside Postgres. */
export interface SealLedgerResult {
  /** Decimal text: JSON has no bigint. `0` before the first seal. */
  readonly sealId: string;
  /** 64 hexadecimal digits; all zero before the first seal. */
  readonly hash: string;
  /** Ledger transactions sealed since the beginning, decimal text. */
  readonly totalTransactions: string;
  /** False when more is waiting than one pass may seal. */
  readonly drained: boolean;
}

export interface SealLedgerActivities {
  /** Seals what is committed, in bounded batches, and answers the chain's head. */
  sealLedger(): Promise<SealLedgerResult>;
}
