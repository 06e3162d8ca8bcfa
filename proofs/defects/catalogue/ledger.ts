import { testFileWithServers } from '../check.ts';
import { object, type Defect } from '../defect.ts';
import { STORIES } from './checks.ts';

/** Defects in the ledger and its chain of seals. */
export const LEDGER: readonly Defect[] = [
  {
    name: 'posting-without-unique-cause',
    breaks: 'The ledger posts the same payment or refund twice.',
    edits: [
      { in: 'database/migrations', sql: 'unique (cause_type, cause_id, kind),', replace: '' },
      {
        in: 'core/ledger',
        find: "$QUERY.onConflict(($CONFLICT) => $CONFLICT.columns(['causeType', 'causeId', 'kind']).doNothing())",
        replace: '$QUERY',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/ledger/posting.test.ts'),
        names: 'posting the same cause posts once and answers that it stands',
      },
    ],
  },
  {
    name: 'fee-forgotten',
    breaks: 'The ledger says that the gateway owes us the fee that it keeps.',
    edits: [
      {
        in: 'domain',
        find: object('debit: FEES_ACCOUNT, credit: $CLEARING, amountMinor: $FEE'),
        replace: '{ debit: FEES_ACCOUNT, credit: $CLEARING, amountMinor: 0n }',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'books-agree' }],
  },
  {
    name: 'heads-unsaid',
    breaks:
      "The head of the ledger's chain is logged at a level that is often off, so nothing outside the database shows whether the ledger was changed.",
    edits: [
      {
        in: 'core/ledger',
        find: "$LOG.child({}, { level: 'info' })",
        replace: '$LOG',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/ledger/verify-command.test.ts'),
        names: 'npm run verify compares the chain with the heads of a log, as its shipper passed them on',
      },
    ],
  },
];
