import { describe, expect, test } from '@jest/globals';
import { payoutPosting, type PayoutAmounts } from '../../../domain/ledger.ts';
import {
  bookingAlone,
  bookingsOfGroup,
  type JudgedLine,
  type LineBooking,
  writtenOff,
} from '../../../domain/payouts/booking.ts';
import type { LineVerdict, Movement, StoredLine } from '../../../domain/payouts/matching.ts';
import type { PayoutLineKind } from '../../../domain/payouts/payout-line.ts';
import { charge, line, refund, refundLine } from './matching-samples.ts';

const EXACT: Partial<LineVerdict> = { status: 'MATCHED', reason: null, detail: 'EXACT' };
const OF_CHARGE: Partial<LineVerdict> = { ...EXACT, detail: 'COST_OF_CHARGE' };
const BY_KIND: Partial<LineVerdict> = { ...EXACT, detail: 'EXPLAINED_BY_KIND' };
const AMOUNT: Partial<LineVerdict> = { status: 'FLAGGED', reason: 'AMOUNT', detail: 'AMOUNT_DIFFERS' };
const DUPLICATE: Partial<LineVerdict> = { status: 'FLAGGED', reason: 'DUPLICATE', detail: 'REPEATED' };

function judged(stored: StoredLine, verdict: Partial<LineVerdict>, more: Partial<JudgedLine> = {}): JudgedLine {
  const said = {
    lineId: stored.id,
    movementKey: null,
    candidateKeys: [],
    status: 'MATCHED',
    reason: null,
    detail: 'EXACT',
  };
  return { line: stored, verdict: { ...said, ...verdict } as LineVerdict, accepted: false, ...more };
}

/** Returns to what the lines of a movement are booked, in their order. */
function bookings(movement: Movement, ...ofMovement: readonly JudgedLine[]): (LineBooking | undefined)[] {
  const bookings = bookingsOfGroup(movement, ofMovement);
  return ofMovement.map(({ line: { id } }) => bookings.get(id));
}

/** Returns what the lines of a movement credit in their own currency, in their order. */
function booked(movement: Movement, ...ofMovement: readonly JudgedLine[]): (PayoutAmounts | undefined)[] {
  return bookings(movement, ...ofMovement).map((booking) => booking?.amounts);
}

/** A line of its own, such as a monthly fee. */
const own = (kind: PayoutLineKind, grossMinor: bigint, costs: Partial<StoredLine> = {}): StoredLine =>
  line({ kind, gatewayTxnId: null, attemptReference: null, grossMinor, feeMinor: 0n, taxMinor: 0n, ...costs });

describe('a matched line', () => {
  test('of a charge covers in clearing what the gateway owed for it', () => {
    // The fee was booked with the charge, so booking it again would count a cost twice.
    expect(booked(charge(), judged(line(), EXACT))).toEqual([{ clearing: 9_770n }]);
  });

  test('whose fee only it states books the fee, and the tax on it apart', () => {
    expect(booked(charge({ feeMinor: null }), judged(line(), EXACT))).toEqual([
      { clearing: 10_000n, fees: -200n, taxes: -30n },
    ]);
  });

  test('of a refund takes from clearing what the gateway kept back', () => {
    expect(booked(refund(), judged(refundLine(), EXACT))).toEqual([{ clearing: -4_000n }]);
  });

  test('of a fee or a tax of a charge whose fee is known covers it in clearing', () => {
    const costs = [judged(own('FEE', -200n), OF_CHARGE), judged(own('TAX', -30n), OF_CHARGE)];
    expect(booked(charge(), ...costs)).toEqual([{ clearing: -200n }, { clearing: -30n }]);
  });

  test('of a fee or a tax of a charge whose fee nobody stated before is the cost itself', () => {
    const costs = [judged(own('FEE', -200n), OF_CHARGE), judged(own('TAX', -30n), OF_CHARGE)];
    expect(booked(charge({ feeMinor: null }), ...costs)).toEqual([{ fees: -200n }, { taxes: -30n }]);
  });

  test('of a fee that belongs to no charge is a cost, with its tax apart', () => {
    expect(bookingAlone(judged(own('FEE', -50n, { taxMinor: 7n }), BY_KIND))).toEqual({ fees: -50n, taxes: -7n });
    expect(bookingAlone(judged(own('TAX', -7n), BY_KIND))).toEqual({ taxes: -7n });
  });

  test('of a dispute is held as disputed, without what the gateway charges for it', () => {
    const dispute = judged(line({ kind: 'DISPUTE', grossMinor: -10_000n, feeMinor: 1_500n, taxMinor: 0n }), EXACT);
    expect(booked(charge(), dispute)).toEqual([{ disputes: -10_000n, fees: -1_500n }]);
  });

  test('of a reserve is money that the gateway holds', () => {
    expect(bookingAlone(judged(own('RESERVE', -1_000n), BY_KIND))).toEqual({ reserve: -1_000n });
  });
});

