import './lifeline.ts';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { lastWords, startChild, type Child } from './child.ts';
import { findLeftovers } from './leftovers.ts';
import { choosePorts } from './stack-environment.ts';
import { endProcess } from './processes.ts';
import { startPostgres } from './postgres.ts';
import { withProgress } from './progress.ts';
import { prepareNamespace } from './temporal-namespace.ts';
import { startTemporal } from './temporal.ts';

const ROOT = resolve(import.meta.dirname, '..');
const TEMPLATE = 'lenden_template';
const say = (line: string): void => console.error(line);

process.exitCode = await main();

/**
 * `npm test -- [jest's arguments]`: one Postgres and one Temporal for the whole run, on free ports and on data that is
 * thrown away; a migrated template database; then jest. Fails as well when a test left a process behind.
 */
async function main(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'lenden-test-'));
  // Postgres, when it has to run as another account, must be able to walk to its data.
  chmodSync(directory, 0o755);
  // Every process of this run inherits the mark; whatever still carries it at the end was left behind.
  const mark = randomBytes(8).toString('hex');
  process.env['LENDEN_TEST_RUN'] = mark;
  const servers: Child[] = [];
  const stop = listenForStop();
  try {
    const environment = await startServers({ directory, servers });
    return stop.aborted ? 130 : Math.max(await runJest(environment, stop), await endLeftovers({ mark, servers }));
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return stop.aborted ? 130 : 1;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

async function startServers({ directory, servers }: { directory: string; servers: Child[] }) {
  const ports = await choosePorts('free', process.env);
  const logFile = (name: string) => join(directory, 'logs', `${name}.log`);
  const keep = <T extends { child: Child }>(server: T): T => {
    servers.push(server.child);
    return server;
  };
  const postgres = startPostgres({
    directory: join(directory, 'postgres'),
    port: ports.postgres,
    database: TEMPLATE,
    logFile: logFile('postgres'),
  }).then(keep);
  const temporal = startTemporal({
    file: join(directory, 'temporal', 'temporal.db'),
    port: ports.temporal,
    uiPort: ports.temporalUi,
    logFile: logFile('temporal'),
    timeSkipping: true,
    say,
  }).then(keep);
  const [databaseUrl, temporalAddress] = await Promise.all([
    withProgress('Starting Postgres', { work: postgres, say }).then(async ({ url }) => {
      await migrateTemplate({ url, logFile: logFile('migrate') });
      return url;
    }),
    withProgress('Obtaining and starting Temporal', { work: temporal, say }).then(async ({ address }) => {
      await prepareNamespace({ address, namespace: 'default' });
      return address;
    }),
  ]);
  return { LENDEN_TEST_DATABASE_URL: databaseUrl, LENDEN_TEST_TEMPORAL_ADDRESS: temporalAddress };
}

async function migrateTemplate({ url, logFile }: { url: string; logFile: string }): Promise<void> {
  const migration = await startChild({
    name: 'migrate',
    command: process.execPath,
    args: [join(ROOT, 'database', 'migrate.ts')],
    env: { ...process.env, DATABASE_URL: url },
    cwd: ROOT,
    logFile,
    stopSignal: 'SIGTERM',
    graceMs: 10_000,
    lifeline: 'channel',
  });
  const ending = await migration.exited;
  if (ending !== 'exit code 0') {
    throw new Error(`The template database could not be migrated (${ending}):\n${lastWords(migration)}`);
  }
}

function runJest(environment: Record<string, string>, stop: AbortSignal): Promise<number> {
  const jest = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const child = spawn(process.execPath, [...jest, '--maxWorkers=2', ...process.argv.slice(2)], {
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
