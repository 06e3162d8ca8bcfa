import { describe, expect, test } from '@jest/globals';
import { payoutSource as bkash } from '../../../simulators/bkash/payouts.ts';
import type { ChargeLine } from '../../../simulators/kit/charge-log.ts';
import { createBook, take, type Book, type Made, type Step } from '../../../simulators/kit/payouts/book.ts';
import { payoutFaults, type FaultCounts, type PayoutFault } from '../../../simulators/kit/payouts/faults.ts';
import { netOf } from '../../../simulators/kit/payouts/movements.ts';
import type { PayoutSettings } from '../../../simulators/kit/payouts/settings.ts';
import { sumOf } from '../../../simulators/kit/payouts/units.ts';
import { payoutSource as nagad } from '../../../simulators/nagad/payouts.ts';

/* The rules of payouts, on a log of charges over days. 22 November 2026 is a Sunday. */

const line = (changes: Partial<ChargeLine> & { id: string; at: string }): ChargeLine => ({
  kind: 'charge',
  gateway: 'bkash',
  storeId: 'shop',
  tranId: `ref-${changes.id}`,
  valId: `val-${changes.id}`,
  bankTranId: changes.id,
  amount: '100.00',
  currency: 'BDT',
  ...changes,
});
const refundOf = (id: string, at: string, amount = '40.00'): ChargeLine[] => {
  const refund = { ...line({ id, at }), amount, refundRefId: `R${id}` };
  return [
    { ...refund, kind: 'refund', id: `R${id}` },
    { ...refund, kind: 'refund_outcome', id: `R${id}-ended`, status: 'refunded' },
  ];
};

const LOG: ChargeLine[] = [
  line({ id: 'A1', at: '2026-11-22T04:00:00Z' }),
  // After midnight in Dhaka: of the 23rd.
  line({ id: 'A2', at: '2026-11-22T18:30:00Z' }),
  // A Thursday: Friday and Saturday are closed, so it is paid out on Sunday the 29th.
  line({ id: 'A3', at: '2026-11-26T04:00:00Z', amount: '250.00' }),
  ...refundOf('A1', '2026-11-24T04:00:00Z'),
  line({ id: 'B1', at: '2026-11-22T04:00:00Z', storeId: 'other' }),
  line({ id: 'C1', at: '2026-11-22T04:00:00Z', gateway: 'nagad' }),
];

interface Call {
  readonly log?: readonly ChargeLine[];
  readonly until?: string;
  readonly faults?: FaultCounts;
  readonly settings?: Partial<PayoutSettings>;
  readonly seed?: string;
  readonly spreadDays?: number;
  readonly owner?: string;
}

let steps = 0;
function payOut(book: Book, call: Call = {}, source = bkash): Made {
  const {
    log = LOG,
    until = '2026-12-31',
    faults = {},
    settings = {},
    seed = '1',
    spreadDays = 1,
    owner = 'shop',
  } = call;
  steps += 1;
  const step: Step = {
    id: String(steps),
    at: Date.parse('2026-11-30T00:00:00Z'),
    type: 'payouts',
    owner,
    until,
    seed,
    spreadDays,
    automatic: true,
    paid: true,
    faults,
    logLength: log.length,
    settings: { ...source.defaults, ...settings },
  };
  return take(book, step, { source, log });
}

const short = ({ payouts }: Pick<Made, 'payouts'>): unknown[] =>
  payouts.map(({ on, lines, amount }) => [on, lines.map(({ kind, bankTranId }) => `${kind} ${bankTranId}`), amount]);

function expectSums({ payouts }: Pick<Made, 'payouts'>): void {
  for (const { lines, amount } of payouts) {
    expect(sumOf(lines.map(netOf))).toBe(amount);
  }
}

/** A log of a shop that sells every hour for some days. */
const busy = (charges: number, gateway = 'bkash'): ChargeLine[] =>
  Array.from({ length: charges }, (_, index) =>
    line({
      id: `X${index}`,
      at: new Date(Date.parse('2026-11-01T00:00:00Z') + index * 3_600_000).toISOString(),
      amount: `${100 + (index % 7)}.5${index % 10}`,
      gateway,
    }),
  );

