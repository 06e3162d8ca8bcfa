import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** Returns the CPU seconds that a process and its children have used so far, or 0 if the system does not report them. */
export function cpuSecondsOf(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + ownCpuSeconds(each), 0);
}

export function cpuSecondsOfMachine(): number {
  const [, user, nice, kernel, , , irq, softirq] = readProc('stat').split('\n')[0]?.split(/\s+/).map(Number) ?? [];
  return [user, nice, kernel, irq, softirq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) / TICKS_PER_SECOND;
}

/**
 * Returns the memory of a process and its children, with shared pages divided among the processes that share them, or 0 if the system does not report
 * it.
 */
export function memoryBytesOf(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + ownMemoryBytes(each), 0);
}

function ownMemoryBytes(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readProc(`${pid}/smaps_rollup`))?.[1] ?? 0) * 1_024;
}

function ownCpuSeconds(pid: number): number {
  const text = readProc(`${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // Includes children that have ended, because Postgres starts a process for each connection.
  return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0) / TICKS_PER_SECOND;
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readProc(`${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8').trim();
  } catch {
    return '';
  }
}
