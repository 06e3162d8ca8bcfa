import { testFile, testFileWithServers } from '../check.ts';
import { property, type Defect } from '../defect.ts';

const POSTINGS = testFile('test/domain/payouts/booking.test.ts');
const JUDGE = testFile('test/domain/payouts/judge.test.ts');
const MAPPINGS = testFile('test/domain/payouts/shipped-mappings.test.ts');
const ROWS = testFile('test/domain/payouts/map-record.test.ts');
const STRIPE = testFile('test/gateways/stripe-payouts.test.ts');
const RUNS = testFileWithServers('test/core/reconciliation/run.test.ts');

const CONVERTED = 'a line that the gateway has converted';

/** Defects in how lines that a gateway has converted are posted, in both currencies. */
export const PAYOUT_CONVERSIONS: readonly Defect[] = [
  {
    name: 'converted-covers-clearing-of-its-currency',
    breaks: 'A line in dollars lowers clearing in dollars, where the gateway owes taka.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: "movement === null || line.currency === movement.currency ? 'clearing' : 'conversion'",
        replace: "'clearing'",
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: `${CONVERTED} covers in clearing the dollars that the gateway owed, and conversion takes the counterpart in both currencies`,
      },
    ],
  },
  {
    name: 'converted-in-one-currency',
    breaks: 'What the gateway owes in the currency of the charge stays in clearing for ever.',
    edits: [
      { in: 'domain/payouts/booking.ts', find: 'if (!isConverted(movement, one)) { $$$BODY }', replace: '{ $$$BODY }' },
    ],
    caughtBy: [
      { check: POSTINGS, names: `${CONVERTED} of a refund takes from clearing the dollars that the gateway kept back` },
    ],
  },
  {
    name: 'converted-rest-left',
    breaks: 'A minor unit of each converted charge stays in clearing, because every part is rounded.',
    edits: [{ in: 'domain/payouts/booking.ts', find: 'one === last ? owedMinor : null', replace: 'null' }],
    caughtBy: [
      {
        check: POSTINGS,
        names: `${CONVERTED} in parts covers exactly the whole of taka: the last part takes what is left by rounding`,
      },
    ],
  },
  {
    name: 'converted-rest-to-first',
    breaks: 'Which part of a charge takes the rest depends on the part that came first, so the same books differ.',
    edits: [{ in: 'domain/payouts/booking.ts', find: 'converted.at(-1)', replace: 'converted[0]' }],
    caughtBy: [
      {
        check: POSTINGS,
        names: `${CONVERTED} in parts is settled by the last in the order of the lines, whichever was read first`,
      },
    ],
  },
  {
    name: 'converted-back-at-rate-squared',
    breaks:
      'A part of a charge is worth, in the currency of the charge, what it would be worth after another conversion.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: 'originalOf(conversion, amountMinor, movement)',
        replace: 'settledAs(conversion, amountMinor, movement)',
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: `${CONVERTED} in parts is settled by the last in the order of the lines, whichever was read first`,
      },
    ],
  },
  {
    name: 'converted-fee-line-worth-nothing',
    breaks:
      'A fee in a line of its own takes nothing from clearing, because only the line of its charge states the rate.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: 'group.map((other) => conversionOf(movement, other.line)).find($FIND)',
        replace: 'null',
      },
    ],
    caughtBy: [
      { check: POSTINGS, names: `${CONVERTED} and its known fee in a line of its own cover clearing together` },
    ],
  },
  {
    name: 'lone-fee-settles-converted-charge',
    breaks: 'A line of a fee settles the whole charge, which the gateway has not paid out.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: 'converted.some(({ line }) => isAmount(line)) ? converted.at(-1) : undefined',
        replace: 'converted.at(-1)',
      },
    ],
    caughtBy: [
      { check: POSTINGS, names: `${CONVERTED} and whose known fee came without its charge leaves the charge owed` },
    ],
  },
  {
    name: 'converted-fee-read-as-nothing',
    breaks: 'Each converted charge of Stripe is flagged: its fee, which only the line states, is compared with 0.',
    edits: [
      {
        in: 'domain/payouts/expected-fee.ts',
        find: "isConverted && kind === 'CHARGE' && feeMinor === 0n ? null : feeMinor",
        replace: 'feeMinor',
      },
    ],
    caughtBy: [
      { check: POSTINGS, names: `${CONVERTED} states the fee of a charge that was confirmed without one` },
      {
        check: JUDGE,
        names:
          'judge a currency of a charge that was confirmed without a fee matches with the fee that its line states',
      },
    ],
  },
  {
    name: 'accepted-conversion-at-what-came',
    breaks: 'Whoever accepts a conversion at a bad rate books no loss.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: 'conversion === null ? line.netMinor : settledAs(conversion, owedMinor, movement)',
        replace: 'line.netMinor',
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: `${CONVERTED} with another rate settles, when people accept it, what is owed at its rate; the rest is a difference`,
      },
    ],
  },
  {
    name: 'accepted-conversion-in-clearing',
    breaks: 'A line in dollars that people accept settles clearing in dollars, where the gateway owes taka.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: 'if (line.currency === movement.currency) { $$$BODY }',
        replace: '{ $$$BODY }',
      },
    ],
    caughtBy: [{ check: POSTINGS, names: `${CONVERTED} without a rate is worth what it is, when people accept it` }],
  },
  {
    name: 'accepted-dispute-settles',
    breaks: 'A dispute that people accept settles the charge, which the gateway still owes.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: "isAmount(line) && (reason === 'AMOUNT' || reason === 'FEE' || reason === 'CURRENCY')",
        replace: "reason === 'AMOUNT' || reason === 'FEE' || reason === 'CURRENCY'",
      },
    ],
    caughtBy: [
      { check: POSTINGS, names: `${CONVERTED} settles nothing if it is a fee or a dispute that people accept` },
    ],
  },
  {
    name: 'converted-through-transit',
    breaks: 'Money that the bank receives in taka is in transit in dollars too, and never arrives there.',
    edits: [
      {
        in: 'domain/ledger.ts',
        find: "kind === 'converted' ? `gateway:${gateway}:conversion` : `gateway:${gateway}:transit`",
        replace: '`gateway:${gateway}:transit`',
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names:
          'a booking in the ledger of converted lines moves a charge between clearing and conversion, and nothing is in transit',
      },
    ],
  },
  {
    name: 'rejudged-in-one-currency',
    breaks: 'A converted line that is judged otherwise is taken back in its own currency only.',
    edits: [
      {
        in: 'core/reconciliation/judge-batch.ts',
        find: 'add(before, minus)',
        replace: 'add({ ...before, convertedMinor: null }, minus)',
      },
    ],
    caughtBy: [
      {
        check: RUNS,
        names: `${CONVERTED} is taken back exactly in both currencies when it is judged otherwise, and settles what it means instead`,
      },
    ],
  },
  {
    name: 'write-off-taken-back-in-line-currency',
    breaks: 'The loss of a charge in taka, whose line came in dollars after all, is taken back in dollars.',
    edits: [
      {
        in: 'core/reconciliation/judge-batch.ts',
        find: 'add(before, minus)',
        replace: 'add({ ...before, currency: said.currency }, minus)',
      },
    ],
    caughtBy: [
      {
        check: RUNS,
        names: `${CONVERTED} takes the place of a write-off, which is taken back in the currency of the charge`,
      },
    ],
  },
  {
    name: 'verify-trusts-conversions',
    breaks: 'A charge that its converted lines settle by half passes as settled.',
    edits: [
      {
        in: 'core/ledger/verify/verify-payouts.ts',
        find: '[LINE_SUMS, RESULT_AMOUNTS, BOOKED_SUMS, CONVERTED_SUMS, BANK_SUMS]',
        replace: '[LINE_SUMS, RESULT_AMOUNTS, BOOKED_SUMS, BANK_SUMS]',
      },
    ],
    caughtBy: [{ check: RUNS, names: `${CONVERTED} without a payout is posted too` }],
  },
  {
    name: 'stripe-rate-as-stated',
    breaks: 'A large converted charge of Stripe is flagged, because Stripe rounds the rate.',
    edits: [{ in: 'gateways/stripe/payout-lines.ts', find: 'implied ?? stated', replace: 'stated' }],
    caughtBy: [
      {
        check: STRIPE,
        names: 'a line that is a charge of 824559 has the exact rate if its source says what was paid: 1004952',
      },
    ],
  },
  {
    name: 'report-without-rate',
    breaks: 'Each converted charge in Stripe’s report is flagged: the report states what was paid and no rate.',
    edits: [
      {
        in: 'domain/payouts/map-record.ts',
        find: 'impliedRate({ originalCurrency, paidMinor }, settled)',
        replace: 'null',
      },
    ],
    caughtBy: [
      {
        check: MAPPINGS,
        names:
          'a file as a source exports it of Stripe tells of a converted charge and its refund what the payer paid, and so the rate',
      },
    ],
  },
  {
    name: 'implied-rate-of-minor-units',
    breaks: 'The rate of a yen, which has no minor units, is a hundred times too large.',
    edits: [
      {
        in: 'domain/payouts/conversion.ts',
        find: 'magnitude(grossMinor) * scale * 10n ** BigInt(exponentOf(originalCurrency))',
        replace: 'magnitude(grossMinor) * scale * 10n ** BigInt(exponentOf(currency))',
      },
    ],
    caughtBy: [
      {
        check: ROWS,
        names: 'a row becomes a line whose conversion states what was paid in a currency without minor units',
      },
    ],
  },
  {
    name: 'case-keeps-other-currency',
    breaks: 'A case says 0.10 taka where the difference is 0.10 dollars, and counts to the threshold of taka.',
    edits: [
      {
        in: 'core/reconciliation/store/cases.ts',
        find: property("currency: eb.ref('r.currency')"),
        replace: "currency: eb.ref('c.currency')",
      },
    ],
    caughtBy: [
      { check: RUNS, names: `${CONVERTED} takes over the case of its charge, whose difference is in dollars then` },
    ],
  },
];
