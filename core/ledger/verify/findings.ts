/** Something that verification found wrong, with the row to look at. */
export interface Finding {
  readonly check:
    | 'chain'
    | 'balance'
    | 'payment'
    | 'unapplied-payment'
    | 'refund'
    | 'invoice'
    | 'payout'
    | 'unexplained'
    | 'witness'
    | 'gateway';
  readonly table: string;
  readonly id: string;
  readonly what: string;
}

/** Findings in the order in which they were made. Beyond the limit they are only counted, since the first ones are what matters. */
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
