/** One thing that is not as it must be, with the row to look at. */
export interface Finding {
  readonly check:
    | 'chain'
    | 'balance'
    | 'payment'
    | 'unapplied-payment'
    | 'refund'
    | 'invoice'
    | 'unexplained'
    | 'witness'
    | 'gateway';
  readonly table: string;
  readonly id: string;
  readonly what: string;
}

/** Findings in the order in which they were made. Beyond the bound they are only counted: the first ones are what a person acts on. */
export class Findings {
  readonly listed: Finding[] = [];
  count = 0;
  private readonly listedMax: number;

  constructor(listedMax = 100) {
    this.listedMax = listedMax;
  }

  add(finding: Finding): void {
    this.count += 1;
    if (this.listed.length < this.listedMax) {
      this.listed.push(finding);
    }
  }
}
