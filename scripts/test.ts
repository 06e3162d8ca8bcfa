import './lifeline.ts';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Child } from './child.ts';
import { findLeftovers } from './leftovers.ts';
import { endProcess } from './processes.ts';
import { makeScratchDirectory } from './scratch-directory.ts';
import { startTestServers } from './test-servers.ts';

const ROOT = resolve(import.meta.dirname, '..');
const say = (line: string): void => console.error(line);

process.exitCode = await main();

/**
 * `npm test -- [jest's arguments]` starts one Postgres and one Temporal for the whole run, on free ports and with temporary data, creates a migrated
 * template database, and then runs jest. It also fails if a test left a process running.
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
    const environment = await startTestServers({ directory, servers, say });
    return stop.aborted ? 130 : Math.max(await runJest(environment, stop), await endLeftovers({ mark, servers }));
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return stop.aborted ? 130 : 1;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

function runJest(environment: Record<string, string>, stop: AbortSignal): Promise<number> {
  const jest = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  // Tests wait for servers and timers as much as they compute, so there is one worker more than processors.
  const workers = `--maxWorkers=${availableParallelism() + 1}`;
  const child = spawn(process.execPath, [...jest, workers, ...process.argv.slice(2)], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
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
