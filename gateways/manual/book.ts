import type { Money } from '../../domain/money.ts';

/** What operators have said of a submission; only a whole decision counts, of two people where two are needed. */
export interface Decision {
  readonly id: string;
  readonly word: 'accept' | 'reject';
  readonly operatorIds: readonly string[];
}

/** The newest thing that a payer wrote of his transaction. */
export interface Submission<Decided extends Decision | null = Decision | null> {
  readonly id: string;
  /** As it was written. */
  readonly transaction: string;
  /** As it is compared. */
  readonly normalized: string;
  readonly submittedAt: Date;
  readonly decision: Decided;
}

export interface ManualRecord {
  /** What was asked for, to the minor unit: an operator confirms that, or nothing. */
  readonly amount: Money;
  readonly submission: Submission | null;
}

export interface ConfirmedSubmission {
  readonly amount: Money;
  readonly submission: Submission<Decision>;
}

/** Where payers' submissions and operators' decisions are kept. Null for an attempt that is not there. */
export type ReadManual = (attemptReference: string) => Promise<ManualRecord | null>;
