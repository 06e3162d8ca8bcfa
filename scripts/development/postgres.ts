import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { lastWords, startChild, type Child } from '../shared/child.ts';
import { findPostgresHome, type PostgresHome } from './postgres-binaries.ts';
import { endProcess, identifyProcess } from '../shared/processes.ts';

export interface EmbeddedPostgres {
  readonly child: Child;
  /** The owner's connection string, including the password. */
  readonly url: string;
  readonly port: number;
}

export interface PostgresSettings {
  /** Holds the cluster (`data`) and the owner's password. */
  readonly directory: string;
  readonly port: number;
  /** Created together with the cluster. */
  readonly database: string;
  readonly logFile: string;
}

const START_TIMEOUT_MS = 30_000;

/**
 * Starts a PostgreSQL server from the npm package, on the loopback interface only. Creates the cluster the first time, recovers it after the server
 * was killed, and stops a previous server that still uses it.
 */
export async function startPostgres(settings: PostgresSettings): Promise<EmbeddedPostgres> {
  const home = findPostgresHome(settings.directory);
  const data = join(home.directory, 'data');
  mkdirSync(home.directory, { recursive: true, mode: 0o755 });
  if (existsSync(data)) {
    await endFormerServer(data);
  } else {
    await makeCluster({ home, data, settings });
  }
  const password = await ownerPassword({ home, data });
  const child = await runServer({ home, data, settings });
  return {
    child,
    url: `postgresql://postgres:${password}@127.0.0.1:${settings.port}/${settings.database}`,
    port: settings.port,
  };
}

/** Builds the cluster in a staging directory and then renames it, so that an interruption leaves no incomplete cluster. */
async function makeCluster({ home, data, settings }: { home: PostgresHome; data: string; settings: PostgresSettings }) {
  const staging = `${data}.new`;
  const passwordFile = join(home.directory, 'password.new');
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { mode: 0o700 });
  writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  if (home.account !== undefined) {
    chownSync(staging, home.account.uid, home.account.gid);
    chownSync(passwordFile, home.account.uid, home.account.gid);
  }
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const auth = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  await promisify(execFile)(join(home.bin, 'initdb'), ['-D', staging, ...auth, ...locale], options(home));
  await runAlone({ home, data: staging, sql: `create database "${settings.database}"` });
  renameSync(passwordFile, join(home.directory, 'password'));
  renameSync(staging, data);
}

/** Returns the owner's password, which is stored next to the cluster. A lost password is replaced, because the current user owns the files anyway. */
async function ownerPassword({ home, data }: { home: PostgresHome; data: string }): Promise<string> {
  const file = join(home.directory, 'password');
  if (existsSync(file)) {
    return readFileSync(file, 'utf8').trim();
  }
  const password = randomBytes(24).toString('hex');
  await runAlone({ home, data, sql: `alter role postgres password '${password}'` });
  writeFileSync(file, password, { mode: 0o600 });
  return password;
}

/** Runs one statement on a cluster while no server uses it. */
async function runAlone({ home, data, sql }: { home: PostgresHome; data: string; sql: string }): Promise<void> {
  const child = spawn(join(home.bin, 'postgres'), ['--single', '-D', data, 'postgres'], {
    ...options(home),
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  child.stdin.end(`${sql}\n`);
  const code = await new Promise<number | null>((settle, fail) => {
    child.once('close', settle);
    child.once('error', fail);
  });
  if (code !== 0 || /^.*\b(ERROR|FATAL):/m.test(complaints)) {
    throw new Error(`Postgres could not prepare its cluster: ${complaints.trim()}`);
  }
}

async function runServer({ home, data, settings }: { home: PostgresHome; data: string; settings: PostgresSettings }) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const child = await startChild({
      name: 'postgres',
      command: join(home.bin, 'postgres'),
      args: ['-D', data, '-p', String(settings.port), ...serverSettings()],
      ...options(home),
      logFile: settings.logFile,
      stopSignal: 'SIGINT',
      graceMs: 20_000,
      lifeline: 'watcher',
      account: home.account,
    });
    if (await waitUntilReady({ child, data, deadline })) {
      return child;
    }
    const words = lastWords(child);
    await child.stop();
    // Sessions of a killed server hold its shared memory until they notice, which takes a moment.
    if (!words.includes('shared memory block') || Date.now() > deadline) {
      throw new Error(`Postgres did not start:\n${words}`);
    }
    await sleep(100);
  }
}

function serverSettings(): string[] {
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'logging_collector=off',
  ];
  return settings.flatMap((setting) => ['-c', setting]);
}

/** The server writes its state to the eighth line of its pid file, so no connection is needed to read it. */
async function waitUntilReady({ child, data, deadline }: { child: Child; data: string; deadline: number }) {
  while (!child.hasExited() && Date.now() < deadline) {
    const lines = pidFileLines(data);
    if (lines[0] === String(child.identity.pid) && lines[7] === 'ready') {
      return true;
    }
    await sleep(10);
  }
  return false;
}

/**
 * Stops the previous server of this cluster and neutralizes its pid file, which outlives a kill -9. If the pid's process is a server on this cluster,
 * it is stopped. Otherwise the pid may now belong to another program or to a zombie, and Postgres would take either for a running server. Writing
 * this process's own pid helps: Postgres sees its parent's pid and treats the file as stale. The rest of the file must stay, because Postgres uses it
 * to find sessions of the dead server that still write.
 */
async function endFormerServer(data: string): Promise<void> {
  const pid = Number(pidFileLines(data)[0]);
  const identity = Number.isInteger(pid) && pid > 0 ? await identifyProcess(pid) : undefined;
  if (identity !== undefined && (await commandLineOf(pid)).includes(data)) {
    await endProcess(identity, { signal: 'SIGINT', graceMs: 20_000 });
  }
  const [, ...rest] = pidFileLines(data);
  if (rest.length > 0) {
    writeFileSync(join(data, 'postmaster.pid'), [String(process.pid), ...rest].join('\n'));
  }
}

function pidFileLines(data: string): string[] {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8')
      .split('\n')
      .map((line) => line.trim());
  } catch {
    return [];
  }
}

async function commandLineOf(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    }
    return (await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)])).stdout;
  } catch {
    return '';
  }
}

function options(home: PostgresHome) {
  return { cwd: '/', env: { ...process.env, LC_ALL: 'C' }, ...home.account };
}
