import { describe, expect, test } from '@jest/globals';
import { payoutPosting, type PayoutAmounts } from '../../../domain/ledger.ts';
import { bookingAlone, bookingsOfGroup, type JudgedLine, writtenOff } from '../../../domain/payouts/booking.ts';
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

/** Returns what the lines of a movement credit, in their order. */
function booked(movement: Movement, ...ofMovement: readonly JudgedLine[]): (PayoutAmounts | undefined)[] {
  const amounts = bookingsOfGroup(movement, ofMovement);
  return ofMovement.map(({ line: { id } }) => amounts.get(id));
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

  test('in another currency than its charge covers nothing in clearing, which is in the charge’s currency', () => {
    const converted = judged(line({ currency: 'USD' }), { ...EXACT, detail: 'CONVERTED' });
    expect(booked(charge(), converted)).toEqual([{ unexplained: 9_770n }]);
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

  test('in another currency settles nothing in clearing', () => {
    expect(booked(charge(), judged(line({ currency: 'USD' }), AMOUNT, accepted))).toEqual([{ differences: 9_770n }]);
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
      amounts,
    });
    expect([cause, kind]).toEqual([{ type: 'payout', id: '5' }, 'payout']);
    expect(postings.map(({ debit, credit, amountMinor }) => `${debit} ${credit} ${amountMinor}`)).toEqual([
      'gateway:bkash:transit gateway:bkash:clearing 10000',
      'gateway:fees gateway:bkash:transit 200',
      'gateway:taxes gateway:bkash:transit 30',
      'gateway:bkash:disputes gateway:bkash:transit 500',
      'gateway:bkash:reserve gateway:bkash:transit 40',
      'gateway:bkash:transit gateway:bkash:unexplained 7',
      'gateway:bkash:differences gateway:bkash:transit 3',
      'bank gateway:bkash:transit 9000',
    ]);
  });
});
