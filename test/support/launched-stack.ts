import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findRunningStack, type DevFile } from '../../scripts/development/dev-file.ts';
import { until } from './until.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** `npm start` as a separate process, without npm. */
export interface Launched {
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  output(): string;
}

/** Starts it on free ports, or on those of the environment. It uses its own servers, not those of the test run. */
export function launch(directory: string, ports?: NodeJS.ProcessEnv): Launched {
  const script = ['scripts/development/start.ts', '--directory', directory];
  const child = spawn(process.execPath, ports === undefined ? [...script, '--free-ports'] : script, {
    cwd: ROOT,
    env: { ...process.env, DATABASE_URL: '', TEMPORAL_ADDRESS: '', ...ports },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return {
    process: child,
    exited: new Promise((settle) => child.once('exit', settle)),
    output: () => output,
  };
}

/** Waits until the launched stack is ready. */
export async function untilUp(launched: Launched, directory: string): Promise<DevFile> {
  await until(() => launched.output().includes('Lenden is running') || launched.process.exitCode !== null);
  const dev = await findRunningStack(directory);
  if (dev === undefined) {
    throw new Error(`The stack did not come up:\n${launched.output()}`);
  }
  return dev;
}

/** Returns whether a process still runs. A zombie, which is dead but not collected, does not count. */
export function isAlive(pid: number): boolean {
  if (process.platform === 'linux') {
    const stat = existsSync(`/proc/${pid}/stat`) ? readStat(pid) : '';
    return stat !== '' && !/\) [ZX] /.test(stat);
  }
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function readStat(pid: number): string {
  try {
    return readFileSync(join('/proc', String(pid), 'stat'), 'utf8');
  } catch {
    return '';
  }
}
