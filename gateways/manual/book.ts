import type { Money } from '../../domain/money.ts';

/** The operators' decision on a submission. Only a complete decision counts: two operators if two are required. */
export interface Decision {
  readonly id: string;
  readonly word: 'accept' | 'reject';
  readonly operatorIds: readonly string[];
}

/** The payer's latest submission of a transaction. */
export interface Submission<Decided extends Decision | null = Decision | null> {
  readonly id: string;
  /** As the payer wrote it. */
  readonly transaction: string;
  /** Normalized for comparison. */
  readonly normalized: string;
  readonly submittedAt: Date;
  readonly decision: Decided;
}

export interface ManualRecord {
  /** The requested amount. An operator confirms exactly this amount, or nothing. */
  readonly amount: Money;
  readonly submission: Submission | null;
}

export interface ConfirmedSubmission {
  readonly amount: Money;
  readonly submission: Submission<Decision>;
}

/** Reads the submission of an attempt and the decision on it. Returns null if the attempt does not exist. */
export type ReadManual = (attemptReference: string) => Promise<ManualRecord | null>;