describe('payouts', () => {
  test('take what is due each day, the next open day after a charge and refunds at once', () => {
    // 1.5 % of 100.00 is 1.50; of 250.00 it is 3.75.
    const made = payOut(createBook());
    expect(short(made)).toEqual([
      ['2026-11-23', ['charge A1'], 9_850n],
      ['2026-11-24', ['charge A2', 'refund A1'], 5_850n],
      ['2026-11-29', ['charge A3'], 24_625n],
    ]);
    expectSums(made);
  });

  test('observe holidays and other delays', () => {
    const made = payOut(createBook(), { settings: { delayDays: 2, holidays: ['2026-11-24', '2026-11-29'] } });
    expect(short(made)).toEqual([
      ['2026-11-25', ['charge A1', 'refund A1'], 5_850n],
      ['2026-11-26', ['charge A2'], 9_850n],
      ['2026-12-01', ['charge A3'], 24_625n],
    ]);
  });

  test('end with the day asked for, and go on from there', () => {
    const book = createBook();
    expect(short(payOut(book, { until: '2026-11-23' }))).toHaveLength(1);
    // A charge of long ago that the log shows only now.
    const log = [...LOG, line({ id: 'A4', at: '2026-11-20T04:00:00Z' })];
    const rest = payOut(book, { log });
    expect(short(rest)[0]).toEqual(['2026-11-24', ['charge A2', 'refund A1', 'charge A4'], 15_700n]);
    expect(payOut(book, { log })).toEqual({ payouts: [], planted: [] });
    expect(short(payOut(book, { log, owner: 'other' }))).toEqual([['2026-11-23', ['charge B1'], 9_850n]]);
  });

  test('carry a negative sum to the next one, or take it from the bank', () => {
    const log = [line({ id: 'A1', at: '2026-11-22T04:00:00Z' }), ...refundOf('A1', '2026-11-22T05:00:00Z', '60.00')];
    expect(short(payOut(createBook(), { log }))).toEqual([['2026-11-23', ['charge A1', 'refund A1'], 3_850n]]);
    expect(short(payOut(createBook(), { log, settings: { negative: 'pay' } }))).toEqual([
      ['2026-11-22', ['refund A1'], -6_000n],
      ['2026-11-23', ['charge A1'], 9_850n],
    ]);
  });

  test('hold a part back and release it later', () => {
    const made = payOut(createBook(), { settings: { reserveBps: 1_000, reserveDays: 7 } });
    expectSums(made);
    const kinds = made.payouts.map(({ on, lines }) => [on, lines.map(({ kind, gross }) => `${kind} ${gross}`)]);
    expect(kinds[0]).toEqual(['2026-11-23', ['charge 10000', 'reserve_hold -1000']]);
    expect(kinds.at(-1)).toEqual(['2026-12-06', ['reserve_release 2500']]);
    const all = made.payouts.flatMap(({ lines }) => lines);
    expect(sumOf(all.filter(({ kind }) => kind.startsWith('reserve')).map(netOf))).toBe(0n);
  });

  test('take a tax on the fee, and each merchant’s own rate', () => {
    const log = [line({ id: 'C1', at: '2026-11-22T04:00:00Z', gateway: 'nagad', amount: '1000.00' })];
    const [payout] = payOut(createBook(), { log, settings: { feeBps: 100, feeFixed: 50 } }, nagad).payouts;
    expect(payout?.lines).toMatchObject([{ gross: 100_000n, fee: 1_050n, tax: 158n }]);
  });

  test('are spread over days where everything was sold in one', () => {
    const log = busy(50).map((one) => ({ ...one, at: '2026-11-22T04:00:00Z' }));
    const made = payOut(createBook(), { log, spreadDays: 10 });
    expect(made.payouts.length).toBeGreaterThan(4);
    expect(made.payouts.flatMap(({ lines }) => lines)).toHaveLength(50);
    expectSums(made);
  });

  test('are the same for the same log and seed', () => {
    const all: FaultCounts = Object.fromEntries(Object.keys(payoutFaults).map((fault) => [fault, 1]));
    const call: Call = { log: busy(200, 'nagad'), faults: all, spreadDays: 3 };
    const [one, other] = [payOut(createBook(), call, nagad), payOut(createBook(), call, nagad)];
    expect(one).toEqual(other);
    expect(payOut(createBook(), { ...call, seed: '2' }, nagad)).not.toEqual(one);
  });
});

