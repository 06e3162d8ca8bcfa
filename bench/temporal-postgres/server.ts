import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { lastWords, startChild, type Child } from '../../scripts/shared/child.ts';
import { findFreePort, waitForPort } from '../../scripts/shared/ports.ts';
import { startPostgres } from '../../scripts/development/postgres.ts';

const SOURCE = import.meta.dirname;
const CACHE = resolve(SOURCE, '..', '..', '.lenden', 'cache');
const FILES = ['main.go', 'go.mod', 'go.sum'];
const BUILD_TIMEOUT_MS = 20 * 60_000;
const START_TIMEOUT_MS = 120_000;

export interface TemporalOnPostgres {
  readonly address: string;
  readonly pids: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/**
 * Builds the server in this folder, once for each version of its files. Returns the program, or the reason why it cannot be built. The first build
 * takes several minutes and almost 2 GiB for Go's caches.
 */
export async function buildServer(say: (line: string) => void): Promise<{ program: string } | { problem: string }> {
  const hash = createHash('sha256');
  FILES.forEach((name) => hash.update(readFileSync(join(SOURCE, name))));
  const program = join(CACHE, `temporal-postgres-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) {
    return { program };
  }
  try {
    await promisify(execFile)('go', ['version']);
  } catch {
    return { problem: 'no go' };
  }
  say('throughput: building a Temporal server for Postgres (once; some minutes)');
  mkdirSync(CACHE, { recursive: true });
  const staging = `${program}.${process.pid}`;
  try {
    await promisify(execFile)('go', ['build', '-mod=readonly', '-o', staging, '.'], {
      cwd: SOURCE,
      timeout: BUILD_TIMEOUT_MS,
    });
  } catch (error) {
    return { problem: `the server could not be built (${String(error).slice(0, 300)})` };
  }
  renameSync(staging, program);
  return { program };
}

/** Starts the server on its own Postgres cluster, with fsync on. */
export async function startTemporalOnPostgres(program: string, directory: string): Promise<TemporalOnPostgres> {
  const postgres = await startPostgres({
    directory: join(directory, 'temporal-postgres'),
    port: await findFreePort([]),
    database: 'unused',
    logFile: join(directory, 'logs', 'temporal-postgres-database.log'),
  });
  try {
    const port = await findFreePort([]);
    const child = await startServer({ program, directory, port, postgres: new URL(postgres.url) });
    return {
      address: `127.0.0.1:${port}`,
      pids: { temporal: child.identity.pid, 'Temporal’s Postgres': postgres.child.identity.pid },
      async stop() {
        await child.stop();
        await postgres.child.stop();
      },
    };
  } catch (error) {
    await postgres.child.stop();
    throw error;
  }
}

async function startServer(given: { program: string; directory: string; port: number; postgres: URL }): Promise<Child> {
  const { program, directory, port, postgres } = given;
  const child = await startChild({
    name: 'temporal-postgres',
    command: program,
    args: [`--port=${port}`, `--postgres-port=${postgres.port}`, `--postgres-user=${postgres.username}`],
    env: { ...process.env, TEMPORAL_POSTGRES_PASSWORD: postgres.password },
    cwd: directory,
    logFile: join(directory, 'logs', 'temporal-postgres.log'),
    stopSignal: 'SIGTERM',
    graceMs: 15_000,
    lifeline: 'watcher',
  });
  const up = await waitForPort(
    { host: '127.0.0.1', port },
    { timeoutMs: START_TIMEOUT_MS, abandoned: () => child.hasExited() },
  );
  if (!up) {
    await child.stop();
    throw new Error(`Temporal on Postgres did not start:\n${lastWords(child)}`);
  }
  return child;
}
