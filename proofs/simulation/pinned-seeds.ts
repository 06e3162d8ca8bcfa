export interface PinnedSeed {
  readonly showed: string;
  /** False for seeds found before stories had refunds, which would change the story. */
  readonly withMoney: boolean;
  /** False for seeds found before stories had invoices. */
  readonly withInvoices: boolean;
  /** False for seeds found before stories had dials for first attempts. */
  readonly withDeliveries: boolean;
}

const paid = (showed: string): PinnedSeed => ({ showed, withMoney: false, withInvoices: false, withDeliveries: false });

const money = (showed: string): PinnedSeed => ({ showed, withMoney: true, withInvoices: false, withDeliveries: false });

const billed = (showed: string): PinnedSeed => ({
  showed,
  withMoney: true,
  withInvoices: true,
  withDeliveries: false,
});

const everything = (showed: string): PinnedSeed => ({
  showed,
  withMoney: true,
  withInvoices: true,
  withDeliveries: true,
});

/** Seeds that once revealed a defect, with its description. Every run plays them first. */
export const PINNED_SEEDS: ReadonlyMap<number, PinnedSeed> = new Map([
  [3_131, paid('a payment that its payer had called off expired when a worker died before it could tell')],
  [23_106, paid('unapplied money whose confirmation contradicts itself is left to people, which is no loss')],
  [41_490, paid('a worker that stood still overwrote a confirmed attempt')],
  [49_590, paid('a worker that stood still overwrote a confirmed attempt')],
  [64_111, paid('callbacks of a payment under review were swept for ever')],
  [228_766, money('a rejected review was carried out by a task that was lost, and its workflow waited for ever')],
  [632, billed('money whose refund is under review was looked at for ever where its history was renewed in between')],
  [900, billed('money whose refund is under review was looked at for ever where its history was renewed in between')],
  [940, billed('a payment whose page was never opened could not begin a new history')],
  [8_119, billed('the gateway was asked for ever about a payment under review that had been called off')],
  [9_111, billed('the stand-in listed ended workflows without their type, so none was started again')],
  [937, everything('a query that failed for days began again with short pauses in each new history')],
  [5_599, everything('a query that failed for days began again with short pauses in each new history')],
  [126, everything('an attempt whose process stood still was taken for one that came before its time')],
  [
    2_730,
    everything('the stand-in for Temporal took a late answer of an attempt that it had timed out, and retried twice'),
  ],
  [
    3_029,
    everything('an attempt beside another whose workflow was terminated was taken for one that came before its time'),
  ],
  [
    6_460,
    everything(
      'an attempt made again while the end of another was still being recorded was taken for one before its time',
    ),
  ],
  [202_255, money('unapplied money that cannot be booked took more events in short histories than a story was given')],
]);
