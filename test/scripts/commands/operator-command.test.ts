import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { seedDemoOperators } from '../../../scripts/development/demo-operators.ts';
import { OPTIONS, readCommand, UsageError } from '../../../scripts/commands/operator-command.ts';
import { bearer, openOperatorWorld, PASSWORD, type OperatorWorld } from '../../api/admin/operator-world.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
let world: OperatorWorld;
beforeAll(async () => {
  world = await openOperatorWorld();
});
afterAll(() => world.close());

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a person does, with the password on standard input. */
function operator(args: readonly string[], password = ''): Promise<Run> {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/commands/operator.ts'), ...args], {
    env: { ...process.env, DATABASE_URL: world.api.databaseUrl },
    stdio: 'pipe',
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${password}\n`);
  return new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('close', (status) => settle({ status, ...output }));
  });
}

function logIn(email: string, password: string) {
  return world.send({ method: 'POST', path: '/auth/login', body: { email, password } });
}

describe('npm run operator', () => {
  test('makes the first operator, a Super Admin, and shows no password', async () => {
    // An installation has no default password, so somebody has to choose one.
    const run = await operator(['create', '--email', 'First@example.com', '--name', 'First'], PASSWORD);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toContain('first@example.com');
    expect(run.stdout).toContain('Super Admin');
    expect(run.stdout + run.stderr).not.toContain(PASSWORD);
    expect((await logIn('first@example.com', PASSWORD)).status).toBe(200);
    const [entry] = await world.api.sql<{ actor: string; row: unknown }>(
      `select actor, to_jsonb(a) as row from audit_logs a where action = 'operator.created'`,
    );
    expect(entry?.actor).toBe('npm run operator');
    expect(JSON.stringify(entry)).not.toMatch(/argon2|herons/);
  });

  test('refuses what the API would refuse, and stores nothing', async () => {
    // The command must follow the same rules as the API.
    const person = ['--email', 'weak@example.com', '--name', 'Weak'];
    const runs = [
      await operator(['create', ...person], 'password1234'),
      await operator(['create', ...person, '--role', 'Emperor'], PASSWORD),
      await operator(['create', ...person, '--role', 'Viewer', '--app', '999'], PASSWORD),
      await operator(['create', '--email', 'first@example.com', '--name', 'Again'], PASSWORD),
      await operator(['disable', '--email', 'first@example.com']),
      await operator(['disable', '--email', 'nobody@example.com']),
    ];
    expect(runs.map(({ status }) => status)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(runs.map(({ stderr }) => stderr).join('')).toContain('one enabled Super Admin must remain');
    const rows = await world.api.sql<{ email: string }>('select email from operators');
    expect(rows).toEqual([{ email: 'first@example.com' }]);
  });

  test('lists, disables, enables, and opens the door again to whoever lost password or phone', async () => {
    // An administrator of the server must be able to let an operator back in.
    await operator(['create', '--email', 'second@example.com', '--name', 'Second', '--role', 'Viewer'], PASSWORD);
    const token = await world.logIn('second@example.com');
    const setup = await world.send({ method: 'POST', path: '/auth/totp', headers: bearer(token) });
    expect(setup.status).toBe(201);
    await world.api.sql(`update operators set totp_confirmed_at = now() where email = 'second@example.com'`);
    expect((await logIn('second@example.com', PASSWORD)).code).toBe('SECOND_FACTOR_REQUIRED');
    const about = ['--email', 'second@example.com'];
    expect((await operator(['reset-second-factor', ...about])).status).toBe(0);
    expect((await world.send({ path: '/auth/me', headers: bearer(token) })).code).toBe('SESSION_EXPIRED');
    expect((await operator(['reset-password', ...about, '--temporary'], 'four loud geese on a roof')).status).toBe(0);
    expect((await logIn('second@example.com', 'four loud geese on a roof')).data).toMatchObject({
      operator: { passwordTemporary: true },
    });
    expect((await operator(['disable', ...about])).stdout).toContain('DISABLED');
    expect((await operator(['enable', ...about])).stdout).toContain('ACTIVE');
    const list = await operator(['list', '--json']);
    expect(JSON.parse(list.stdout)).toMatchObject([{ email: 'first@example.com' }, { email: 'second@example.com' }]);
  });

  test.each([
    [[]],
    [['make']],
    [['create', '--email', 'x@example.com']],
    [['create', '--email', 'no address', '--name', 'X']],
    [['disable']],
    [['list', 'all']],
  ])('does not guess at %j', (args) => {
    // A mistyped command must not change anything.
    expect(() => readCommand(parseArgs({ args, options: OPTIONS, allowPositionals: true }))).toThrow(UsageError);
  });
});

test('npm run app needs no second person, and each change is written down without a secret', async () => {
  // Somebody with access to the server has the database anyway, but their changes must be visible.
  const app = async (...args: string[]): Promise<Record<string, unknown>> => {
    const child = spawn(process.execPath, [join(ROOT, 'scripts/commands/app.ts'), ...args, '--json'], {
      env: {
        ...process.env,
        DATABASE_URL: world.api.databaseUrl,
        LENDEN_MASTER_KEY: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((done) => child.once('close', done));
    return JSON.parse(text) as Record<string, unknown>;
  };
  const created = await app('create', '--name', 'By hand', '--refund-threshold', 'BDT=5000');
  const id = String(created['id']);
  await app('set', '--id', id, '--refund-threshold', '', '--webhook-url', 'https://shop.example/hook');
  const issued = await app('issue', '--id', id, '--mode', 'TEST');
  await app('rotate', '--id', id, '--mode', 'LIVE');
  await app('revoke', '--id', id, '--key', String(issued['credentialId']));
  const entries = await world.api.sql<{ action: string; details: unknown }>(
    `select action, details from audit_logs where actor = 'npm run app' and target_type = 'application' and target_id = ? order by id`,
    [id],
  );
  expect(entries.map(({ action }) => action)).toEqual([
    'application.registered',
    'application.settings-changed',
    'credential.issued',
    'credential.rotated',
    'credential.revoked',
  ]);
  expect(entries[1]?.details).toEqual({
    after: {
      webhookUrl: 'https://shop.example/hook',
      refundApprovalThresholdMinor: null,
      refundApprovalThresholds: {},
    },
  });
  expect(JSON.stringify(entries)).not.toMatch(new RegExp(`${String(issued['apiSecret'])}|whsec_`));
  const [row] = await world.api.sql<{ minor: string | null }>(
    'select refund_approval_threshold_minor as minor from applications where id = ?',
    [id],
  );
  expect(row).toEqual({ minor: null });
});

test('the demo has an operator of every seeded role, with passwords of its own that only its owner can read', async () => {
  // Each installation has other passwords, and a second start keeps them.
  const directory = mkdtempSync(join(tmpdir(), 'lenden-operators-'));
  try {
    const seed = { directory, databaseUrl: world.api.databaseUrl };
    const operators = await seedDemoOperators(seed);
    expect(operators.map(({ role }) => role)).toEqual(['Super Admin', 'Admin', 'Finance', 'Support', 'Viewer']);
    expect(new Set(operators.map(({ password }) => password)).size).toBe(5);
    for (const { email, password } of operators) {
      expect([email, (await logIn(email, password)).status]).toEqual([email, 200]);
    }
    expect(await seedDemoOperators(seed)).toEqual(operators);
    const file = join(directory, 'demo-operators.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain(operators[0]?.password);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
