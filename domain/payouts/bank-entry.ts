import type { PlainDate } from '../plain-date.ts';

/** One booked entry of a bank statement. */
export interface BankEntry {
  /** The account as the bank names it: an IBAN or the bank's own number. */
  readonly account: string;
  readonly currency: string;
  /** Signed minor units: money to us is positive. */
  readonly amountMinor: bigint;
  readonly bookedOn: PlainDate;
  readonly valueOn: PlainDate | null;
  readonly bankReference: string | null;
  /** Everything that the entry says about its purpose, including the payer's own references. */
  readonly remittance: string | null;
}

/** An account's entries between two balances that agree with them. */
export interface BankStatement {
  /** The bank's own id of the statement. */
  readonly statementReference: string;
  readonly account: string;
  readonly currency: string;
  /** Signed minor units, like `closingMinor`. */
  readonly openingMinor: bigint;
  /** As the bank dates the balance: the day of the statement, or that of the closing balance before. Null: it has no possible date. */
  readonly openedOn: PlainDate | null;
  readonly closingMinor: bigint;
  readonly closedOn: PlainDate | null;
  readonly entries: readonly BankEntry[];
}
