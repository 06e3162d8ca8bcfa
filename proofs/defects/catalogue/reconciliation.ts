import { testFileWithServers } from '../check.ts';
import type { Defect } from '../defect.ts';

const RUNS = testFileWithServers('test/core/reconciliation/run.test.ts');
const CASES = testFileWithServers('test/core/reconciliation/cases.test.ts');

/** Defects in what payout lines are posted to, and in how people close differences. */
export const RECONCILIATION: readonly Defect[] = [
  {
    name: 'unexplained-covers-clearing',
    breaks: 'A line that nothing explains lowers what the gateway owes, so the books hide a loss.',
    edits: [
      {
        in: 'domain/payouts',
        find: "only('unexplained', line.netMinor)",
        replace: "only('clearing', line.netMinor)",
      },
    ],
    caughtBy: [{ check: RUNS, names: 'a run flags what it cannot explain, opens a case, and holds the money apart' }],
  },
  {
    name: 'fee-line-unexplained',
    breaks: 'A fee that stands in a line of its own is no cost in the books.',
    edits: [{ in: 'domain/payouts', find: "withTax('fees', line)", replace: "only('unexplained', line.netMinor)" }],
    caughtBy: [{ check: RUNS, names: 'a run says by how much a payout does not add up, until it does' }],
  },
  {
    name: 'accepted-without-difference',
    breaks: 'A difference that people accept stays in clearing for ever.',
    edits: [
      {
        in: 'domain/payouts',
        find: 'nonZero({ clearing: owedMinor, differences: line.netMinor - owedMinor })',
        replace: "only('clearing', line.netMinor)",
      },
    ],
    caughtBy: [
      {
        check: CASES,
        names: 'accepting a difference books it at once, closes the case, and the next run leaves both as they are',
      },
    ],
  },
  {
    name: 'correction-not-booked',
    breaks: 'A line goes to no account that people have chosen for it.',
    edits: [
      {
        in: 'domain/payouts',
        find: 'only(one.account, one.line.netMinor)',
        replace: "only('unexplained', one.line.netMinor)",
      },
    ],
    caughtBy: [{ check: CASES, names: 'a correction books a line to an account that two people chose' }],
  },
  {
    name: 'acceptance-never-ends',
    breaks: 'Whoever accepts a small difference accepts every later one of the same line.',
    edits: [
      {
        in: 'core/reconciliation',
        find: 'ACCEPTED.every((name) => stored?.[name] === said[name])',
        replace: 'ACCEPTED.length > 0',
      },
    ],
    caughtBy: [
      {
        check: CASES,
        names: 'accepting a difference ends when the difference becomes another one: a new case asks again',
      },
    ],
  },
  {
    name: 'case-seconded-alone',
    breaks: 'One person proposes a correction and agrees to it.',
    edits: [
      {
        in: 'core/reconciliation',
        find: 'waiting.operatorId === caller.operator.id',
        replace: 'waiting.operatorId === null',
      },
    ],
    caughtBy: [
      {
        check: CASES,
        names: 'accepting a difference takes a second person above the threshold, who is never the first',
      },
    ],
  },
  {
    name: 'accepted-not-summed',
    breaks: 'One person accepts a large loss in many small parts.',
    edits: [{ in: 'core/reconciliation', find: 'await ACTIONS.all(statements, whose)', replace: '[]' }],
    caughtBy: [{ check: CASES, names: 'accepting a difference counts what the same person has accepted within a day' }],
  },
];
