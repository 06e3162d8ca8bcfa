import { testFile } from '../check.ts';
import type { Defect } from '../defect.ts';

const POSTINGS = testFile('test/domain/payouts/booking.test.ts');

/** Defects in the rules by which lines of payouts are posted: for each kind of line and each account. */
export const PAYOUT_POSTINGS: readonly Defect[] = [
  {
    name: 'payout-sides-exchanged',
    breaks: 'What the gateway owes grows with each payout, and the money in transit is negative.',
    edits: [
      {
        in: 'domain/ledger.ts',
        find: '[{ debit: against, credit: account, amountMinor }]',
        replace: '[{ debit: account, credit: against, amountMinor }]',
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names:
          'a booking in the ledger moves each amount between its account and the money in transit, in its direction',
      },
    ],
  },
  {
    name: 'known-fee-booked-again',
    breaks: 'A fee that came with the charge is a cost twice.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: 'movement === null || isFeeKnown(line, movement)',
        replace: 'movement === null',
      },
    ],
    caughtBy: [
      { check: POSTINGS, names: 'a matched line of a charge covers in clearing what the gateway owed for it' },
    ],
  },
  {
    name: 'fee-in-charge-line-lost',
    breaks: 'Where only the line states the fee, it stays in clearing as if the gateway owed it.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: 'nonZero({ [account]: netMinor + feeMinor + taxMinor, fees: -feeMinor, taxes: -taxMinor })',
        replace: 'nonZero({ [account]: netMinor })',
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a matched line whose fee only it states books the fee, and the tax on it apart',
      },
    ],
  },
  {
    name: 'tax-in-charge-line-is-fee',
    breaks: 'The tax on a fee cannot be claimed back, because the books call it a fee.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: 'nonZero({ [account]: netMinor + feeMinor + taxMinor, fees: -feeMinor, taxes: -taxMinor })',
        replace: 'nonZero({ [account]: netMinor + feeMinor + taxMinor, fees: -feeMinor - taxMinor })',
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a matched line whose fee only it states books the fee, and the tax on it apart',
      },
    ],
  },
  {
    name: 'tax-of-fee-line-is-fee',
    breaks: 'The tax in the line of a monthly fee is booked as a fee.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: 'nonZero({ [account]: netMinor + taxMinor, taxes: -taxMinor })',
        replace: 'nonZero({ [account]: netMinor })',
      },
    ],
    caughtBy: [
      { check: POSTINGS, names: 'a matched line of a fee that belongs to no charge is a cost, with its tax apart' },
    ],
  },
  {
    name: 'tax-line-is-fee',
    breaks: 'Tax in a line of its own is booked as a fee.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: "only('taxes', line.netMinor)",
        replace: "only('fees', line.netMinor)",
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a matched line of a fee or a tax of a charge whose fee nobody stated before is the cost itself',
      },
    ],
  },
  {
    name: 'fee-line-of-known-fee-is-cost',
    breaks: 'A fee that came with the charge and stands in a line of its own is a cost twice.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: "movement !== null && settledBy(one, movement) ? only(covered, line.netMinor) : withTax('fees', line)",
        replace: "withTax('fees', line)",
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a matched line of a fee or a tax of a charge whose fee is known covers it in clearing',
      },
    ],
  },
  {
    name: 'tax-line-of-known-fee-is-cost',
    breaks: 'Tax that came with the charge and stands in a line of its own is a cost twice.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: "movement !== null && settledBy(one, movement) ? only(covered, line.netMinor) : only('taxes', line.netMinor)",
        replace: "only('taxes', line.netMinor)",
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a matched line of a fee or a tax of a charge whose fee is known covers it in clearing',
      },
    ],
  },
  {
    name: 'dispute-in-clearing',
    breaks: 'Disputed money looks like money that the gateway owes.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: "withCosts('disputes', line)",
        replace: "withCosts('clearing', line)",
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a matched line of a dispute is held as disputed, without what the gateway charges for it',
      },
    ],
  },
  {
    name: 'reserve-in-clearing',
    breaks: 'A reserve that the gateway holds looks like money that it pays out late.',
    edits: [
      { in: 'domain/payouts/booking.ts', find: "withCosts('reserve', line)", replace: "withCosts('clearing', line)" },
    ],
    caughtBy: [{ check: POSTINGS, names: 'a matched line of a reserve is money that the gateway holds' }],
  },
  {
    name: 'deferred-covers-clearing',
    breaks: 'A line whose attempt is not confirmed lowers what the gateway owes for other charges.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: "verdict.status !== 'MATCHED'",
        replace: "verdict.status === 'FLAGGED'",
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a line that is not explained and waits for its attempt waits in unexplained, and clearing stays',
      },
    ],
  },
];
