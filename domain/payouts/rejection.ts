/** Why a line of a file was not taken. The codes are stable: clients and stored rows use them. */
export const REJECTION_CODES = [
  'MISSING_COLUMN',
  'BAD_AMOUNT',
  'BAD_DATE',
  'BAD_RATE',
  'MANGLED_ID',
  'BAD_CURRENCY',
  'TOO_LONG',
  'NET_DIFFERS',
  'UNKNOWN_KIND',
  'TOO_FEW_FIELDS',
  'TOO_MANY_FIELDS',
  'BAD_QUOTING',
  'BAD_CHARACTER',
] as const;
export type RejectionCode = (typeof REJECTION_CODES)[number];

export interface Rejection {
  readonly code: RejectionCode;
  /** The heading in the file, or null if no single column is to blame. */
  readonly column: string | null;
  /** A sentence for an operator. It quotes no cell, because cells hold payers' data. */
  readonly reason: string;
}

/** Thrown while a line is read, and caught where the line is: a rejection never leaves as an exception. */
export class LineRejected extends Error {
  readonly rejection: Rejection;

  constructor(code: RejectionCode, column: string | null, reason: string) {
    super(reason);
    this.name = 'LineRejected';
    this.rejection = { code, column, reason };
  }
}
