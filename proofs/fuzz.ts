import '../scripts/shared/lifeline.ts';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import {
  registerApplication,
  type ApplicationStore,
  type Registration,
} from '../core/applications/store/applications.ts';
import { openDatabase } from '../database/connection.ts';
import { createSecretBox } from '../runtime/secrets.ts';
import type { DevFile } from '../scripts/development/dev-file.ts';
import { openShops } from './fuzz/contracts.ts';
import { keepFresh, openOperators } from './fuzz/operators.ts';
import { openLogoServer } from './fuzz/logo-server.ts';
import { PAGE_PARTS } from './fuzz/page-parts.ts';
import { openPageSubjects } from './fuzz/page-subjects.ts';
import { allPages, fuzzPages, problemsOfPages, tableOfPages } from './fuzz/pages.ts';
import { fuzz, type FuzzFindings } from './fuzz/run.ts';
import { applications, contract, operators, type Subject } from './fuzz/subject.ts';
import { installSchemathesis } from './fuzz/tool.ts';
import { problemsOf, tablesOf } from './fuzz/verdict.ts';
import { sendVisitors } from './fuzz/visitors.ts';
import { makeStackDirectory } from '../scripts/shared/stack-directory.ts';
import { withProgress } from '../scripts/shared/progress.ts';
import { describeMachine, writeResult, type ResultTable } from '../scripts/repository/results/result-file.ts';
import { readOrMakeMasterKey } from '../scripts/development/development-secrets.ts';
import { startStack, type Stack } from '../scripts/development/stack.ts';

const USAGE = `npm run test:fuzz -- [--as WHOM] [--examples N] [--seed N] [--record]

Runs schemathesis over the OpenAPI document of a stack of its own: all checks, all phases, every operation, while payers
pay, fail and cancel what it creates. Exit 0 only if nothing failed, each check had something to judge, each operation
answered 2xx and got its examples, and the ledger verifies afterwards.

  --as WHOM     who calls: applications (unless given), operators, ownpay or shadhinpay, the last two by their own documents;
                or pages: hostile requests to every page that payers see, made by us, since pages have no document
  --examples N  cases for each operation in the fuzzing phase, 50 unless given; 1000 is the long form
  --seed N      makes the same cases again; printed`;

