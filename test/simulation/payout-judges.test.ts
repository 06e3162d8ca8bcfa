import { beforeAll, expect, test } from '@jest/globals';
import type { PayoutStoryEvidence } from '../../proofs/simulation/payouts/evidence.ts';
import { judgePayouts, PAYOUT_JUDGES, type PayoutJudgeName } from '../../proofs/simulation/payouts/judges.ts';
import { runSeeds } from '../../proofs/simulation/run.ts';
import type { SeedResult } from '../../proofs/simulation/seed.ts';

/** A short story with a statement, a refund, and payments that no line explains. */
const SEED = 19;

/** What is planted in the rows of a story, and who has to notice. */
const PLANTED: readonly (readonly [what: string, judge: PayoutJudgeName, sql: string])[] = [
  ['a line is lost', 'lines-stored-once', 'delete from payout_lines where id = (select max(id) from payout_lines)'],
  [
    'a line has the name of another',
    'lines-stored-once',
    `update payout_lines set line_reference = (select min(line_reference) from payout_lines) where id = (select max(id) from payout_lines)`,
  ],
  [
    'a row of a file is told twice',
    'rows-told',
    `update payout_files set lines_known = lines_known + 1 where kind = 'lines' and state = 'IMPORTED'`,
  ],
  [
    'nothing is said of a line',
    'one-state-each',
    'delete from reconciliation_results where id = (select max(id) from reconciliation_results where line_id is not null)',
  ],
  [
    'nothing is said of a payment',
    'one-state-each',
    'delete from reconciliation_results where line_id is null and not superseded',
  ],
  [
    'a booking is posted twice',
    'booked-once',
    `insert into ledger_transactions (application_id, mode, currency, cause_type, cause_id, kind)
       select application_id, mode, currency, cause_type, cause_id, kind || ' again' from ledger_transactions where cause_type = 'payout' limit 1`,
  ],
  [
    'a residual has no case',
    'booked-once',
    `update payouts set bank_minor = lines_minor - 5, status = 'PAID', accepted_residual_minor = null;
       delete from reconciliation_cases where kind = 'residual'`,
  ],
  ['the sum of a payout is wrong', 'payouts-add-up', 'update payouts set lines_minor = lines_minor + 1'],
  [
    'a line of a payout has no label',
    'payouts-add-up',
    `delete from reconciliation_results where line_id = (select max(id) from payout_lines where net_minor <> 0 and payout_id is not null)`,
  ],
  [
    'a posting is missing',
    'ledger-verified',
    'delete from ledger_postings where id = (select min(id) from ledger_postings)',
  ],
  [
    'a run has not ended',
    'everything-ends',
    `update reconciliation_runs set state = 'RUNNING', ended_at = null where id = (select max(id) from reconciliation_runs)`,
  ],
  [
    'an import has not ended',
    'everything-ends',
    `update payout_files set state = 'IMPORTING' where id = (select max(id) from payout_files)`,
  ],
  [
    'a flagged line counts as deferred',
    'same-verdicts',
    `update reconciliation_results set status = 'DEFERRED', reason = null where status = 'FLAGGED'`,
  ],
  [
    'a payout has another amount of the bank',
    'same-verdicts',
    'update payouts set bank_minor = coalesce(bank_minor, 0) + 1',
  ],
  ['a file has another name', 'same-rows', `update payout_files set name = 'another'`],
  [
    'a run would say something else',
    'runs-repeat',
    `update reconciliation_results set status = 'FLAGGED', reason = 'AMOUNT' where status = 'MATCHED'`,
  ],
];

let results: SeedResult[];

beforeAll(async () => {
  results = [];
  await runSeeds({
    kind: 'payouts',
    seeds: [SEED][Symbol.iterator](),
    threads: 1,
    damages: PLANTED.map(([, , sql]) => sql),
    onResult: (result) => results.push(result) > 0,
  });
}, 180_000);

test.each(PLANTED.map(([what, judge], index) => ({ what, judge, index })))(
  'a judge notices when $what',
  ({ judge, index }) => {
    expect(results[index]?.violations.map((violation) => violation.judge)).toContain(judge);
  },
);

const GOOD: PayoutStoryEvidence = {
  payouts: { lines: [], movements: [], bookings: [], files: [], residuals: [] },
  paidOut: new Map([['L1', 1]]),
  stored: new Map([['L1', 1]]),
  files: [],
  sums: [],
  verified: [],
  runningRuns: [],
  workflows: [
    { workflowId: 'payout-import:1', type: 'payoutImportWorkflow', status: 'completed', cancelRequested: false },
    { workflowId: 'payout-import:2', type: 'payoutImportWorkflow', status: 'cancelled', cancelRequested: true },
    { workflowId: 'reconciliation:1', type: 'reconciliationWorkflow', status: 'cancelled', cancelRequested: true },
  ],
  restless: [],
  wrong: [],
  verdicts: ['line 1'],
  everyRow: ['line 1', 'case 1'],
};

function judged(changes: Partial<PayoutStoryEvidence>): PayoutJudgeName[] {
  const told = { ...GOOD, ...changes };
  const violations = judgePayouts({ told, undisturbed: GOOD, orderly: true, again: told.everyRow });
  return violations.map(({ judge }) => judge);
}

test('a good story has no violation', () => {
  expect(judged({})).toEqual([]);
});

test.each<readonly [string, PayoutJudgeName, Partial<PayoutStoryEvidence>]>([
  ['a line is stored twice', 'lines-stored-once', { stored: new Map([['L1', 2]]) }],
  ['a line is stored that nobody paid out', 'lines-stored-once', { stored: new Map([...GOOD.stored, ['L2', 1]]) }],
  [
    'a workflow runs for ever',
    'everything-ends',
    { workflows: GOOD.workflows.map((end) => ({ ...end, status: 'running' })) },
  ],
  ['an act does not come to an end', 'everything-ends', { restless: ['"upload" is not over'] }],
  [
    'an import ends with a run that was cancelled',
    'imports-outlive-runs',
    { workflows: GOOD.workflows.map((end) => ({ ...end, status: 'cancelled' })) },
  ],
  ['a replay asks for something else', 'simulation', { wrong: ['replay: another command'] }],
])('a judge notices when %s', (_what, judge, changes) => {
  expect(judged(changes)).toContain(judge);
});

test('each judge has been seen to fail', () => {
  const seen = new Set<string>([...PLANTED.map(([, judge]) => judge), 'imports-outlive-runs', 'simulation']);
  expect(Object.keys(PAYOUT_JUDGES).filter((judge) => !seen.has(judge))).toEqual([]);
});