describe('a dispute', () => {
  const DISPUTE = { at: Date.parse('2026-11-30T04:00:00Z'), settings: { ...bkash.defaults, disputeFee: 1_500 } };

  test('takes the charge with a fee, and gives it back if it is won', () => {
    const book = createBook();
    payOut(book);
    const [charge = line({ id: '', at: '' })] = LOG;
    const given = { source: bkash, log: LOG };
    take(book, { ...DISPUTE, id: 'd', type: 'dispute', owner: 'shop', line: charge, reason: 'fraudulent' }, given);
    const [dispute] = book.disputes.values();
    expect(dispute).toMatchObject({ status: 'needs_response', charge: { bankTranId: 'A1' } });
    const log = [...LOG, line({ id: 'A5', at: '2026-11-30T04:00:00Z', amount: '500.00' })];
    expect(short(payOut(book, { log }))).toEqual([['2026-12-01', ['dispute A1', 'charge A5'], 49_250n - 11_500n]]);
    const close = { ...DISPUTE, type: 'dispute_closed' as const, disputeId: dispute?.id ?? '', won: true };
    take(book, { ...close, id: 'e', at: Date.parse('2026-12-02T04:00:00Z') }, given);
    expect(short(payOut(book, { log }))).toEqual([['2026-12-02', ['dispute_reversal A1'], 10_000n]]);
  });

  test('of a failed payout pays the money out once more', () => {
    const book = createBook();
    const [first] = payOut(book, { until: '2026-11-23' }).payouts;
    const end = { ...DISPUTE, type: 'payout_ended' as const, payoutId: first?.id ?? '', status: 'failed' as const };
    take(book, { ...end, id: 'f' }, { source: bkash, log: LOG });
    expect(first?.status).toBe('failed');
    const back = payOut(book).payouts.flatMap(({ lines }) => lines.filter(({ kind }) => kind === 'payout_reversal'));
    expect(back).toMatchObject([{ gross: 9_850n, sourceId: first?.id }]);
  });
});

describe('a fault', () => {
  const log = busy(100, 'nagad');
  const plant = (faults: FaultCounts) => payOut(createBook(), { log, faults }, nagad);
  const plain = plant({});
  const linesOf = ({ payouts }: Pick<Made, 'payouts'>) =>
    payouts.flatMap((payout) => payout.lines.map((line) => ({ line, payout })));
  const netSum = (made: Pick<Made, 'payouts'>): bigint => sumOf(made.payouts.map(({ amount }) => amount));

  /** How many lines more there are than without the fault. */
  const MORE: Readonly<Record<PayoutFault, number>> = {
    missing: -3,
    duplicated: 3,
    late: 0,
    amount: 0,
    currency: 0,
    foreign: 3,
    split: 3,
    fee: 0,
    negative: 3,
    truncated: 0,
  };

  test.each(Object.entries(MORE) as [PayoutFault, number][])(
    '%s is planted as often as asked, and told',
    (fault, more) => {
      // A judge compares what was found with what is told here.
      const made = plant({ [fault]: 3 });
      expect(made.planted.map((one) => one.fault)).toEqual([fault, fault, fault]);
      expect(linesOf(made)).toHaveLength(linesOf(plain).length + more);
      expectSums(made);
      const told = new Set(made.planted.flatMap(({ lineIds }) => lineIds));
      const stated = (from: Made) =>
        linesOf(from).map(({ line: { lineId, gross, fee, currency }, payout: { on } }) => ({
          lineId,
          gross,
          fee,
          currency,
          on,
        }));
      const before = stated(plain);
      const changed = stated(made).filter(
        (one) => !before.some((other) => JSON.stringify(text(other)) === JSON.stringify(text(one))),
      );
      const wrong = new Set(changed.map(({ lineId }) => lineId));
      // Nothing is wrong that is not told, and what is told is wrong (of two copies, one is as it was).
      expect([...wrong].filter((id) => !told.has(id))).toEqual([]);
      expect(wrong.size).toBe(fault === 'duplicated' ? 3 : told.size);
    },
  );

  test.each<[PayoutFault, (made: Made) => void]>([
    ['missing', (made) => expect(netSum(made)).toBeLessThan(netSum(plain))],
    ['late', (made) => expect(netSum(made)).toBe(netSum(plain))],
    ['split', (made) => expect(netSum(made)).toBe(netSum(plain))],
    [
      'currency',
      (made) => expect(new Set(made.payouts.map(({ currency }) => currency))).toEqual(new Set(['BDT', 'USD'])),
    ],
    ['negative', (made) => expect(made.payouts.filter(({ amount }) => amount < 0n)).toHaveLength(3)],
    ['truncated', (made) => expect(made.payouts.filter(({ truncated }) => truncated)).toHaveLength(3)],
  ])('%s shows in the sums', (fault, check) => {
    check(plant({ [fault]: 3 }));
  });

  test('that finds nothing to spoil is not planted', () => {
    expect(payOut(createBook(), { log: [], faults: { missing: 2, foreign: 1 } }).planted).toEqual([]);
    expect(payOut(createBook(), { log: log.slice(0, 2), faults: { missing: 5 } }, nagad).planted).toHaveLength(2);
  });
});

function text(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]));
}
