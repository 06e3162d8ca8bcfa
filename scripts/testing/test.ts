import '../shared/lifeline.ts';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Child } from '../shared/child.ts';
import { findLeftovers } from './leftovers.ts';
import { endProcess } from '../shared/processes.ts';
import { makeScratchDirectory } from './scratch-directory.ts';
import { buildDashboard } from '../../web/admin/build.ts';
import { startTestServers } from './test-servers.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const say = (line: string): void => console.error(line);

/** Long tests only. */
const LONG = 'test/e2e/';
/** Everything in these files runs among the long tests, and one of each kind otherwise (`test/support/long.ts`). */
const PARTLY_LONG = [
  'test/api/admin/tampered-lists.test.ts',
  'test/core/reconciliation/stories.test.ts',
  'test/journeys/',
  'test/scripts/commands/restore-command.test.ts',
  'test/scripts/development/postgres.test.ts',
  'test/scripts/development/start.test.ts',
  'test/web/browser.test.ts',
  'test/web/payable/browser.test.ts',
  'test/workflows/invoice.test.ts',
];

process.exitCode = await main();

/**
 * Runs `npm test -- [jest's arguments]`, and `npm run test:e2e` for the long tests. Starts one Postgres and one Temporal for the whole run, on free
 * ports and on data that is thrown away, migrates a template database, then runs jest. Fails as well when a test leaves a process behind.
 */
async function main(): Promise<number> {
  const directory = makeScratchDirectory('lenden-test-');
  // If Postgres runs as another account, that account needs access to its data directory.
  chmodSync(directory, 0o755);
  // Every process of this run inherits the mark. Processes that still have it at the end were left running by a test.
  const mark = randomBytes(8).toString('hex');
  process.env['LENDEN_TEST_RUN'] = mark;
  const servers: Child[] = [];
  const stop = listenForStop();
  try {
    const [environment] = await Promise.all([startTestServers({ directory, servers, say }), buildDashboard()]);
    return stop.aborted ? 130 : Math.max(await runJest(environment, stop), await endLeftovers({ mark, servers }));
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return stop.aborted ? 130 : 1;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Jest's arguments: the files that are named; otherwise the long tests with `--e2e`, and all others without. */
function selection(args: readonly string[], long: boolean): string[] {
  if (args.some((arg) => arg.includes('test/'))) {
    return [...args];
  }
  return long ? [...args, LONG, ...PARTLY_LONG] : [...args, `--testPathIgnorePatterns=/${LONG}`];
}

function runJest(environment: Record<string, string>, stop: AbortSignal): Promise<number> {
  const jest = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const args = process.argv.slice(2);
  const long = args.includes('--e2e');
  const selected = selection(
    args.filter((arg) => arg !== '--e2e'),
    long,
  );
  // Tests wait for servers and timers as much as they compute, so there is one worker more than processors.
  const workers = `--maxWorkers=${availableParallelism() + 1}`;
  const child = spawn(process.execPath, [...jest, workers, ...selected], {
    cwd: ROOT,
    env: { ...process.env, ...environment, ...(long ? { LENDEN_TEST_EVERYTHING: '1' } : {}) },
    stdio: 'inherit',
  });
  stop.addEventListener('abort', () => child.kill('SIGTERM'));
  return new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => settle(stop.aborted ? 130 : (code ?? 1)));
  });
}

async function endLeftovers({ mark, servers }: { mark: string; servers: readonly Child[] }): Promise<number> {
  const leftovers = await findLeftovers({ mark, ours: servers.map((server) => server.identity.pid) });
  for (const { identity, command } of leftovers) {
    say(`A test left this process behind: ${identity.pid} ${command}`);
  }
  await Promise.all(leftovers.map(({ identity }) => endProcess(identity, { signal: 'SIGTERM', graceMs: 3_000 })));
  return leftovers.length === 0 ? 0 : 1;
}

function listenForStop(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort());
  }
  return stop.signal;
}
