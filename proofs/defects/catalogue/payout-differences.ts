import { testFile, testFileWithServers } from '../check.ts';
import type { Defect } from '../defect.ts';

const POSTINGS = testFile('test/domain/payouts/booking.test.ts');
const RUNS = testFileWithServers('test/core/reconciliation/run.test.ts');
const CASES = testFileWithServers('test/core/reconciliation/cases.test.ts');

/** Defects in how differences that people accept are posted, and in what is posted again when a verdict or a payout changes. */
export const PAYOUT_DIFFERENCES: readonly Defect[] = [
  {
    name: 'refund-owed-as-charge',
    breaks: 'An accepted refund raises what the gateway owes instead of lowering it.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: "kind === 'REFUND' ? -amountMinor : amountMinor - (feeMinor ?? 0n)",
        replace: 'amountMinor - (feeMinor ?? 0n)',
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a movement for which no line ever came is written off as a gain if it is a refund that was never taken',
      },
    ],
  },
  {
    name: 'fee-owed-by-gateway',
    breaks: 'A charge is written off with the fee that the gateway has kept already.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: "kind === 'REFUND' ? -amountMinor : amountMinor - (feeMinor ?? 0n)",
        replace: "kind === 'REFUND' ? -amountMinor : amountMinor",
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a movement for which no line ever came is written off: what the gateway owed becomes a loss',
      },
    ],
  },
  {
    name: 'write-off-as-gain',
    breaks: 'Money that never came is a profit in the books, and clearing doubles.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: '{ clearing: owedMinor, differences: -owedMinor }',
        replace: '{ clearing: -owedMinor, differences: owedMinor }',
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a movement for which no line ever came is written off: what the gateway owed becomes a loss',
      },
      { check: CASES, names: 'accepting a difference writes off a payment whose line never came, until one comes' },
    ],
  },
  {
    name: 'failed-refund-still-owed',
    breaks: 'A refund that failed after it had succeeded is settled in clearing a second time.',
    edits: [{ in: 'domain/payouts/booking.ts', find: 'if (reversed) { return 0n; }', replace: '' }],
    caughtBy: [
      {
        check: POSTINGS,
        names:
          'a difference that people accept of a refund that failed after all settles nothing, since nothing is owed',
      },
    ],
  },
  {
    name: 'accepted-duplicate-settles',
    breaks: 'An accepted duplicate counts as the charge itself, so the charge is paid out twice and nobody sees it.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: "reason === 'AMOUNT' || reason === 'FEE' || reason === 'CURRENCY'",
        replace: 'reason !== null',
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a difference that people accept of a duplicate settles nothing, since the charge is paid out already',
      },
    ],
  },
  {
    name: 'accepted-before-matched',
    breaks:
      'What people accept settles a charge that a later line settles too, so clearing shows a debt to the gateway.',
    edits: [
      {
        in: 'domain/payouts/booking.ts',
        find: '[...inOrder.filter(({ accepted }) => !accepted), ...inOrder.filter(({ accepted }) => accepted)]',
        replace: 'inOrder',
      },
    ],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a difference that people accept settles only what no matched line covers, wherever it stands',
      },
    ],
  },
  {
    name: 'settled-by-each-line',
    breaks: 'Each accepted part of a charge settles the whole charge.',
    edits: [{ in: 'domain/payouts/booking.ts', find: 'owedMinor -= coveredBy(booking);', replace: '' }],
    caughtBy: [
      {
        check: POSTINGS,
        names: 'a difference that people accept settles what is owed once, by the first of several lines',
      },
    ],
  },
  {
    name: 'rejudged-posted-on-top',
    breaks: 'A line that is judged otherwise is posted once more, and what was posted before stays.',
    edits: [
      {
        in: 'core/reconciliation/judge-batch.ts',
        find: 'add(before, minus)',
        replace: 'add(before, () => ({}))',
      },
    ],
    caughtBy: [
      {
        check: CASES,
        names: 'accepting a difference books it at once, closes the case, and the next run leaves both as they are',
      },
      {
        check: RUNS,
        names: 'a run posts a line that is judged otherwise as if it had been judged so from the beginning',
      },
    ],
  },
  {
    name: 'residual-not-posted',
    breaks: 'What the bank received beyond the lines is in no account, so the bank in the ledger is not the bank’s.',
    edits: [
      { in: 'core/reconciliation/book-transfers.ts', find: 'if (bankMinor !== linesMinor) { $$$BODY }', replace: '' },
    ],
    caughtBy: [{ check: RUNS, names: 'a run says by how much a payout does not add up, until it does' }],
  },
  {
    name: 'accepted-residual-unexplained',
    breaks: 'A residual that people have accepted stays open in the books.',
    edits: [
      {
        in: 'core/reconciliation/book-transfers.ts',
        find: "residualMinor === acceptedResidualMinor ? 'differences' : 'unexplained'",
        replace: "'unexplained'",
      },
    ],
    caughtBy: [
      { check: CASES, names: 'accepting a difference of a residual moves it from unexplained to differences' },
    ],
  },
  {
    name: 'transfer-posted-again',
    breaks: 'A payout that gains a late line is in the bank twice.',
    edits: [
      {
        in: 'core/reconciliation/book-transfers.ts',
        find: 'want(applicationId, minus(amountsFrom(amounts)));',
        replace: '',
      },
    ],
    caughtBy: [{ check: RUNS, names: 'a run says by how much a payout does not add up, until it does' }],
  },
  {
    name: 'transfer-never-renewed',
    breaks: 'A late line is never counted in the transfer of its payout, so it stays in transit.',
    edits: [
      {
        in: 'core/reconciliation/judge-batch.ts',
        find: 'await noteNeedsBooking($$$GIVEN);',
        replace: '',
      },
    ],
    caughtBy: [{ check: RUNS, names: 'a run posts the transfer again when a late line joins its payout' }],
  },
  {
    name: 'unowned-line-not-posted',
    breaks: 'A line of a shared store that nothing explains is in no book.',
    edits: [
      {
        in: 'core/reconciliation/judge-batch.ts',
        find: { context: '({ bookedApplicationId: applicationId ?? installation })', selector: 'pair' },
        replace: 'bookedApplicationId: applicationId',
      },
    ],
    caughtBy: [{ check: RUNS, names: 'a run flags what it cannot explain, opens a case, and holds the money apart' }],
  },
];
