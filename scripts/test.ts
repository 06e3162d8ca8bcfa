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
 * `npm test -- [jest's arguments]`: one Postgres and one Temporal for the whole run, on free ports and on data that is
 * thrown away; a migrated template database; then jest. Fails as well when a test left a process behind.
 */
async function main(): Promise<number> {
  const directory = makeScratchDirectory('lenden-test-');
  // Postgres, when it has to run as another account, must be able to walk to its data.
  chmodSync(directory, 0o755);
  // Every process of this run inherits the mark; whatever still carries it at the end was left behind.
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
  // Tests wait for servers and timers as much as they compute: one worker more than there are processors.
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
