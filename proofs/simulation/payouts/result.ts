import { describeMachine, type ResultFile } from '../../../scripts/repository/results/result-file.ts';
import type { Totals } from '../totals.ts';
import { PAYOUT_BRANCHES } from './branches.ts';

/** Returns what a run of stories of payouts has shown. */
export function payoutResultOf(
  totals: Totals,
  { first, seconds, missed }: { readonly first: number; readonly seconds: number; readonly missed: readonly string[] },
): ResultFile {
  const years = (totals.fakeMs / (365.25 * 86_400_000)).toFixed(1);
  return {
    name: 'simulation-payouts',
    page: 'proofs',
    order: 21,
    title: 'Simulation of payouts: files, runs and dying processes, on a fake clock',
    command: `npm run test:sim -- --payouts --seeds ${totals.seeds} --first ${first}`,
    at: new Date().toISOString(),
    machine: describeMachine(),
    summary: [
      `${totals.seeds} seeds, ${years} years of fake time in ${seconds} s, ${totals.failedSeeds.length} with a violation. ` +
        'Each seed makes LIVE payments and refunds, and pays them out in damaged files and through a gateway\u2019s API. It uploads, cancels and reconciles them, ' +
        'by hand and by schedule. The story is told twice: once undisturbed, and once while processes are killed or stand still at a statement or right after a ' +
        'commit, connections and answers are lost, and statements are refused. `--seed S` tells the second telling again.',
      'In the end each line is stored once, and each line, payment and refund is in one state. The lines of each payout and its residual add up to the bank\u2019s ' +
        'amount, each residual has a case, each booking is posted once, and the ledger verifies. Every workflow, import and run has ended, and an import outlives a ' +
        'run that somebody cancels. Both tellings have the same verdicts, open cases and balances, and stories without cancellations and requests at once the same ' +
        'rows. Running every day again changes nothing.',
      `${PAYOUT_BRANCHES.length - missed.length} of ${PAYOUT_BRANCHES.length} branches that a run must come through were reached. What runs is the product\u2019s own code, ` +
        'with its SQL and row-level security on PostgreSQL compiled to WebAssembly, over a stand-in for Temporal. That PostgreSQL has one session, so transactions run one after ' +
        'the other, and races for row locks are left to other tests. Decisions of people about cases, disputes and converted lines are not simulated.',
    ],
    tables: [
      {
        caption: 'How often the stories of payouts came through each branch',
        columns: ['branch', 'times'],
        rows: PAYOUT_BRANCHES.map((branch) => [branch, String(totals.of(branch))]),
      },
    ],
    data: {
      first,
      seeds: totals.seeds,
      seconds,
      failedSeeds: totals.failedSeeds,
      branches: Object.fromEntries([...totals.branches].sort(([a], [b]) => a.localeCompare(b))),
    },
  };
}
