import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findRunningStack } from '../../scripts/development/dev-file.ts';
import { choosePorts } from '../../scripts/development/stack-environment.ts';
import { startStack, type Stack } from '../../scripts/development/stack.ts';
import { until } from '../trade/until.ts';

/** Starts stacks on different data and the same ports: a gateway calls back to the address at which a checkout was opened. */
export async function stacksOnTheSamePorts(): Promise<(directory: string) => Promise<Stack>> {
  const { api, web, simulators, smtp, postgres, temporal, temporalUi } = await choosePorts('free', {});
  const environment = {
    ...process.env,
    DATABASE_URL: '',
    TEMPORAL_ADDRESS: '',
    LENDEN_API_PORT: String(api),
    LENDEN_WEB_PORT: String(web),
    SIMULATORS_PORT: String(simulators),
    SIMULATORS_SMTP_PORT: String(smtp),
    LENDEN_POSTGRES_PORT: String(postgres),
    LENDEN_TEMPORAL_PORT: String(temporal),
    LENDEN_TEMPORAL_UI_PORT: String(temporalUi),
  };
  return (directory) => startStack({ directory, ports: 'default', environment, say: () => undefined });
}

/** Copies the data of a stack that was stopped, with its owners: Postgres may run as another account. */
export async function copyData(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to]);
}

/** Kills a process of a running stack, and waits until its launcher has started another one. */
export async function killProcess(directory: string, name: string): Promise<void> {
  const pid = await pidOf(directory, name);
  if (pid === undefined) {
    throw new Error(`the stack has no process ${name}`);
  }
  process.kill(pid, 'SIGKILL');
  await until(async () => {
    const successor = await pidOf(directory, name);
    return successor !== undefined && successor !== pid;
  });
}

async function pidOf(directory: string, name: string): Promise<number | undefined> {
  return (await findRunningStack(directory))?.processes[name];
}