describe('a line that the gateway has converted', () => {
  const CONVERTED: Partial<LineVerdict> = { ...EXACT, detail: 'CONVERTED' };
  const RATE_DIFFERS: Partial<LineVerdict> = { status: 'FLAGGED', reason: 'CURRENCY', detail: 'RATE_DIFFERS' };
  const NO_RATE: Partial<LineVerdict> = { ...RATE_DIFFERS, detail: 'NO_RATE' };
  const FEE: Partial<LineVerdict> = { status: 'FLAGGED', reason: 'FEE', detail: 'FEE_DIFFERS' };
  const accepted = { accepted: true };
  /** A charge of 100.00 dollars with a fee of 1.00, settled in taka. */
  const inDollars = (changes: Partial<Movement> = {}): Movement =>
    charge({ currency: 'USD', feeMinor: 100n, ...changes });
  const inTaka = (grossMinor: bigint, changes: Partial<StoredLine> = {}): StoredLine =>
    line({ originalCurrency: 'USD', exchangeRate: '110', grossMinor, feeMinor: 0n, taxMinor: 0n, ...changes });
  const covers = (amountMinor: bigint) => ({ currency: 'USD', amountMinor });

  test('covers in clearing the dollars that the gateway owed, and conversion takes the counterpart in both currencies', () => {
    // Clearing in dollars would otherwise never go to zero. The fee came with the charge, so clearing holds 99.00.
    const stated = inTaka(1_100_000n, { feeMinor: 11_000n });
    expect(bookings(inDollars(), judged(stated, CONVERTED))).toEqual([
      { amounts: { conversion: 1_089_000n }, converted: covers(9_900n) },
    ]);
  });

  test('and whose fee only it states books the fee, and the tax on it apart, in its own currency', () => {
    const stated = inTaka(1_100_000n, { feeMinor: 10_000n, taxMinor: 1_500n });
    expect(bookings(inDollars({ feeMinor: null }), judged(stated, CONVERTED))).toEqual([
      { amounts: { conversion: 1_100_000n, fees: -10_000n, taxes: -1_500n }, converted: covers(10_000n) },
    ]);
  });

  test('states the fee of a charge that was confirmed without one', () => {
    // Stripe takes the fee of a converted charge in the currency of the account, so the charge itself says 0.
    const stated = inTaka(1_100_000n, { feeMinor: 10_000n });
    const feeLine = inTaka(-2_000n, { kind: 'FEE', originalCurrency: null, exchangeRate: null });
    expect(bookings(inDollars({ feeMinor: 0n }), judged(stated, CONVERTED), judged(feeLine, OF_CHARGE))).toEqual([
      { amounts: { conversion: 1_100_000n, fees: -10_000n }, converted: covers(10_000n) },
      { amounts: { fees: -2_000n }, converted: null },
    ]);
  });

  test('of a refund takes from clearing the dollars that the gateway kept back', () => {
    const refunded = refund({ currency: 'USD' });
    expect(bookings(refunded, judged(inTaka(-440_000n, { kind: 'REFUND' }), CONVERTED))).toEqual([
      { amounts: { conversion: -440_000n }, converted: covers(-4_000n) },
    ]);
  });

  test.each([
    ['taka', 'BDT', '0.0082', [27n, 27n, 28n], [3_293n, 3_293n, 3_414n]],
    ['yen, which have no minor units', 'JPY', '0.0064', [2_133n, 2_133n, 2_134n], [3_333n, 3_333n, 3_334n]],
  ])('in parts covers exactly the whole of %s: the last part takes what is left by rounding', (...given) => {
    const [, originalCurrency, exchangeRate, settled, shares] = given;
    const parts = settled.map((grossMinor, index) => {
      const stated = { currency: 'USD', originalCurrency, exchangeRate, grossMinor, paidOutOn: `2026-11-2${index}` };
      return judged(line({ ...stated, feeMinor: 0n, taxMinor: 0n }), CONVERTED);
    });
    const movement = charge({ currency: originalCurrency, feeMinor: 0n });
    expect(bookings(movement, ...parts).map((booking) => booking?.converted?.amountMinor)).toEqual(shares);
  });

  test('in parts is settled by the last in the order of the lines, whichever was read first', () => {
    const early = inTaka(366_667n, { paidOutOn: '2026-11-20' });
    const late = inTaka(733_333n, { paidOutOn: '2026-11-21' });
    const movement = inDollars({ feeMinor: null });
    const [first, last] = bookings(movement, judged(early, CONVERTED), judged(late, CONVERTED));
    expect(bookings(movement, judged(late, CONVERTED), judged(early, CONVERTED))).toEqual([last, first]);
    expect([first?.converted, last?.converted]).toEqual([covers(3_333n), covers(6_667n)]);
  });

  test('and its known fee in a line of its own cover clearing together', () => {
    // The fee line has no rate of its own. It comes first in the order of the lines, so it takes that of its charge.
    const fee = inTaka(-11_000n, { kind: 'FEE', originalCurrency: null, exchangeRate: null, paidOutOn: '2026-11-20' });
    expect(bookings(inDollars(), judged(inTaka(1_100_000n), CONVERTED), judged(fee, OF_CHARGE))).toEqual([
      { amounts: { conversion: 1_100_000n }, converted: covers(10_000n) },
      { amounts: { conversion: -11_000n }, converted: covers(-100n) },
    ]);
  });

  test('and whose known fee came without its charge leaves the charge owed', () => {
    const tax = inTaka(-11_000n, { kind: 'TAX' });
    expect(bookings(inDollars(), judged(tax, OF_CHARGE))).toEqual([
      { amounts: { conversion: -11_000n }, converted: covers(-100n) },
    ]);
  });

  test('of a refund that failed after all is taken back by the line that returns it', () => {
    const failed = refund({ currency: 'USD', reversed: true });
    const CANCELLED = { ...EXACT, detail: 'CANCELLED_OUT' } as const;
    const [taken, returned] = [inTaka(-440_001n, { kind: 'REFUND' }), inTaka(440_000n, { kind: 'REFUND' })];
    const [one, other] = bookings(failed, judged(taken, CANCELLED), judged(returned, CANCELLED));
    expect([one?.amounts, other?.amounts]).toEqual([{ conversion: -440_001n }, { conversion: 440_000n }]);
    expect([one?.converted, other?.converted]).toEqual([covers(-4_000n), covers(4_000n)]);
  });

  test.each([
    ['the rate differs', RATE_DIFFERS],
    ['it says no rate', NO_RATE],
    ['it is repeated', DUPLICATE],
  ])('but that is not explained, because %s, waits in unexplained, and clearing stays', (_name, verdict) => {
    expect(bookings(inDollars(), judged(inTaka(1_089_000n), verdict))).toEqual([
      { amounts: { unexplained: 1_089_000n }, converted: null },
    ]);
  });

  test.each([
    ['rate', RATE_DIFFERS],
    ['fee', FEE],
  ])(
    'with another %s settles, when people accept it, what is owed at its rate; the rest is a difference',
    (_n, said) => {
      const short = inTaka(1_080_000n, { feeMinor: 11_000n });
      expect(bookings(inDollars(), judged(short, said, accepted))).toEqual([
        { amounts: { conversion: 1_089_000n, differences: -20_000n }, converted: covers(9_900n) },
      ]);
    },
  );

  test('without a rate is worth what it is, when people accept it', () => {
    const stated = inTaka(1_080_000n, { exchangeRate: null });
    expect(bookings(inDollars(), judged(stated, NO_RATE, accepted))).toEqual([
      { amounts: { conversion: 1_080_000n }, converted: covers(9_900n) },
    ]);
  });

  test('is a difference when people accept it for a charge that is settled already, wherever it stands', () => {
    const early = { paidOutOn: '2026-11-20' };
    const difference = { amounts: { differences: 1_080_000n }, converted: null };
    const matched = judged(inTaka(1_100_000n, { feeMinor: 11_000n }), CONVERTED);
    for (const said of [NO_RATE, DUPLICATE, { ...RATE_DIFFERS, reason: 'AMOUNT', detail: 'REVERSED' } as const]) {
      expect(bookings(inDollars(), matched, judged(inTaka(1_080_000n, early), said, accepted))).toEqual([
        { amounts: { conversion: 1_089_000n }, converted: covers(9_900n) },
        difference,
      ]);
    }
    expect(bookings(inDollars(), judged(inTaka(1_080_000n), DUPLICATE, accepted))).toEqual([difference]);
  });

  test('settles nothing if it is a fee or a dispute that people accept', () => {
    for (const kind of ['FEE', 'DISPUTE'] as const) {
      expect(bookings(inDollars(), judged(inTaka(-1_000n, { kind }), NO_RATE, accepted))).toEqual([
        { amounts: { differences: -1_000n }, converted: null },
      ]);
    }
  });

  test('of a dispute is held as disputed in its own currency', () => {
    const dispute = inTaka(-1_100_000n, { kind: 'DISPUTE', feeMinor: 1_500n });
    expect(bookings(inDollars(), judged(dispute, { ...EXACT, detail: 'DISPUTE_OF_CHARGE' }))).toEqual([
      { amounts: { disputes: -1_100_000n, fees: -1_500n }, converted: null },
    ]);
  });
});

