import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild, type Child } from '../../scripts/child.ts';
import { endProcess, identifyProcess, isRunning } from '../../scripts/processes.ts';
import { openStackRecord, StackIsRunningError } from '../../scripts/stack-record.ts';
import { supervise } from '../../scripts/supervisor.ts';
import { isAlive } from './launched.ts';
import { until } from '../support/until.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-supervisor-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function shell(script: string): Promise<Child> {
  return startChild({
    name: 'example',
    command: '/bin/sh',
    args: ['-c', script],
    env: process.env,
    cwd: '/',
    logFile: join(directory, 'example.log'),
    stopSignal: 'SIGTERM',
    graceMs: 500,
    lifeline: 'watcher',
  });
}

describe('supervision', () => {
  test('starts a child again after its death and not after stop', async () => {
    // Guards: a crash is healed, a stop is final.
    const said: string[] = [];
    let starts = 0;
    const supervised = await supervise({
      name: 'example',
      start: () => shell('exec sleep 60'),
      onStarted: () => (starts += 1),
      say: (line) => said.push(line),
      onGivenUp: () => undefined,
    });
    process.kill(supervised.child().identity.pid, 'SIGKILL');
    await until(() => starts === 2);
    expect(said[0]).toMatch(/example ended \(signal SIGKILL.*restarting it in 0\.2 s/);
    const { pid } = supervised.child().identity;
    await supervised.stop();
    expect(isAlive(pid)).toBe(false);
    expect(starts).toBe(2);
  });

  test('a stop during the pause before a restart does not wait for it', async () => {
    // Guards: Ctrl-C is quick while a process crashes in a loop.
    const said: string[] = [];
    const supervised = await supervise({
      name: 'example',
      start: () => shell('sleep 0.05; exit 3'),
      onStarted: () => undefined,
      say: (line) => said.push(line),
      onGivenUp: () => undefined,
    });
    await until(() => said.some((line) => line.includes('in 3.2 s')));
    const asked = Date.now();
    await supervised.stop();
    expect(Date.now() - asked).toBeLessThan(3_000);
  });

  test('a child that ignores the request to stop is killed after its grace', async () => {
    // Guards: nothing can keep the launcher from ending.
    const child = await shell("trap '' TERM; while :; do sleep 0.1; done");
    await child.stop();
    expect(await child.exited).toBe('signal SIGKILL');
  });

  test('a program that does not exist is told by name', async () => {
    // Guards: a broken installation is understood from the message.
    const attempt = startChild({
      name: 'absent',
      command: join(directory, 'no-such-program'),
      args: [],
      env: {},
      cwd: '/',
      logFile: join(directory, 'absent.log'),
      stopSignal: 'SIGTERM',
      graceMs: 500,
      lifeline: 'watcher',
    });
    await expect(attempt).rejects.toThrow(/absent exited immediately.*ENOENT/);
  });
});

describe('the record of a stack', () => {
  test('a second launcher is refused while the first is alive', async () => {
    // Guards: two launchers never share one set of data.
    const record = await openStackRecord(directory);
    await expect(openStackRecord(directory)).rejects.toThrow(StackIsRunningError);
    record.close();
    const next = await openStackRecord(directory);
    next.close();
    expect(existsSync(join(directory, 'processes.json'))).toBe(false);
  });

  test('the next launcher ends what a killed one left, and only that', async () => {
    // Guards: an orphan goes; a stranger that got the pid of a recorded process stays.
    const orphan = spawn('sleep', ['60'], { stdio: 'ignore' });
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore' });
    const recorded = {
      orphan: await identifyProcess(orphan.pid ?? 0),
      reused: { pid: stranger.pid, startedAt: 'then' },
    };
    writeFileSync(join(directory, 'processes.json'), JSON.stringify(recorded));
    writeFileSync(join(directory, 'launcher.lock'), JSON.stringify({ pid: process.pid, startedAt: 'an earlier boot' }));
    try {
      const record = await openStackRecord(directory);
      expect(isAlive(orphan.pid ?? 0)).toBe(false);
      expect(isAlive(stranger.pid ?? 0)).toBe(true);
      record.close();
    } finally {
      orphan.kill('SIGKILL');
      stranger.kill('SIGKILL');
      await once(stranger, 'exit');
    }
  });

  test('a lock that was only half written is taken over', async () => {
    // Guards: a machine that lost power at the wrong moment starts again.
    writeFileSync(join(directory, 'launcher.lock'), '{"pid":');
    const record = await openStackRecord(directory);
    record.close();
  });
});

describe('a process identity', () => {
  test('does not fit a later process under the same pid', async () => {
    // Guards: no innocent program is ever signalled.
    const self = await identifyProcess(process.pid);
    expect(self).toBeDefined();
    const impostor = { pid: process.pid, startedAt: 'then' };
    expect(await isRunning(impostor)).toBe(false);
    await endProcess(impostor, { signal: 'SIGKILL', graceMs: 0 });
    expect(await identifyProcess(2 ** 22 + 1)).toBeUndefined();
  });
});
