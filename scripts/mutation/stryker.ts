import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { Pass } from './plan.ts';
import { MutationReport } from './score.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const require = createRequire(import.meta.url);
/** Tests of one mutant that take longer than this times what they take without it, and this long, hang. */
const TIMEOUT = { timeoutMS: 20_000, timeoutFactor: 3 };

export interface MutationRun {
  readonly pass: Pass;
  readonly environment: Readonly<Record<string, string>>;
  readonly stop: AbortSignal;
}

/** One run of Stryker; its working copy, report and memory of earlier runs are below `.lenden/mutation`. */
export async function mutate({ pass, environment, stop }: MutationRun): Promise<MutationReport> {
  const directory = join(ROOT, '.lenden', 'mutation');
  mkdirSync(directory, { recursive: true });
  const config = join(directory, `${pass.name}.json`);
  const report = join(directory, `${pass.name}-report.json`);
  writeFileSync(config, JSON.stringify(configuration(pass, { directory, report }), null, 2));
  const stryker = join(require.resolve('@stryker-mutator/core'), '..', '..', '..', 'bin', 'stryker.js');
  const child = spawn(process.execPath, [stryker, 'run', config], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  stop.addEventListener('abort', () => child.kill('SIGTERM'));
  const code = await new Promise<number | null>((settle, fail) => {
    child.once('error', fail);
    child.once('exit', settle);
  });
  if (code !== 0 || stop.aborted) {
    throw new Error(`Stryker ended with ${code} in the pass "${pass.name}"; what it said is above.`);
  }
  return MutationReport.parse(JSON.parse(readFileSync(report, 'utf8')));
}

function configuration(pass: Pass, { directory, report }: { directory: string; report: string }): object {
  return {
    mutate: pass.files,
    testRunner: 'jest',
    testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning'],
    plugins: ['@stryker-mutator/jest-runner', './scripts/mutation/ignored.mjs'],
    ignorers: ['log-text'],
    jest: { configFile: 'jest.config.js', config: { testMatch: pass.tests.map(asGlob) } },
    coverageAnalysis: 'perTest',
    concurrency: 2,
    incremental: true,
    incrementalFile: join(directory, `${pass.name}-known.json`),
    tempDirName: join(directory, 'working-copy'),
    reporters: ['progress-append-only', 'json'],
    jsonReporter: { fileName: report },
    // Types are checked by a compiler that has no interface for Stryker; there is nothing to preprocess.
    tsconfigFile: 'none',
    disableTypeChecks: false,
    ignorePatterns: ['.lenden', 'docs', 'bench', 'web', 'test/replay', 'test/web', 'test/e2e'],
    allowConsoleColors: false,
    ...TIMEOUT,
  };
}

function asGlob(test: string): string {
  return test.endsWith('.ts') ? `<rootDir>/${test}` : `<rootDir>/${test}/**/*.test.ts`;
}
