import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild, type Child } from '../../../scripts/shared/child.ts';
import { endProcess, identifyProcess, isRunning } from '../../../scripts/shared/processes.ts';
import { openStackRecord, StackIsRunningError } from '../../../scripts/development/stack-record.ts';
import { supervise } from '../../../scripts/development/supervisor.ts';
import { isAlive } from '../../support/launched-stack.ts';
import { until } from '../../support/until.ts';

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
    // Otherwise a crashed process would stay down, or a stopped one would start again.
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
    // Otherwise Ctrl-C would be slow while a process crashes in a loop.
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
    // Otherwise a child could keep the launcher from ending.
    const child = await shell("trap '' TERM; while :; do sleep 0.1; done");
    await child.stop();
    expect(await child.exited).toBe('signal SIGKILL');
  });

  test('a program that does not exist is told by name', async () => {
    // Otherwise a user could not see from the message what is missing in a broken installation.
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
    // Otherwise two launchers would use the same data.
    const record = await openStackRecord(directory);
    await expect(openStackRecord(directory)).rejects.toThrow(StackIsRunningError);
    record.close();
    const next = await openStackRecord(directory);
    next.close();
    expect(existsSync(join(directory, 'processes.json'))).toBe(false);
  });

  test('the next launcher ends what a killed one left, and only that', async () => {
    // Otherwise an orphan would continue to run, or an unrelated program with a reused pid would be killed.
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
    // Otherwise Lenden could not start again after a power failure at the wrong moment.
    writeFileSync(join(directory, 'launcher.lock'), '{"pid":');
    const record = await openStackRecord(directory);
    record.close();
  });
});

describe('a process identity', () => {
  test('does not fit a later process under the same pid', async () => {
    // Otherwise an unrelated program could be signalled.
    const self = await identifyProcess(process.pid);
    expect(self).toBeDefined();
    const impostor = { pid: process.pid, startedAt: 'then' };
    expect(await isRunning(impostor)).toBe(false);
    await endProcess(impostor, { signal: 'SIGKILL', graceMs: 0 });
    expect(await identifyProcess(2 ** 22 + 1)).toBeUndefined();
  });
});
