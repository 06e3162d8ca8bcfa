import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Pass } from './plan.ts';
import { MutationReport } from './score.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const require = createRequire(import.meta.url);

export interface MutationRun {
  readonly pass: Pass;
  readonly environment: Readonly<Record<string, string>>;
  /** The folder for the working copies. The caller removes it in any case. */
  readonly scratch: string;
  /** Repeats mutants whose result is known from earlier runs. */
  readonly afresh: boolean;
  readonly stop: AbortSignal;
}

/** Runs Stryker once with stryker.config.mjs. The report and the results of earlier runs are in `.lenden/mutation`. */
export async function mutate({ pass, environment, scratch, afresh, stop }: MutationRun): Promise<MutationReport> {
  const directory = join(ROOT, '.lenden', 'mutation');
  mkdirSync(directory, { recursive: true });
  const settings = { name: pass.name, mutate: pass.files, testMatch: pass.tests.map(asGlob), directory, scratch };
  const stryker = join(require.resolve('@stryker-mutator/core'), '..', '..', '..', 'bin', 'stryker.js');
  const lifeline = pathToFileURL(join(ROOT, 'scripts', 'shared', 'lifeline.ts')).href;
  const child = spawn(process.execPath, ['--import', lifeline, stryker, 'run', ...(afresh ? ['--force'] : [])], {
    cwd: ROOT,
    env: { ...process.env, ...environment, LENDEN_MUTATION_PASS: JSON.stringify(settings) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  stop.addEventListener('abort', () => child.kill('SIGTERM'));
  const code = await new Promise<number | null>((settle, fail) => {
    child.once('error', fail);
    child.once('exit', settle);
  });
  if (code !== 0 || stop.aborted) {
    throw new Error(`Stryker ended with ${code} in the pass "${pass.name}"; what it said is above.`);
  }
  const report = MutationReport.parse(JSON.parse(readFileSync(join(directory, `${pass.name}-report.json`), 'utf8')));
  // A report also contains files of earlier runs.
  return { files: Object.fromEntries(Object.entries(report.files).filter(([file]) => pass.files.includes(file))) };
}

function asGlob(test: string): string {
  return test.endsWith('.ts') ? `<rootDir>/${test}` : `<rootDir>/${test}/**/*.test.ts`;
}
