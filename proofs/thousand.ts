import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findRunningStack, type DevFile } from '../scripts/development/dev-file.ts';
import { readOrMakeMasterKey } from '../scripts/development/development-secrets.ts';
import { startStack, type Stack } from '../scripts/development/stack.ts';
import { proveThousand, type ProofResult } from './thousand/proof.ts';

const USAGE = `npm run proof:thousand -- [--payments N] [--in-flight N] [--seed N] [--json] [--directory DIR]

Takes many payments at once on the running stack, or on one of its own: each is paid, failed, cancelled or left, as a seeded choice has it.
Compares in the end what application, webhooks, ledger and gateway say, and proves the ledger. Exit 0 only if all of it holds.`;

const { values } = parseArgs({
  options: {
    payments: { type: 'string', default: '1000' },
    'in-flight': { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    directory: { type: 'string', default: '.lenden' },
  },
});
// With --json, only the last line goes to stdout, for programs. The progress goes to stderr.
const tell = (line: string): void => (values.json ? console.error(line) : console.log(line));

let own: Stack | undefined;
try {
  if (values.help) {
    console.log(USAGE);
  } else {
    await main();
  }
} catch (error) {
  console.error(`The proof could not be made: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await own?.stop();
}

async function main(): Promise<void> {
  const dev = (await findRunningStack(values.directory)) ?? (await startOwn());
  const result = await proveThousand({
    dev,
    masterKey: process.env['LENDEN_MASTER_KEY'] ?? readOrMakeMasterKey(values.directory),
    payments: wholeNumber('payments', values.payments, 100_000),
    inFlight: wholeNumber('in-flight', values['in-flight'], 500),
    seed: wholeNumber('seed', values.seed, 2 ** 31),
    tell,
  });
  const verified = await verifyLedger();
  report(result, verified);
  process.exitCode = result.problems.length === 0 && verified.exitCode === 0 ? 0 : 1;
}

async function startOwn(): Promise<DevFile> {
  tell('No stack is running here; starting one for this proof.');
  own = await startStack({ directory: values.directory, ports: 'default', environment: process.env, say: tell });
  return own.dev;
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new Error(`--${name} is a whole number from 1 to ${max}, not "${text}"`);
  }
  return value;
}

interface Verified {
  readonly exitCode: number;
  readonly words: string;
}

/** Runs the command as a person would. It queries the gateway for every charge. */
function verifyLedger(): Promise<Verified> {
  const script = resolve(import.meta.dirname, '../scripts/commands/verify.ts');
  return new Promise((settle) => {
    execFile(
      process.execPath,
      [script, '--ask', '--directory', values.directory],
      { timeout: 300_000 },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 2;
        settle({ exitCode, words: `${stdout}${stderr}`.trimEnd() });
      },
    );
  });
}

function report(result: ProofResult, verified: Verified): void {
  const { createMs, payerMs, events, charges, database } = result;
  tell(`
${result.payments} payments, ${result.inFlight} in flight, seed ${result.seed}
  active        ${result.activeSeconds} s, ${result.paymentsPerSecond} payments/s; ${result.totalSeconds} s with those that were left
  POST          p50 ${createMs.p50} ms, p99 ${createMs.p99} ms, max ${createMs.max} ms
  payer → event p50 ${payerMs.p50} ms, p99 ${payerMs.p99} ms, max ${payerMs.max} ms
  choices       ${inWords(result.choices)}
  ended         ${inWords(result.statuses)}
  events        ${events.distinct} events in ${events.deliveries} deliveries
  charges       ${charges.count}: ${charges.grossMinor} paisa at the gateway, ${charges.ledgerGrossMinor} in the ledger
  database      ${database.statementsPerPayment ?? 'unknown'} statements and ${database.transactionsPerPayment} transactions a payment, ${database.deadlocks} deadlocks
  history       ${inWords(Object.fromEntries(Object.entries(result.historyEvents).map(([choice, { min, max }]) => [choice, min === max ? min : `${min}–${max}`])))}

${verified.words}
`);
  for (const problem of result.problems.slice(0, 50)) {
    tell(`PROBLEM  ${problem}`);
  }
  tell(result.problems.length === 0 && verified.exitCode === 0 ? 'Proved.' : 'NOT PROVED.');
  if (values.json) {
    console.log(JSON.stringify({ ...result, verified: verified.exitCode === 0 }));
  }
}

function inWords(counts: Readonly<Record<string, number | string>>): string {
  return Object.entries(counts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
