import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Starts a program of the benchmarks, with its settings, and waits until it says that it is ready. */
export async function startProgram(program: URL, settings: object): Promise<ChildProcess> {
  const child = fork(program, [JSON.stringify(settings)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${program.pathname} ended with ${String(code)}`);
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  return child;
}

export async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}