describe('a line that is not explained', () => {
  test.each<[string, Partial<LineVerdict>]>([
    ['is flagged', AMOUNT],
    ['is a duplicate', DUPLICATE],
    ['waits for its attempt', { status: 'DEFERRED', reason: null, detail: 'NOT_YET_CONFIRMED' }],
  ])('and %s waits in unexplained, and clearing stays', (_name, verdict) => {
    // Clearing says what the gateway still owes.
    expect(booked(charge(), judged(line(), verdict))).toEqual([{ unexplained: 9_770n }]);
    expect(bookingAlone(judged(line(), verdict))).toEqual({ unexplained: 9_770n });
  });

  test('goes to the account that people chose for it', () => {
    expect(bookingAlone(judged(line(), AMOUNT, { account: 'reserve' }))).toEqual({ reserve: 9_770n });
  });

  test('and that names nothing is a difference when people accept it', () => {
    expect(bookingAlone(judged(line(), AMOUNT, { accepted: true }))).toEqual({ differences: 9_770n });
  });
});

describe('a difference that people accept', () => {
  const accepted = { accepted: true };

  test('settles what is owed for its movement, and only the rest is a difference', () => {
    const short = line({ grossMinor: 9_000n, feeMinor: 0n, taxMinor: 0n });
    expect(booked(charge(), judged(short, AMOUNT, accepted))).toEqual([{ clearing: 9_770n, differences: -770n }]);
  });

  test('settles what is owed once, by the first of several lines', () => {
    const part = (grossMinor: bigint, paidOutOn: string): JudgedLine =>
      judged(line({ grossMinor, feeMinor: 0n, taxMinor: 0n, paidOutOn }), AMOUNT, accepted);
    expect(booked(charge(), part(5_000n, '2026-11-22'), part(4_000n, '2026-11-23'))).toEqual([
      { clearing: 9_770n, differences: -4_770n },
      { differences: 4_000n },
    ]);
  });

  test('of a duplicate settles nothing, since the charge is paid out already', () => {
    expect(booked(charge(), judged(line(), EXACT), judged(line(), DUPLICATE, accepted))).toEqual([
      { clearing: 9_770n },
      { differences: 9_770n },
    ]);
    expect(booked(charge(), judged(line(), DUPLICATE, accepted))).toEqual([{ differences: 9_770n }]);
  });

  test('settles only what no matched line covers, wherever it stands', () => {
    // The gateway took the charge back in a payout whose day it does not say. What it owed was settled by the first line.
    const AMOUNT_REVERSED = { ...AMOUNT, detail: 'REVERSED' } as const;
    const back = line({ grossMinor: -10_000n, feeMinor: 0n, taxMinor: 0n, paidOutOn: '2026-11-20' });
    expect(booked(charge(), judged(line(), EXACT), judged(back, AMOUNT_REVERSED, accepted))).toEqual([
      { clearing: 9_770n },
      { differences: -10_000n },
    ]);
  });

  test('of a refund that failed after all settles nothing, since nothing is owed', () => {
    const taken = judged(refundLine(), AMOUNT, accepted);
    expect(booked(refund({ reversed: true }), taken)).toEqual([{ differences: -4_000n }]);
  });
});

