import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findRunningStack, type DevFile } from '../../scripts/dev-file.ts';
import { choosePorts } from '../../scripts/stack-environment.ts';
import { until } from '../support/until.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** `npm start` with servers of its own, that can be killed whole and started again on the same data and ports. */
export interface StackToKill {
  readonly directory: string;
  /** As it is now: a process that was started again has another pid. */
  dev(): Promise<DevFile>;
  /** kill -9 of every process, the launcher first, so that it brings nothing back. */
  killAll(): Promise<void>;
  startAgain(): Promise<DevFile>;
  /** What the launcher has said so far. */
  output(): string;
  remove(): Promise<void>;
}

export async function startStackToKill(): Promise<StackToKill> {
  const directory = mkdtempSync(join(tmpdir(), 'lenden-kill-'));
  // Postgres may run as another account, which must be able to walk to its data.
  chmodSync(directory, 0o755);
  const { api, web, simulators } = await choosePorts('free', {});
  // A gateway calls back where the checkout was opened from, so the addresses stay over a restart.
  const environment = {
    ...process.env,
    DATABASE_URL: '',
    TEMPORAL_ADDRESS: '',
    LENDEN_API_PORT: String(api),
    LENDEN_WEB_PORT: String(web),
    SIMULATORS_PORT: String(simulators),
  };
  let launcher = launch(directory, environment);
  await up(launcher, directory);
  const dev = async (): Promise<DevFile> => {
    const running = await findRunningStack(directory);
    if (running === undefined) {
      throw new Error(`no stack runs in ${directory}:\n${launcher.output()}`);
    }
    return running;
  };
  return {
    directory,
    dev,
    output: () => launcher.output(),
    async killAll() {
      const { processes } = await dev();
      const { launcher: first = 0, ...others } = processes;
      for (const pid of [first, ...Object.values(others)]) {
        kill(pid);
      }
      await launcher.exited;
    },
    async startAgain() {
      launcher = launch(directory, environment);
      await up(launcher, directory);
      return dev();
    },
    async remove() {
      launcher.process.kill('SIGTERM');
      await launcher.exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface Launcher {
  readonly process: ChildProcess;
  readonly exited: Promise<void>;
  output(): string;
}

function launch(directory: string, environment: NodeJS.ProcessEnv): Launcher {
  const child = spawn(process.execPath, ['scripts/start.ts', '--directory', directory], {
    cwd: ROOT,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return {
    process: child,
    exited: new Promise((settle) => child.once('exit', () => settle())),
    output: () => output,
  };
}

async function up(launcher: Launcher, directory: string): Promise<void> {
  await until(() => launcher.output().includes('Lenden is running') || launcher.process.exitCode !== null);
  if ((await findRunningStack(directory)) === undefined) {
    throw new Error(`the stack did not come up:\n${launcher.output()}`);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It went with one of the others.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) {
      throw error;
    }
  }
}
