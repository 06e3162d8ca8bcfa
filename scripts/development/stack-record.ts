import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { errorCode } from '../shared/error-code.ts';
import { readPrivateJson, writePrivateJson } from '../shared/private-files.ts';
import { endProcess, identifyProcess, isRunning, type ProcessIdentity } from '../shared/processes.ts';

const identity = z.object({ pid: z.int().positive(), startedAt: z.string() });
const processList = z.record(z.string(), identity);

/** The processes of a stack, kept on disk so that the next start can end those that a killed launcher left running. */
export interface StackRecord {
  /** Records a running process. A restarted process replaces its predecessor. */
  note(name: string, process: ProcessIdentity): void;
  /** Removes a process that has finished its work. */
  forget(name: string): void;
  pids(): Record<string, number>;
  /** Called once everything has ended. */
  close(): void;
}

/** The error when another launcher that is alive owns this directory. */
export class StackIsRunningError extends Error {
  override readonly name = 'StackIsRunningError';
  readonly pid: number;
  constructor(pid: number) {
    super(`Lenden is already running here (process ${pid}).`);
    this.pid = pid;
  }
}

/**
 * Makes this process the only launcher of a directory and ends whatever a previous, killed launcher left running.
 * @throws StackIsRunningError
 */
export async function openStackRecord(directory: string): Promise<StackRecord> {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  await takeLock(directory);
  const file = join(directory, 'processes.json');
  await endOrphans(readPrivateJson(file, processList) ?? {});
  let processes: Readonly<Record<string, ProcessIdentity>> = {};
  writePrivateJson(file, processes);
  return {
    note(name, process) {
      processes = { ...processes, [name]: process };
      writePrivateJson(file, processes);
    },
    forget(name) {
      processes = Object.fromEntries(Object.entries(processes).filter(([other]) => other !== name));
      writePrivateJson(file, processes);
    },
    pids: () => Object.fromEntries(Object.entries(processes).map(([name, { pid }]) => [name, pid])),
    close() {
      rmSync(file, { force: true });
      rmSync(lockFile(directory), { force: true });
    },
  };
}

/** Returns the launcher that owns a directory, if it is alive. */
export async function findLauncher(directory: string): Promise<ProcessIdentity | undefined> {
  const owner = readLock(directory);
  return owner !== undefined && (await isRunning(owner)) ? owner : undefined;
}

async function takeLock(directory: string): Promise<void> {
  const self = await identifyProcess(process.pid);
  if (self === undefined) {
    throw new Error('Cannot read when this process started; is /proc (or ps) available?');
  }
  for (let tries = 0; tries < 10; tries += 1) {
    if (createLock(directory, self)) {
      // Two launchers may both have found a dead owner. The one whose lock is still there after a moment wins.
      await sleep(50);
      if (readLock(directory)?.startedAt === self.startedAt) {
        return;
      }
    }
    const owner = await findLauncher(directory);
    if (owner !== undefined) {
      throw new StackIsRunningError(owner.pid);
    }
    rmSync(lockFile(directory), { force: true });
  }
  throw new Error(`Could not take ${lockFile(directory)}.`);
}

function createLock(directory: string, self: ProcessIdentity): boolean {
  try {
    const fd = openSync(lockFile(directory), 'wx', 0o600);
    writeSync(fd, JSON.stringify(self));
    closeSync(fd);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

/** A lock file that a killed launcher left incomplete counts as no lock. */
function readLock(directory: string): ProcessIdentity | undefined {
  try {
    return identity.parse(JSON.parse(readFileSync(lockFile(directory), 'utf8')));
  } catch {
    return undefined;
  }
}

function lockFile(directory: string): string {
  return join(directory, 'launcher.lock');
}

/** Identifies processes only by recorded pid and start time, never by name: the machine may run other servers. */
async function endOrphans(processes: Record<string, ProcessIdentity>): Promise<void> {
  const endings = Object.entries(processes).map(([name, orphan]) =>
    name === 'postgres'
      ? endProcess(orphan, { signal: 'SIGINT', graceMs: 20_000 })
      : endProcess(orphan, { signal: 'SIGTERM', graceMs: 3_000 }),
  );
  await Promise.all(endings);
}