const { values } = parseArgs({
  options: {
    as: { type: 'string', default: 'applications' },
    examples: { type: 'string', default: '50' },
    seed: { type: 'string', default: '20261121' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const DEMO_STORES = 'lenden_test:lenden_test@ssl,lenden_live:lenden_live@ssl';
const ROOT = resolve(import.meta.dirname, '..');
const KEPT = join(ROOT, '.lenden', 'fuzz');
const Document = z.object({ paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))) });
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stop.abort());
}
const directory = makeStackDirectory('lenden-fuzz-');
let stack: Stack | undefined;
try {
  if (values.help) {
    console.log(USAGE);
  } else {
    process.exitCode = await main();
  }
} catch (error) {
  console.error(`The contract could not be fuzzed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
} finally {
  await stack?.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function main(): Promise<number> {
  const examples = wholeNumber('examples', values.examples, 100_000);
  const seed = wholeNumber('seed', values.seed, 2 ** 31);
  console.log(`Seed ${seed}, ${examples} examples an operation.`);
  if (values.as === 'pages') {
    return underPages({ seed, examples });
  }
  const program = await withProgress('Installing schemathesis', {
    work: installSchemathesis(KEPT),
    say: console.error,
  });
  const dev = await start();
  const [fuzzed, neighbour] = await withStore(dev, registerPeers);
  const subject = await subjectOf(dev, [fuzzed, neighbour]);
  const document = new URL(subject.document, dev.api).href;
  const operations = await operationsOf(document, subject);
  const visitors = await sendVisitors({ dev, applicationId: fuzzed.applicationId });
  const fresh = await keepFresh(dev);
  const logo = await openLogoServer();
  const findings = await fuzz({
    program,
    directory,
    document,
    subject,
    logoUrl: logo.url,
    examples,
    seed,
    say: console.error,
    signal: stop.signal,
  }).finally(() => logo.close());
  const visits = await visitors.leave();
  await fresh.leave();
  const ledger = await verifyLedger();
  keep(findings);
  const fuzzing = { ...findings, operations, examples, subject };
  const problems = [...problemsOf(fuzzing), ...(ledger.exitCode === 0 ? [] : [`the ledger: ${ledger.words}`])];
  report({ findings, problems, operations, visits, subject });
  if (problems.length === 0) {
    record({ findings, operations, examples, visits, subject, ledger: ledger.words });
  }
  return problems.length === 0 ? 0 : 1;
}

async function start(): Promise<DevFile> {
  // Trusts one proxy, so that each request can have its own address: limits by address are not under test.
  const environment = {
    ...process.env,
    LENDEN_TRUSTED_PROXIES: '1',
    LENDEN_LOG_LEVEL: 'info',
    // The store in the contract's own example, so that the gateway knows it.
    SIMULATORS_SSLCOMMERZ_STORES: `${DEMO_STORES},storefrontlive:one that the gateway gave`,
  };
  stack = await startStack({ directory, ports: 'free', environment, say: console.error, signal: stop.signal });
  return stack.dev;
}

/** Fuzzes the pages. They have no OpenAPI document, so the requests are generated here. */
async function underPages({ seed, examples }: { seed: number; examples: number }): Promise<number> {
  const dev = await start();
  const [shop] = await withStore(dev, registerPeers);
  const subjects = await openPageSubjects(dev, shop);
  const count = examples * allPages().length;
  const fuzzing = fuzzPages({ web: dev.web, subjects, seed, count, signal: stop.signal });
  const findings = await withProgress('Fuzzing', { work: fuzzing, say: console.error });
  const ledger = await verifyLedger();
  keepLogs();
  const problems = [
    ...problemsOfPages(findings, count),
    ...(ledger.exitCode === 0 ? [] : [`the ledger: ${ledger.words}`]),
  ];
  const table = tableOfPages(findings);
  printTable(table);
  console.log(`\n${findings.requests} requests, seed ${seed}`);
  for (const problem of problems) {
    console.log(`PROBLEM  ${problem}`);
  }
  console.log(problems.length === 0 ? 'No failure.' : 'FAILED.');
  if (problems.length === 0) {
    writeResult(
      {
        name: 'fuzz-pages',
        page: 'proofs',
        order: 44,
        title: 'The pages under fire',
        command: `npm run test:fuzz -- --as pages --examples ${examples} --seed ${seed}`,
        at: new Date().toISOString(),
        machine: describeMachine(),
        summary: [
          `${findings.requests} requests with hostile paths, queries, forms, cookies and headers to the pages of a running stack, half of them to payments and ` +
            'invoices that exist. No answer was 5xx, told of our internals, led elsewhere, lacked its Content-Security-Policy or let a text become markup; ' +
            'afterwards the ledger verified against the gateway.',
        ],
        tables: [table],
        data: { seed, examples, statuses: findings.statuses, ledger: ledger.words.split('\n') },
      },
      { record: values.record },
    );
  }
  return problems.length === 0 ? 0 : 1;
}

async function withStore<Result>(dev: DevFile, work: (store: ApplicationStore) => Promise<Result>): Promise<Result> {
  const database = await openDatabase({ url: dev.databaseUrl, poolSize: 2 });
  try {
    return await work({ database, secrets: createSecretBox(readOrMakeMasterKey(directory)) });
  } finally {
    await database.close();
  }
}

/** Sets a limit above what the machine can send, because the rate limit itself is tested elsewhere. */
async function registerPeers(store: ApplicationStore): Promise<[Registration, Registration]> {
  const settings = { rateLimitPerMinute: 1_000_000, receiptsEnabled: true };
  return [
    await registerApplication(store, { ...settings, name: 'Fuzzed shop' }),
    await registerApplication(store, { ...settings, name: 'Neighbour' }),
  ];
}

async function subjectOf(dev: DevFile, peers: readonly [Registration, Registration]): Promise<Subject> {
  const [fuzzed, neighbour] = peers;
  switch (values.as) {
    case 'applications':
      return applications([fuzzed.test, neighbour.test]);
    case 'operators':
      return operators(await openOperators(dev, peers));
    case 'ownpay':
    case 'shadhinpay': {
      const name = values.as;
      return contract(await withStore(dev, (store) => openShops(name, { store, api: dev.api, peers })));
    }
    default:
      throw new Error(`--as is applications, operators, ownpay, shadhinpay or pages, not "${values.as}"`);
  }
}

async function operationsOf(document: string, subject: Subject): Promise<string[]> {
  const { paths } = Document.parse(await (await fetch(document)).json());
  return Object.entries(paths)
    .filter(([path]) => subject.calls(path))
    .flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([, { operationId }]) => subject.leftOut[operationId] === undefined)
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    );
}

/** Runs the command as a person would. It queries the gateway for every charge. */
function verifyLedger(): Promise<{ exitCode: number; words: string }> {
  const script = join(ROOT, 'scripts', 'commands', 'verify.ts');
  const limits = { timeout: 300_000, signal: stop.signal };
  return new Promise((settle) => {
    execFile(process.execPath, [script, '--ask', '--directory', directory], limits, (error, stdout, stderr) => {
      settle({ exitCode: error === null ? 0 : 1, words: `${stdout}${stderr}`.trimEnd() });
    });
  });
}

/** Keeps what is needed to reproduce a failure. The stack's files are deleted. */
function keep({ logFile }: FuzzFindings): void {
  keepLogs();
  copyFileSync(logFile, join(KEPT, 'last.log'));
}

function keepLogs(): void {
  mkdirSync(KEPT, { recursive: true });
  for (const name of ['api', 'worker']) {
    copyFileSync(join(directory, 'logs', `${name}.log`), join(KEPT, `last-${name}.log`));
  }
}

interface Reported {
  readonly findings: FuzzFindings;
  readonly problems: readonly string[];
  readonly operations: readonly string[];
  readonly visits: Readonly<Record<string, number>>;
  readonly subject: Subject;
}

function report({ findings, problems, operations, visits, subject }: Reported): void {
  for (const table of tablesOf({ ...findings, operations, subject })) {
    printTable(table);
  }
  const { report: told } = findings;
  console.log(
    `\n${told.test_cases.generated} cases in ${Math.round(told.running_time)} s, seed ${told.seed}; payers: ${inWords(visits)}`,
  );
  const warnings = Object.entries(told.warnings).filter(([, where]) => where.length > 0);
  for (const [kind, where] of warnings) {
    console.log(`warning  ${kind}: ${where.map(String).join(', ')}`);
  }
  for (const problem of problems) {
    console.log(`PROBLEM  ${problem}`);
  }
  console.log(problems.length === 0 ? 'No failure.' : `FAILED. ${join('.lenden', 'fuzz', 'last.log')} has each case.`);
}

function printTable({ caption, columns, rows }: ResultTable): void {
  console.log(`\n${caption}`);
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)));
  for (const row of [columns, ...rows]) {
    console.log(`  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd());
  }
}

