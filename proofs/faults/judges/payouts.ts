import type { Tally } from '../payout-evidence.ts';
import { together, type Judge, type Verdict } from './judge.ts';

/** I23. */
export const everyLineIsJudgedOnce: Judge = ({ payouts }) =>
  together(once(payouts.lines, 'results'), once(payouts.movements, 'states'));

/** I24. */
export const payoutsAreBookedOnce: Judge = ({ payouts: { files, bookings, residuals } }) =>
  together(
    {
      judged: files.length,
      violations: files
        .filter(({ rows, lines }) => rows !== lines)
        .map(
          ({ gateway, mode, rows, lines }) =>
            `the file of ${gateway} ${mode} has ${rows} rows, and ${lines} lines are stored`,
        ),
    },
    once(bookings, 'ledger transactions'),
    {
      judged: residuals.length,
      violations: residuals
        .filter(({ cases }) => cases !== 1)
        .map(
          ({ payout, residualMinor, cases }) =>
            `payout ${payout} has the residual ${residualMinor} and ${cases} open cases`,
        ),
    },
  );

function once(tallies: readonly Tally[], what: string): Verdict {
  return {
    judged: tallies.reduce((sum, { count }) => sum + count, 0),
    violations: tallies
      .filter(({ times }) => times !== 1)
      .map(({ times, count, example }) => `${count} have ${times} ${what}, such as ${example}`),
  };
}
