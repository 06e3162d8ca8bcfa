import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcess, identifyProcess, type ProcessIdentity } from './processes.ts';

/** A child process of this launcher. Its output goes to a file, so no one has to read a pipe. */
export interface Child {
  readonly name: string;
  readonly identity: ProcessIdentity;
  readonly logFile: string;
  /** Where this run's output begins in the log. */
  readonly logStart: number;
  /** Resolves with a short description once the process has ended for any reason. */
  readonly exited: Promise<string>;
  hasExited(): boolean;
  /** Asks the process to stop, waits for its grace period, then kills it. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ChildCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logFile: string;
  readonly stopSignal: NodeJS.Signals;
  readonly graceMs: number;
  /** How the process learns that its starter died: a Node program through its channel, any other through a separate watcher. */
  readonly lifeline: 'channel' | 'watcher';
  /** Runs the process as another account. Only root can do this. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
}

const LOG_LIMIT_BYTES = 20 * 1024 * 1024;

/** Starts a process in its own session, so that Ctrl-C in the terminal reaches only the launcher, which stops the children in the right order. */
export async function startChild(command: ChildCommand): Promise<Child> {
  const log = openLog(command.logFile);
  const process = spawn(command.command, command.args, {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: command.lifeline === 'channel' ? ['ignore', log.fd, log.fd, 'ipc'] : ['ignore', log.fd, log.fd],
    ...command.account,
  });
  closeSync(log.fd);
  let ended = false;
  const exited = exitOf(process).finally(() => (ended = true));
  const identity = process.pid === undefined ? undefined : await identifyProcess(process.pid);
  if (identity === undefined) {
    throw new Error(`${command.name} exited immediately: ${await exited}\n${tailOf(command.logFile, log.start)}`);
  }
  const watcher = command.lifeline === 'watcher' ? watchOver(identity, command.stopSignal) : undefined;
  process.once('exit', () => watcher?.kill('SIGKILL'));
  return {
    name: command.name,
    identity,
    logFile: command.logFile,
    logStart: log.start,
    exited,
    hasExited: () => ended,
    async stop() {
      if (!ended) {
        await endProcess(identity, { signal: command.stopSignal, graceMs: command.graceMs });
      }
      await exited;
    },
  };
}

/** Waits until this run of the child has logged `text`. Returns false if the child ended, the time is up or the stack is being stopped. */
export async function waitForLogText(
  child: Child,
  { text, timeoutMs, stopped }: { text: string; timeoutMs: number; stopped: AbortSignal },
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!readFileSync(child.logFile).subarray(child.logStart).includes(text)) {
    if (child.hasExited() || stopped.aborted || Date.now() > deadline) {
      return false;
    }
    await sleep(50);
  }
  return true;
}

/** Returns the last lines of this run of the child, to show after a failure. */
export function lastWords(child: Child): string {
  return tailOf(child.logFile, child.logStart);
}

function tailOf(logFile: string, start: number): string {
  return readFileSync(logFile).subarray(start).toString('utf8').trimEnd().split('\n').slice(-15).join('\n');
}

function openLog(logFile: string): { fd: number; start: number } {
  mkdirSync(dirname(logFile), { recursive: true });
  let start = sizeOf(logFile);
  if (start > LOG_LIMIT_BYTES) {
    renameSync(logFile, `${logFile}.1`);
    start = 0;
  }
  return { fd: openSync(logFile, 'a', 0o600), start };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Starts a watcher for a program that cannot notice the death of its starter by itself. The watcher is a shell that reads from a pipe of the starter:
 * when the starter dies for any reason, the pipe closes and the shell passes on the stop signal.
 */
function watchOver(identity: ProcessIdentity, signal: NodeJS.Signals): ChildProcess {
  const script = 'read -r _; kill -s "$1" "$2" 2>/dev/null';
  const watcher = spawn('/bin/sh', ['-c', script, 'lifeline', signal.slice('SIG'.length), String(identity.pid)], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => undefined);
  watcher.stdin?.on('error', () => undefined);
  watcher.unref();
  return watcher;
}

function exitOf(process: ChildProcess): Promise<string> {
  return new Promise((settle) => {
    process.once('error', (error) => settle(error.message));
    process.once('exit', (code, signal) => settle(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}