interface Recorded {
  readonly findings: FuzzFindings;
  readonly operations: readonly string[];
  readonly examples: number;
  readonly visits: Readonly<Record<string, number>>;
  readonly subject: Subject;
  readonly ledger: string;
}

function record({ findings, operations, examples, visits, subject, ledger }: Recorded): void {
  const { report: told, counts } = findings;
  const { name, as, order, title, without, generator } = PAGE_PARTS[subject.name];
  const leftOut = Object.entries(subject.leftOut).map(([id, why]) => `${id} (${why})`);
  const command = `npm run test:fuzz -- ${as}--examples ${examples} --seed ${told.seed}`;
  writeResult(
    {
      name,
      page: 'proofs',
      order,
      title,
      command,
      at: new Date().toISOString(),
      machine: describeMachine(),
      summary: [
        `Schemathesis ${told.schemathesis_version} over the OpenAPI document that a running stack serves: ${told.test_cases.generated} cases on ` +
          `${operations.length} operations in the phases examples, coverage, fuzzing and stateful, ${without}` +
          (leftOut.length === 0 ? '. ' : `; not called: ${leftOut.join(', ')}. `) +
          `0 failures. Meanwhile payers acted on what was created (${inWords(visits)}), and afterwards the ledger verified against the gateway.`,
        'A check runs on every answer but judges only some, so both are counted; one that judges nothing fails the run, unless the contract has ' +
          `nothing that it is about. What no schema can say is told to the generator: ${generator}`,
      ],
      tables: tablesOf({ counts, operations, subject }),
      data: { seed: told.seed, examples, seconds: told.running_time, counts, visits, ledger: ledger.split('\n') },
    },
    { record: values.record },
  );
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new Error(`--${name} is a whole number from 1 to ${max}, not "${text}"`);
  }
  return value;
}

function inWords(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, value]) => `${value} ${name}`)
    .join(', ');
}
