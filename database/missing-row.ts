/**
 * The scope has no row of this public reference, although a workflow or a row of ours names it. That is so after a restore of an older
 * database: it has no use to try again, and what is found by a number instead may be somebody else's.
 */
export class MissingRow extends Error {
  override readonly name = 'MissingRow';
  readonly what: MissingWhat;
  readonly reference: string;

  constructor(what: MissingWhat, reference: string) {
    super(`the scope has no such ${what}`);
    this.what = what;
    this.reference = reference;
  }
}

export type MissingWhat = 'payment' | 'attempt' | 'decision' | 'invoice' | 'refund';
