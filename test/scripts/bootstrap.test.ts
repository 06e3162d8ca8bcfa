import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until } from '../support/until.ts';

let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'lenden-bootstrap-'));
  mkdirSync(join(project, 'scripts'));
  copyFileSync(resolve(import.meta.dirname, '../../scripts/bootstrap.mjs'), join(project, 'scripts', 'bootstrap.mjs'));
  writeFileSync(join(project, 'local.ts'), 'console.log(process.argv.slice(2).join("|")); process.exitCode = 7;');
  writeFileSync(
    join(project, 'waiting.ts'),
    `import { writeFileSync } from 'node:fs';
     process.on('SIGTERM', () => {
       if (process.argv[2] !== undefined) writeFileSync(process.argv[2], '');
       process.exit(9);
     });
     setInterval(() => {}, 1000); console.log('up');`,
  );
  pin('1.0.0');
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Writes a project with one local package, so that installing it needs no network. */
function pin(version: string): void {
  mkdirSync(join(project, 'packages', 'thing'), { recursive: true });
  writeFileSync(join(project, 'packages/thing/package.json'), JSON.stringify({ name: 'thing', version }));
  const scripts = { wait: 'node scripts/bootstrap.mjs waiting.ts' };
  const dependencies = { thing: 'file:packages/thing' };
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'example', version: '1.0.0', scripts, dependencies }),
  );
  const packages = {
    '': { name: 'example', version: '1.0.0', dependencies },
    'node_modules/thing': { resolved: 'packages/thing', link: true },
    'packages/thing': { name: 'thing', version },
  };
  const lock = { name: 'example', version: '1.0.0', lockfileVersion: 3, requires: true, packages };
  writeFileSync(join(project, 'package-lock.json'), JSON.stringify(lock));
}

function bootstrap(...args: string[]) {
  return spawnSync(process.execPath, ['scripts/bootstrap.mjs', ...args], { cwd: project, encoding: 'utf8' });
}

/** Leaves nothing of a test that failed. */
function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}

describe('bootstrap', () => {
  test('on a fresh clone installs, then runs the script with its arguments and exit code', () => {
    // Otherwise on a machine with only Node and npm, a user would need more than one command.
    const { status, stdout, stderr } = bootstrap('local.ts', 'a b', '--flag');
    expect(stderr).toContain('Installing the packages');
    expect(existsSync(join(project, 'node_modules', 'thing'))).toBe(true);
    expect([stdout.trim().split('\n').at(-1), status]).toEqual(['a b|--flag', 7]);
  });

  test('does not install again what is there, and needs no npm then', () => {
    // Otherwise a second start would be slow, or fail without a network.
    const { status, stderr } = spawnSync(process.execPath, ['scripts/bootstrap.mjs', 'local.ts'], {
      cwd: project,
      encoding: 'utf8',
      env: { PATH: '/nonexistent' },
    });
    expect([status, stderr.includes('Installing')]).toEqual([7, false]);
  });

  test('installs again when the lockfile asks for another version', () => {
    // Otherwise the code would run on the old packages after a pull.
    pin('2.0.0');
    expect(bootstrap('local.ts').stderr).toContain('Installing the packages');
    expect(bootstrap('local.ts').stderr).not.toContain('Installing');
  });

  test('passes signals on', async () => {
    // Otherwise stopping npm start would leave Lenden running.
    const child = spawn(process.execPath, ['scripts/bootstrap.mjs', 'waiting.ts'], { cwd: project });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([9, null]);
  });

  test('ends when npm ends, in the background too', async () => {
    // Otherwise ending a backgrounded npm start would leave all of Lenden running.
    const file = join(project, 'ended');
    const child = spawn('npm', ['run', '--silent', 'wait', '--', file], { cwd: project, detached: true });
    try {
      await once(child.stdout, 'data');
      child.kill('SIGTERM');
      await once(child, 'exit');
      await until(() => Promise.resolve(existsSync(file)));
    } finally {
      endGroup(child.pid ?? Infinity);
    }
  });

  test('fails with the words of npm when the packages cannot be installed', () => {
    // Otherwise Lenden would run on half an installation after a broken lockfile, and the user would not learn why.
    writeFileSync(join(project, 'package-lock.json'), '{"lockfileVersion": 3, "packages": {}}');
    rmSync(join(project, 'node_modules'), { recursive: true });
    const { status, stdout, stderr } = bootstrap('local.ts');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('npm ci failed');
  });
});
