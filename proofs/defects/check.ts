import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** The result of a check on a tree. */
export interface Outcome {
  readonly passed: boolean;
  /** The names of what the check found broken. Also empty if the check could not run. */
  readonly failed: readonly string[];
  /** The end of the check's output, to help find the cause. */
  readonly lastWords: string;
}

export interface Check {
  /** The command as a developer would type it. Checks with the same command are the same check. */
  readonly command: string;
  /** Takes seconds and needs no servers. */
  readonly quick: boolean;
  run(tree: string, stop: AbortSignal): Promise<Outcome>;
}

const LAST_WORDS_CHARACTERS = 1_500;

/** Runs simulated stories on a fake clock. Names are judges. It stops at the first seed that fails. */
export function simulation(seeds: number): Check {
  return {
    command: `npm run test:sim -- --seeds ${seeds}`,
    quick: true,
    async run(tree, stop) {
      const options = ['--seeds', String(seeds), '--failures', '1', '--unpinned'];
      const end = await runNode(['proofs/simulation.ts', ...options], { tree, stop, timeoutMs: 300_000 });
      return outcomeOf(end, namesIn(end.output, /^VIOLATION (\S+) seed=/gm));
    },
  };
}

export interface FaultRound {
  readonly seed: number;
  readonly round: number;
  /** If set, every fault of the round is of this kind, so that its effect is certain to occur. */
  readonly onlyDial?: string;
}

/** Runs one round of the fault harness on real processes. Names are invariants. */
export function faults({ seed, round, onlyDial }: FaultRound): Check {
  const dial = onlyDial === undefined ? [] : ['--only-dial', onlyDial];
  const options = ['--seed', String(seed), '--round', String(round), ...dial];
  return {
    command: `npm run test:faults -- ${options.join(' ').replace(/\S*>\S*/, "'$&'")}`,
    quick: false,
    async run(tree, stop) {
      const end = await runNode(['proofs/faults.ts', ...options], { tree, stop, timeoutMs: 300_000 });
      return outcomeOf(end, namesIn(end.output, /^VIOLATION (\S+) round /gm));
    },
  };
}

/** Runs one test file that needs no servers. Names are the full names of tests. */
export function testFile(file: string): Check {
  const jest = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  return { command: `npm test -- ${file}`, quick: true, run: (tree, stop) => runJest([...jest, file], { tree, stop }) };
}

/** Runs one test file with the Postgres and Temporal that `npm test` starts. */
export function testFileWithServers(file: string): Check {
  return {
    command: `npm test -- ${file}`,
    quick: false,
    run: (tree, stop) => runJest(['scripts/bootstrap.mjs', 'scripts/testing/test.ts', file], { tree, stop }),
  };
}

/** Runs one test of such a file, for a defect with which others would wait for their time limits one after the other. */
export function testWithServers(file: string, name: string): Check {
  const options = [file, '-t', name, '--testTimeout=30000'];
  return {
    command: `npm test -- ${file} -t '${name}'`,
    quick: false,
    run: (tree, stop) => runJest(['scripts/bootstrap.mjs', 'scripts/testing/test.ts', ...options], { tree, stop }),
  };
}

/** Checks which folders may import which. Names are rules of `.dependency-cruiser.cjs`. */
export function boundaries(room: string): Check {
  return {
    command: 'npm run check:boundaries',
    quick: true,
    async run(tree, stop) {
      const cruiser = 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs';
      const end = await runNode([cruiser, '--config', '.dependency-cruiser.cjs', '--output-type', 'err', room], {
        tree,
        stop,
        timeoutMs: 120_000,
      });
      return outcomeOf(end, namesIn(end.output, /error (\S+): /g));
    },
  };
}

const JestReport = z.object({
  testResults: z.array(z.object({ assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })) })),
});

async function runJest(
  command: readonly string[],
  { tree, stop }: { readonly tree: string; readonly stop: AbortSignal },
): Promise<Outcome> {
  const report = join(tree, '.lenden', 'jest-report.json');
  mkdirSync(join(tree, '.lenden'), { recursive: true });
  rmSync(report, { force: true });
  const end = await runNode([...command, '--json', `--outputFile=${report}`], { tree, stop, timeoutMs: 300_000 });
  return outcomeOf(end, failedTests(report));
}

/** Returns an empty list if jest wrote no report, because then nothing was tested. */
function failedTests(report: string): string[] {
  try {
    const { testResults } = JestReport.parse(JSON.parse(readFileSync(report, 'utf8')));
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
    return tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
  } catch {
    return [];
  }
}

interface End {
  readonly code: number | null;
  readonly output: string;
}

/** Counts a named failure only if the process's exit code reports a failure too. */
function outcomeOf({ code, output }: End, failed: readonly string[]): Outcome {
  return {
    passed: code === 0 && failed.length === 0,
    failed: code === 0 ? [] : failed,
    lastWords: output.slice(-LAST_WORDS_CHARACTERS),
  };
}

function namesIn(output: string, pattern: RegExp): string[] {
  return [...new Set([...output.matchAll(pattern)].map(([, name = '']) => name))];
}

/** Stops the process after the timeout or on request. The process then stops whatever it had started. */
async function runNode(
  command: readonly string[],
  { tree, stop, timeoutMs }: { readonly tree: string; readonly stop: AbortSignal; readonly timeoutMs: number },
): Promise<End> {
  const {
    LENDEN_TEST_DATABASE_URL: _database,
    LENDEN_TEST_POSTGRES_LOG: _log,
    LENDEN_TEST_TEMPORAL_ADDRESS: _temporal,
    ...env
  } = process.env;
  const child = spawn(process.execPath, command, { cwd: tree, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const enough = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  const end = (): void => {
    child.kill('SIGTERM');
  };
  enough.addEventListener('abort', end);
  const code = await new Promise<number | null>((settle, fail) => {
    child.once('error', fail);
    child.once('close', settle);
  });
  enough.removeEventListener('abort', end);
  return { code, output: Buffer.concat(chunks).toString('utf8') };
}