describe('a movement for which no line ever came', () => {
  test('is written off: what the gateway owed becomes a loss', () => {
    expect(writtenOff(charge())).toEqual({ clearing: 9_770n, differences: -9_770n });
  });

  test('is written off as a gain if it is a refund that was never taken', () => {
    expect(writtenOff(refund())).toEqual({ clearing: -4_000n, differences: 4_000n });
  });
});

describe('a booking in the ledger', () => {
  test('moves each amount between its account and the money in transit, in its direction', () => {
    const amounts = {
      clearing: 10_000n,
      conversion: 900n,
      fees: -200n,
      taxes: -30n,
      disputes: -500n,
      reserve: -40n,
      unexplained: 7n,
      differences: -3n,
      bank: -9_000n,
    };
    const { cause, kind, postings } = payoutPosting({
      applicationId: 1n,
      mode: 'LIVE',
      currency: 'BDT',
      bookingId: 5n,
      gateway: 'bkash',
      kind: 'lines',
      amounts,
    });
    expect([cause, kind]).toEqual([{ type: 'payout', id: '5' }, 'payout']);
    expect(postings.map(({ debit, credit, amountMinor }) => `${debit} ${credit} ${amountMinor}`)).toEqual([
      'gateway:bkash:transit gateway:bkash:clearing 10000',
      'gateway:bkash:transit gateway:bkash:conversion 900',
      'gateway:fees gateway:bkash:transit 200',
      'gateway:taxes gateway:bkash:transit 30',
      'gateway:bkash:disputes gateway:bkash:transit 500',
      'gateway:bkash:reserve gateway:bkash:transit 40',
      'gateway:bkash:transit gateway:bkash:unexplained 7',
      'gateway:bkash:differences gateway:bkash:transit 3',
      'bank gateway:bkash:transit 9000',
    ]);
  });

  test.each([
    ['a charge', 10_000n, 'gateway:stripe:conversion gateway:stripe:clearing 10000'],
    ['a refund', -4_000n, 'gateway:stripe:clearing gateway:stripe:conversion 4000'],
  ])('of converted lines moves %s between clearing and conversion, and nothing is in transit', (_, clearing, text) => {
    // In dollars the bank receives nothing: the money is in transit in taka.
    const booking = { applicationId: 1n, mode: 'LIVE', currency: 'USD', bookingId: 5n, gateway: 'stripe' } as const;
    const { postings } = payoutPosting({ ...booking, kind: 'converted', amounts: { clearing } });
    expect(postings.map(({ debit, credit, amountMinor }) => `${debit} ${credit} ${amountMinor}`)).toEqual([text]);
  });
});
