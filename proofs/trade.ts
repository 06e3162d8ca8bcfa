import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readOrMakeMasterKey } from '../scripts/development/development-secrets.ts';
import { startStack } from '../scripts/development/stack.ts';
import { makeStackDirectory } from '../scripts/shared/stack-directory.ts';
import { wholeNumber } from './trade/whole-number.ts';
import { proveTrade } from './trade/proof.ts';

const USAGE = `npm run proof:trade -- [--payments N] [--days N] [--seed N]

Trades at four gateways on a stack of its own, lets each gateway pay out over a month, uploads its files and the bank's statement, and reconciles
every day. Exit 0 only if at least 99.5 % of the lines match by themselves, every payout adds up, the books are zero at the gateways, and the ledger is
proven.`;

const { values } = parseArgs({
  options: {
    payments: { type: 'string', default: '40' },
    days: { type: 'string', default: '28' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
} else {
  process.exitCode = await main();
}

async function main(): Promise<number> {
  const directory = makeStackDirectory('lenden-trade-');
  const say = (line: string): void => console.log(line);
  const stack = await startStack({ directory, ports: 'free', environment: process.env, say });
  try {
    const problems = await proveTrade({
      dev: stack.dev,
      directory,
      masterKey: process.env['LENDEN_MASTER_KEY'] ?? readOrMakeMasterKey(directory),
      payments: wholeNumber('payments', values.payments, 10_000),
      days: wholeNumber('days', values.days, 60),
      seed: values.seed,
      say,
    });
    problems.forEach((problem) => say(`PROBLEM  ${problem}`));
    say(problems.length === 0 ? 'Proved.' : 'NOT PROVED.');
    return problems.length === 0 ? 0 : 1;
  } finally {
    await stack.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
