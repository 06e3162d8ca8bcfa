import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { addDays } from '../../domain/plain-date.ts';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import { TRADING_GATEWAYS } from '../../proofs/trade/gateways.ts';
import { payOut, sell } from '../../proofs/trade/sales.ts';
import { control } from '../../proofs/trade/simulators.ts';
import { readOrMakeMasterKey } from '../../scripts/development/development-secrets.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { asOwner } from '../journeys/owner.ts';
import { startStackToKill, type StackToKill } from '../journeys/stack-to-kill.ts';
import { until } from '../support/until.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const EXAMPLE_DAY = '2026-11-23';
const CHANGES = '/admin/pending-reconciliation-changes';
const Envelope = z.object({
  data: z.unknown(),
  meta: z.object({ success: z.boolean(), errorCode: z.string().nullable() }),
});
const Login = z.object({ data: z.object({ token: z.string() }) });

let stack: StackToKill;
let dev: DevFile;
let today: string;
/** What the page calls by a name: addresses, sessions, the payout and the case. */
let names: Record<string, string>;

beforeAll(async () => {
  stack = await startStackToKill();
  dev = await stack.dev();
  today = calendarIn(BUSINESS_TIME_ZONE).today(new Date());
  const [sslcommerz] = TRADING_GATEWAYS;
  if (sslcommerz === undefined) {
    throw new Error('no gateway trades');
  }
  const masterKey = process.env['LENDEN_MASTER_KEY'] ?? readOrMakeMasterKey(stack.directory);
  await sell({ dev, masterKey, payments: 6 }, sslcommerz);
  // Every decision about money takes two people.
  await asOwner(dev.databaseUrl, { sql: 'update applications set refund_approval_threshold_minor = 0' });
  await payOut(dev, sslcommerz, { until: addDays(today, 14), seed: '1', spreadDays: 2, faults: { foreign: 1 } });
  await save('settlement.csv', `/payouts/files/lines.csv?${new URLSearchParams(sslcommerz.merchant)}`);
  await save('statement.sta', '/bank/statement.sta');
  writeFileSync(join(stack.directory, 'mapping.json'), JSON.stringify(SHIPPED_MAPPINGS.sslcommerz));
  names = { API: dev.api, STORE: sslcommerz.storeId, ...(await logIns()) };
});
afterAll(() => stack.remove());

async function save(name: string, path: string): Promise<void> {
  writeFileSync(join(stack.directory, name), Buffer.from(await (await control(dev, path)).arrayBuffer()));
}

/** Returns the names of two people who may close differences, one of them with what they log in with. */
async function logIns(): Promise<Record<string, string>> {
  const [one, another] = dev.operators.filter(({ role }) => ['Super Admin', 'Finance'].includes(role));
  if (one === undefined || another === undefined) {
    throw new Error('two people may close differences');
  }
  return {
    EMAIL: one.email,
    PASSWORD: one.password,
    TOKEN: await logIn(one),
    TOKEN_OF_ANOTHER: await logIn(another),
  };
}

async function logIn({ email, password }: DevFile['operators'][number]): Promise<string> {
  const response = await fetch(`${dev.api}/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  return Login.parse(await response.json()).data.token;
}

/** Runs a command of the page in the folder of the files. */
function run(command: string): Promise<string> {
  const here = command
    .replaceAll(EXAMPLE_DAY, today)
    .replace(/^npm run payout-file -- (\S+)/gm, (_all, file: string) => {
      return `npm --silent --prefix '${ROOT}' run payout-file -- '${join(stack.directory, file)}'`;
    });
  const child = spawn('bash', ['-euo', 'pipefail', '-c', here], {
    cwd: stack.directory,
    env: { ...process.env, ...names },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((done, reject) => {
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString('utf8');
    });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? done(output) : reject(new Error(`${code}: ${here}\n${output}`))));
  });
}

async function read(path: string): Promise<unknown> {
  const response = await fetch(dev.api + path, { headers: { Authorization: `Bearer ${names['TOKEN'] ?? ''}` } });
  return Envelope.parse(await response.json()).data;
}

/** A command and the lines that continue it. */
function commandsOf(block: string): string[] {
  return block.trim().split(/(?<!\\)\n/);
}

const page = readFileSync(join(ROOT, 'docs/payouts.md'), 'utf8');
const commands = [...page.matchAll(/```sh\n([\s\S]+?)```/g)]
  .flatMap(([, block = '']) => commandsOf(block.replace(/^ {3}/gm, '')))
  .filter((command) => !command.startsWith('npm run proof:'));

test('a day is closed from the shell by the commands of the page, in its order', async () => {
  // Finance pastes these commands. The long proofs at the end of the page have checks of their own.
  expect(commands.length).toBeGreaterThan(12);
  for (const command of commands) {
    if (command.includes('$PAYOUT') || command.includes('$CASE')) {
      await untilNamed();
    }
    if (command.includes('$CHANGE')) {
      const [change] = z.array(z.object({ id: z.int() })).parse(await read(`${CHANGES}?status=PENDING`));
      names = { ...names, CHANGE: String(change?.id ?? '') };
    }
    const output = await run(command);
    if (command.includes('curl')) {
      const answers = output.trim().split(/(?<=\})\n?(?=\{)/);
      for (const answer of answers) {
        const { meta } = Envelope.parse(JSON.parse(answer));
        expect({ command, ...meta }).toMatchObject({ command, success: true, errorCode: null });
      }
    } else {
      expect(output).not.toBe('');
    }
    await imported();
  }
  const cases = z.array(z.object({ reference: z.string(), state: z.string() }));
  const closed = cases.parse(await read('/admin/reconciliation/cases?state=RESOLVED'));
  expect(closed.map(({ reference }) => reference)).toContain(names['CASE']);
  const trial = z.object({ currencies: z.array(z.object({ accounts: z.array(z.object({ account: z.string() })) })) });
  const { currencies } = trial.parse(await read('/admin/ledger/trial-balance'));
  const accounts = currencies.flatMap((currency) => currency.accounts.map(({ account }) => account));
  expect(accounts).toContain('bank');
}, 300_000);

/** Waits for imports and the runs that follow them. */
async function imported(): Promise<void> {
  const Files = z.array(z.object({ state: z.string() }));
  await until(async () =>
    Files.parse(await read('/admin/payout-files?mode=LIVE')).every(({ state }) => state === 'IMPORTED'),
  );
}

/** Finds the payout and the case that the page speaks of: the foreign line's. */
async function untilNamed(): Promise<void> {
  const References = z.array(z.object({ reference: z.string() }));
  await until(async () => {
    const [payout] = References.parse(await read('/admin/payouts?mode=LIVE'));
    const [open] = References.parse(await read('/admin/reconciliation/cases?reason=MISSING_INTERNALLY'));
    names = { ...names, PAYOUT: payout?.reference ?? '', CASE: names['CASE'] || (open?.reference ?? '') };
    return names['PAYOUT'] !== '' && names['CASE'] !== '';
  });
}
