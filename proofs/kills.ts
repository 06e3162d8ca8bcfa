import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine, writeResult } from '../scripts/repository/results/result-file.ts';
import { makeStackDirectory } from '../scripts/shared/stack-directory.ts';
import { proveKills, type KillsResult } from './kills/proof.ts';
import { wholeNumber } from './trade/whole-number.ts';

const USAGE = `npm run proof:kills -- [--payments N] [--strangers N] [--seed N] [--record]

Closes a day of payouts on two stacks that begin with the same data: payments and refunds at four gateways, their files with differences, and the bank's
statement. On one of them, worker and api are killed with kill -9 ten times meanwhile, also in the middle of transactions. Exit 0 only if the lines,
results, cases, bookings and ledger entries of both are equal, and npm run verify finds nothing.
  --payments N   at each gateway (20)
  --strangers N  lines of nobody's payments (12000)
  --record       keep the result for docs/proofs.md`;

const { values } = parseArgs({
  options: {
    payments: { type: 'string', default: '20' },
    strangers: { type: 'string', default: '12000' },
    seed: { type: 'string', default: '1' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
} else {
  process.exitCode = await main();
}

async function main(): Promise<number> {
  const directory = makeStackDirectory('lenden-kills-');
  const say = (line: string): void => console.log(line);
  try {
    const result = await proveKills({
      directory,
      payments: wholeNumber('payments', values.payments, 1_000),
      strangers: wholeNumber('strangers', values.strangers, 100_000),
      seed: values.seed,
      say,
    });
    const { problems, counts } = result;
    say(
      Object.entries(counts)
        .map(([kind, count]) => `${kind} ${count}`)
        .join(', '),
    );
    problems.forEach((problem) => say(`PROBLEM  ${problem}`));
    say(problems.length === 0 ? 'Proved.' : 'NOT PROVED.');
    record(result);
    return problems.length === 0 ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function record({ problems, struck: { moments, insideTransactions }, counts }: KillsResult): void {
  const { payments, strangers, seed, record: isRecorded } = values;
  const path = writeResult(
    {
      name: 'kills',
      page: 'proofs',
      order: 45,
      title: 'A day of payouts is closed while processes die',
      command: `npm run proof:kills -- --payments ${payments} --strangers ${strangers} --seed ${seed}`,
      at: new Date().toISOString(),
      machine: describeMachine(),
      summary: [
        `${moments.length} times kill -9, ${insideTransactions} of them while a transaction had written rows: ${problems.length} problems. ` +
          'Two stacks of real processes begin with the same data and close the same day: they import files and a bank statement, read the API of a ' +
          'gateway, and reconcile. On one of them worker and api are killed. Afterwards lines, results, cases, bookings and ledger entries of both are ' +
          'compared row by row, without ids and times.',
      ],
      tables: [
        { caption: 'When a process was killed', columns: ['moment'], rows: moments.map((moment) => [moment]) },
        {
          caption: 'What was equal',
          columns: ['rows', 'number'],
          rows: Object.entries(counts).map(([kind, count]) => [kind, String(count)]),
        },
      ],
      data: { problems, moments, insideTransactions, counts },
    },
    { record: isRecorded },
  );
  console.log(path);
}
