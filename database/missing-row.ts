/**
 * The scope has no row with this public reference, although a workflow or another row names it. This happens after an older database was restored. A
 * retry does not help, and a row found by its id instead may be a different one.
 */
export class MissingRow extends Error {
  override readonly name = 'MissingRow';
  readonly what: MissingWhat;
  readonly reference: string;

  constructor(what: MissingWhat, reference: string) {
    super(`the ${what} does not exist in this scope`);
    this.what = what;
    this.reference = reference;
  }
}

export type MissingWhat = 'payment' | 'attempt' | 'decision' | 'invoice' | 'refund' | 'payout file';
