import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startChild, waitForLogText, type Child } from '../../scripts/shared/child.ts';
import { findFreePort } from '../../scripts/shared/ports.ts';
import { WORKER_FLAGS } from '../../scripts/shared/worker-flags.ts';
import type { MeasuredStack } from '../measured-stack.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const READY_TIMEOUT_MS = 60_000;

/** Starts one more worker beside the stack's own. */
export async function startWorker(stack: MeasuredStack, number: number): Promise<Child> {
  return startReplica(stack, { of: 'worker', number, flags: WORKER_FLAGS, environment: {} });
}

/** Starts one more api beside the stack's own. Returns it with its base URL. */
export async function startApi(
  stack: MeasuredStack,
  number: number,
): Promise<{ readonly child: Child; readonly url: string }> {
  const port = await findFreePort([]);
  const environment = { LENDEN_API_PORT: String(port), LENDEN_WEB_PORT: String(await findFreePort([])) };
  const child = await startReplica(stack, { of: 'api', number, flags: [], environment });
  const url = new URL(stack.dev.api);
  url.port = String(port);
  return { child, url: url.href };
}

interface Replica {
  readonly of: 'api' | 'worker';
  readonly number: number;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** The replica has the environment of the process that it repeats: the same logins, keys and servers. */
async function startReplica(stack: MeasuredStack, { of, number, flags, environment }: Replica): Promise<Child> {
  const name = `${of}-${number}`;
  const child = await startChild({
    name,
    command: process.execPath,
    args: [...flags, '--import', join(ROOT, 'scripts/shared/lifeline.ts'), join(ROOT, of, 'main.ts')],
    env: { ...environmentOf(stack.dev.processes[of] ?? 0), ...environment },
    cwd: ROOT,
    logFile: join(stack.directory, 'logs', `${name}.log`),
    stopSignal: 'SIGTERM',
    graceMs: 25_000,
    lifeline: 'channel',
  });
  const stopped = new AbortController().signal;
  if (!(await waitForLogText(child, { text: `${of} ready`, timeoutMs: READY_TIMEOUT_MS, stopped }))) {
    await child.stop();
    throw new Error(`${name} does not become ready`);
  }
  return child;
}

function environmentOf(pid: number): NodeJS.ProcessEnv {
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  const pairs = variables.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]);
  // Node's own channel to its starter.
  return Object.fromEntries(pairs.filter(([name]) => name?.startsWith('NODE_CHANNEL') !== true));
}
