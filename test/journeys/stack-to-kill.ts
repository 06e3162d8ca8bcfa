import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRunningStack, type DevFile } from '../../scripts/development/dev-file.ts';
import { choosePorts } from '../../scripts/development/stack-environment.ts';
import { launch, untilUp } from '../support/launched-stack.ts';

/** `npm start` with its own servers. All of it can be killed and started again on the same data and ports. */
export interface StackToKill {
  readonly directory: string;
  /** Returns the current state. A restarted process has another pid. */
  dev(): Promise<DevFile>;
  /** Kills every process with SIGKILL, the launcher first so that it restarts nothing. */
  killAll(): Promise<void>;
  startAgain(): Promise<DevFile>;
  /** Returns the launcher's output so far. */
  output(): string;
  remove(): Promise<void>;
}

export async function startStackToKill(): Promise<StackToKill> {
  const directory = mkdtempSync(join(tmpdir(), 'lenden-kill-'));
  // Postgres may run as another account, which must be able to enter this directory.
  chmodSync(directory, 0o755);
  const { api, web, simulators, smtp, postgres, temporal, temporalUi } = await choosePorts('free', {});
  // A gateway calls back to the address at which the checkout was opened, so the addresses must stay the same after a restart. No stack takes the
  // documented ports, which another one that starts at the same time would take as well.
  const ports = {
    LENDEN_API_PORT: String(api),
    LENDEN_WEB_PORT: String(web),
    SIMULATORS_PORT: String(simulators),
    SIMULATORS_SMTP_PORT: String(smtp),
    LENDEN_POSTGRES_PORT: String(postgres),
    LENDEN_TEMPORAL_PORT: String(temporal),
    LENDEN_TEMPORAL_UI_PORT: String(temporalUi),
  };
  let launcher = launch(directory, ports);
  await untilUp(launcher, directory);
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
      launcher = launch(directory, ports);
      return untilUp(launcher, directory);
    },
    async remove() {
      launcher.process.kill('SIGTERM');
      await launcher.exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // The process ended together with another one.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) {
      throw error;
    }
  }
}
