import { testFileWithServers } from '../check.ts';
import { object, type Defect } from '../defect.ts';

const IMPORT = testFileWithServers('test/core/payouts/import-file.test.ts');
const UPLOAD = testFileWithServers('test/api/admin/payout-files.test.ts');

/** Defects in the import of payout files and bank statements. */
export const PAYOUTS: readonly Defect[] = [
  {
    name: 'equal-rows-once',
    breaks: 'Of two equal rows of a payout file only one is stored, so the payout does not add up.',
    edits: [
      {
        in: 'core/payouts/store-lines.ts',
        find: object('line, lineNumber, fingerprint, ordinal: $ORDINALS'),
        replace: '{ line, lineNumber, fingerprint, ordinal: 1 }',
      },
    ],
    caughtBy: [
      {
        check: IMPORT,
        names: 'no row twice windows that overlap add what is new, and a row that is there twice is two lines',
      },
    ],
  },
  {
    name: 'position-apart-from-rows',
    breaks: 'A worker that dies between a step and its position counts the rows of the step twice.',
    edits: [
      {
        in: 'core/payouts/import-file.ts',
        find: 'if (!(await advanceImport(em, $STEP))) { throw new Overtaken(); }',
        replace:
          'if (!(await this.#deps.database.withSystem((own) => advanceImport(own, $STEP)))) { throw new Overtaken(); }',
      },
    ],
    caughtBy: [
      { check: IMPORT, names: 'an import that dies after any commit goes on where it stopped, with an equal result' },
    ],
  },
  {
    name: 'known-lines-counted',
    breaks: 'A payout grows by lines that another file has said already.',
    edits: [
      {
        in: 'core/payouts/store/lines.ts',
        find: "$Q.selectFrom('added').select(($SUMS) => [$$$COLUMNS]).groupBy('added.payoutId')",
        replace:
          "$Q.selectFrom(recordsOf(utf8($('lines')), 'w', LINE)).select(($SUMS) => [memberOf($('payoutIds'), $SUMS.ref('w.payout')).as('payoutId'), $SUMS.cast<number>($SUMS.fn.countAll(), 'integer').as('lines'), $SUMS.cast<bigint>($SUMS.fn.sum('w.net'), 'bigint').as('netMinor'), $SUMS.fn.max('w.day').as('paidOutOn')]).groupBy('payoutId')",
      },
    ],
    caughtBy: [
      {
        check: IMPORT,
        names: 'no row twice windows that overlap add what is new, and a row that is there twice is two lines',
      },
    ],
  },
  {
    name: 'refused-file-keeps-nothing',
    breaks: 'The rows before the fault of a payout file are lost, with the reasons of those that were rejected.',
    edits: [
      {
        in: 'core/payouts/import-file.ts',
        find: 'await this.#storeStep();',
        follows: 'const $REFUSAL = await this.#read().catch($HANDLER)',
        replace: 'if ($REFUSAL === null) { await this.#storeStep(); }',
      },
    ],
    caughtBy: [
      {
        check: IMPORT,
        names: 'a file that cannot be read to its end keeps the lines and the rejections that stand before the fault',
      },
    ],
  },
  {
    name: 'amount-of-any-payout',
    breaks: 'A bank entry is assigned to one of several payouts that it names.',
    edits: [
      {
        in: 'core/payouts/match-entries.ts',
        find: 'payouts.length === 1 ? payouts : []',
        replace: 'payouts.slice(0, 1)',
      },
    ],
    caughtBy: [
      {
        check: UPLOAD,
        names: 'a bank statement assigns an entry that names a payout, and offers one of the same amount',
      },
    ],
  },
];
