export interface PinnedSeed {
  readonly showed: string;
  /** False for seeds found before stories had refunds, which would change the story. */
  readonly withMoney: boolean;
  /** False for seeds found before stories had invoices. */
  readonly withInvoices: boolean;
}

const paid = (showed: string): PinnedSeed => ({ showed, withMoney: false, withInvoices: false });

const money = (showed: string): PinnedSeed => ({ showed, withMoney: true, withInvoices: false });

const everything = (showed: string): PinnedSeed => ({ showed, withMoney: true, withInvoices: true });

/** Seeds that once revealed a defect, with its description. Every run plays them first. */
export const PINNED_SEEDS: ReadonlyMap<number, PinnedSeed> = new Map([
  [3_131, paid('a payment that its payer had called off expired when a worker died before it could tell')],
  [23_106, paid('unapplied money whose confirmation contradicts itself is left to people, which is no loss')],
  [41_490, paid('a worker that stood still overwrote a confirmed attempt')],
  [49_590, paid('a worker that stood still overwrote a confirmed attempt')],
  [64_111, paid('callbacks of a payment under review were swept for ever')],
  [228_766, money('a rejected review was carried out by a task that was lost, and its workflow waited for ever')],
  [
    632,
    everything('money whose refund is under review was looked at for ever where its history was renewed in between'),
  ],
  [
    900,
    everything('money whose refund is under review was looked at for ever where its history was renewed in between'),
  ],
  [940, everything('a payment whose page was never opened could not begin a new history')],
  [8_119, everything('the gateway was asked for ever about a payment under review that had been called off')],
  [9_111, everything('the stand-in listed ended workflows without their type, so none was started again')],
  [202_255, money('unapplied money that cannot be booked took more events in short histories than a story was given')],
]);
