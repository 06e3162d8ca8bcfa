import '../scripts/shared/lifeline.ts';
import { parseArgs } from 'node:util';
import { describeMachine, writeResult, type ResultFile } from '../scripts/repository/results/result-file.ts';
import type { Suite, SuiteOptions } from './suite.ts';
import { SUITES } from './suites.ts';

const USAGE = `npm run bench -- [SUITE…] [--quick] [--record] [options]

Measures Lenden on this machine, mostly as ratios to something bare, in turns. Timings are a report, never a verdict. Without a name: all suites.

${SUITES.map(({ name, what, minutes }) => `  ${name.padEnd(11)} ${what}\n${' '.repeat(14)}about ${minutes.full} min, ${minutes.quick} min with --quick`).join('\n')}

  --quick         fewer and shorter rounds
  --record        keeps the results in docs/results/, for docs/performance.md (then: npm run generate)
  --statements    counts: prints every SQL statement of each flow
  --accept        counts: writes what was measured into bench/budgets.json
  --profile DIR   throughput, latency: CPU profiles of api and worker`;

const say = (line: string): void => console.error(line);
const stops: (() => Promise<unknown>)[] = [];
let stopping: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // The terminal and npm may both pass on the same Ctrl-C.
  process.on(signal, () => void (stopping ??= stopAll().finally(() => process.exit(130))));
}
process.exitCode = await main().finally(stopAll);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      statements: { type: 'boolean', default: false },
      accept: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (values.help || unknown.length > 0) {
    console.log(unknown.length > 0 ? `There is no suite ${unknown.join(', ')}.\n\n${USAGE}` : USAGE);
    return values.help ? 0 : 2;
  }
  const { quick, record, statements, accept, profile } = values;
  const options: SuiteOptions = { quick, say, statements, accept, profiles: profile, keep: (stop) => stops.push(stop) };
  const wanted = SUITES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  let failed = 0;
  for (const suite of wanted) {
    failed += (await runSuite(suite, { options, record })) ? 0 : 1;
    await stopAll();
  }
  return failed === 0 ? 0 : 1;
}

/** Catches a suite's failure so that the others still run. */
async function runSuite(
  suite: Suite,
  { options, record }: { options: SuiteOptions; record: boolean },
): Promise<boolean> {
  const startedMs = performance.now();
  say(`${suite.name} …`);
  try {
    const findings = await suite.run(options);
    const result: ResultFile = {
      ...findings,
      name: `bench-${suite.name}`,
      page: 'performance',
      command: `npm run bench -- ${suite.name}${options.quick ? ' --quick' : ''}`,
      at: new Date().toISOString(),
      machine: describeMachine(),
    };
    const path = writeResult(result, { record });
    console.log(forPerson(result));
    say(`${suite.name}: ${((performance.now() - startedMs) / 60_000).toFixed(1)} min; all figures in ${path}\n`);
    return true;
  } catch (error) {
    say(
      `${suite.name} could not be measured: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return false;
  }
}

function forPerson({ title, summary, tables }: ResultFile): string {
  return [
    `\n${title}`,
    ...summary,
    ...tables.map(({ caption, columns, rows }) => `${caption}\n${aligned([columns, ...rows])}`),
  ].join('\n\n');
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

async function stopAll(): Promise<void> {
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) {
    await stop().catch((error: unknown) => say(`not stopped cleanly: ${String(error)}`));
  }
}
