import { testFileWithServers } from '../check.ts';
import { object, property, type Defect } from '../defect.ts';

const RESTORED = testFileWithServers('test/core/maintenance/restored-database.test.ts');
const RESTORE_COMMAND = testFileWithServers('test/scripts/commands/restore.test.ts');

/** Defects that show after the database was restored from an older dump. */
export const RESTORE: readonly Defect[] = [
  {
    name: 'attempt-of-any-payment',
    breaks: 'After a restore, money of one payment is recorded as unapplied for another one that got its number.',
    edits: [
      {
        in: 'core/unapplied-payments/store/charges.ts',
        find: "$QUERY.where('t.reference', '=', $('attemptReference')).where('p.reference', '=', $('reference'))",
        replace: "$QUERY.where('t.reference', '=', $('attemptReference'))",
      },
    ],
    caughtBy: [
      { check: RESTORED, names: 'an activity that names rows of two payments recordUnappliedPayment fails for good' },
    ],
  },
  {
    name: 'decision-of-any-payment',
    breaks: 'After a restore, a decision about one payment finalizes another one that got its number.',
    edits: [
      {
        in: 'core/decisions',
        find: "$QUERY.whereRef('p.id', '=', 'd.paymentId').where('p.reference', '=', $('payment'))",
        replace: "$QUERY.whereRef('p.id', '=', 'd.paymentId')",
      },
    ],
    caughtBy: [
      {
        check: RESTORED,
        names:
          'an activity that names rows of two payments finalizePayment does not end a payment by a decision about another one',
      },
    ],
  },
  {
    name: 'missing-row-tried-for-ever',
    breaks: 'A workflow whose row is gone after a restore retries for days, and no operator is notified.',
    edits: [
      {
        in: 'workflows',
        find: "unlessRowMissing({ kind: 'lost' as const })",
        replace: "() => ({ kind: 'lost' as const })",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/workflows/row-missing.test.ts'),
        names:
          'a workflow whose row is gone, since an older database was restored, fails at once: a payment that is opening',
      },
    ],
  },
  {
    name: 'restored-numbers-given-out-again',
    breaks: 'After a restore, new rows get the numbers of rows that were lost.',
    edits: [
      {
        in: 'core/maintenance',
        find: property('to: $BASE + $GAP'),
        replace: 'to: $BASE',
      },
    ],
    caughtBy: [
      {
        check: RESTORE_COMMAND,
        names:
          'a database that is set back to an older state is put right: orphans end, and no number is given out again',
      },
    ],
  },
  {
    name: 'restored-refund-asked-as-new',
    breaks:
      'After a restore, a refund that the gateway may already have made is requested like a new one, and the payer gets it twice.',
    edits: [
      {
        in: 'core/maintenance',
        find: object("doubtful: true, queriedAt: $EB.fn.coalesce('queriedAt', now)"),
        replace: '{ queriedAt: null }',
      },
    ],
    caughtBy: [
      {
        check: RESTORE_COMMAND,
        names:
          'a database that is set back to an older state catches up with its gateways once workers run, and books everything once',
      },
    ],
  },
];
