import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyProcess, type ProcessIdentity } from '../shared/processes.ts';

/** A process that outlived the test that started it. */
export interface Leftover {
  readonly identity: ProcessIdentity;
  readonly command: string;
}

const SETTLE_MS = 5_000;

/**
 * Finds the processes that have this run's mark in their environment, except this process and the servers. Processes that are ending get a few
 * seconds. Linux only: on other systems, another process's environment cannot be read.
 */
export async function findLeftovers({ mark, ours }: { mark: string; ours: readonly number[] }): Promise<Leftover[]> {
  if (process.platform !== 'linux') {
    return [];
  }
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const found = await marked({ mark, ours });
    if (found.length === 0 || Date.now() > deadline) {
      return found;
    }
    await sleep(100);
  }
}

async function marked({ mark, ours }: { mark: string; ours: readonly number[] }): Promise<Leftover[]> {
  const expected = new Set([process.pid, ...ours]);
  const leftovers: Leftover[] = [];
  for (const pid of readdirSync('/proc').map(Number)) {
    if (!Number.isInteger(pid) || expected.has(pid) || !carries(pid, mark) || belongsTo(pid, expected)) {
      continue;
    }
    const identity = await identifyProcess(pid);
    if (identity !== undefined) {
      leftovers.push({ identity, command: readProc(pid, 'cmdline').replaceAll('\0', ' ').slice(0, 200) });
    }
  }
  return leftovers;
}

function carries(pid: number, mark: string): boolean {
  return readProc(pid, 'environ').includes(`LENDEN_TEST_RUN=${mark}`);
}

/** Returns whether a process is a child or watcher of the servers, such as a Postgres session or the shell at the other end of a lifeline. */
function belongsTo(pid: number, expected: ReadonlySet<number>): boolean {
  const stat = readProc(pid, 'stat');
  const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  return expected.has(parent) && !isNode(pid);
}

function isNode(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === process.execPath;
  } catch {
    return false;
  }
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
