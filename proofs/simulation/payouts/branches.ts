import { ACTS, PROCESSES } from './plan.ts';
import { DAMAGES } from './gateway.ts';

const RESULTS = [
  'MATCHED',
  'DEFERRED',
  ...['MISSING_IN_PAYOUT', 'MISSING_INTERNALLY', 'AMOUNT', 'DUPLICATE', 'REFUND_UNKNOWN'].map(
    (reason) => `FLAGGED ${reason}`,
  ),
];

/** The branches that a run of four hundred seeds of payouts must reach. */
export const PAYOUT_BRANCHES: readonly string[] = [
  ...ACTS.map((act) => `act: ${act}`),
  ...DAMAGES.map((damage) => `payout: ${damage}`),
  ...RESULTS.map((result) => `result: ${result}`),
  ...PROCESSES.flatMap((name) => [`killed at a statement: ${name}`, `killed at a commit: ${name}`, `frozen: ${name}`]),
  ...['connection lost', 'statement refused', "commit's answer lost"].map((what) => `database: ${what}`),
  'gateway: a page read',
  'gateway: unreachable',
  'upload: new',
  'upload: known',
  'import: cancelled by a person',
  'import: its workflow cancelled',
  'run: cancelled by a person',
  'payoutImportWorkflow: completed IMPORTED',
  'payoutImportWorkflow: completed CANCELLED',
  'payoutImportWorkflow: cancelled',
  'payoutImportWorkflow: replayed',
  'payoutImportWorkflow: child started',
  'payoutImportWorkflow: child refused',
  'reconciliationWorkflow: completed',
  'reconciliationWorkflow: cancelled',
  'reconciliationWorkflow: replayed',
  'reconciliationWorkflow: continued as new',
  'scheduledReconciliationWorkflow: child started',
  'scheduledReconciliationWorkflow: replayed',
  ...['importPayoutFile', 'fetchPayouts', 'advanceReconciliation', 'openReconciliation'].map(
    (activity) => `activity ${activity}: retried`,
  ),
  ...['importPayoutFile', 'advanceReconciliation'].map((activity) => `activity ${activity}: silent`),
  'sweeper: import started',
  'sweeper: run started',
  'sweeper: broken upload removed',
];
