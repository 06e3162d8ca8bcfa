import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openDurableLog } from '../../simulators/kit/durable-log.ts';
import { createClient, startMerchant } from './merchant.ts';
import type { Merchant } from './merchant.ts';
import { pay, readForm } from './payer.ts';
import { until } from '../support/until.ts';

type Process = { child: ChildProcess; url: string };

let dataDir: string;
let merchant: Merchant;
const running: Process[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'simulators-'));
  merchant = await startMerchant();
});
afterEach(async () => {
  for (const { child } of running.splice(0)) {
    await end(child, 'SIGKILL');
  }
  await merchant.close();
  await rm(dataDir, { recursive: true });
});

/** Starts the real program and waits for the line that says that it is ready. */
async function start(): Promise<Process> {
  const child = spawn(process.execPath, ['simulators/main.ts'], {
    env: { PATH: process.env['PATH'], SIMULATORS_PORT: '0', SIMULATORS_SMTP_PORT: '0', SIMULATORS_DATA: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (!child.stdout) {
    throw new Error('The child has no output');
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line) as { msg: string; url: string };
    if (entry.msg === 'simulators ready') {
      const started = { child, url: entry.url };
      running.push(started);
      child.stdout.resume();
      return started;
    }
  }
  throw new Error('The simulators ended before they were ready');
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}

test('kill -9 between the charge and its IPN loses nothing: after the restart the IPN arrives', async () => {
  // Lenden's own durability tests rely on this behaviour of the gateway.
  const first = await start();
  const api = createClient({ url: first.url, merchant });
  const late = { script: { notice: { timing: 'late', delayMs: 1_500 } } };
  await api.control('POST', 'scripts', late);
  const session = await api.create({ tran_id: 'KILLED' });
  const open = await api.create({ tran_id: 'OPEN' });
  const back = readForm(await pay(session)).fields;
  await end(first.child, 'SIGKILL');
  expect(merchant.at('/ipn')).toHaveLength(0);

  const second = await start();
  const again = createClient({ url: second.url, merchant });
  await until(() => merchant.at('/ipn').length === 1);
  expect(merchant.at('/ipn')[0]?.form).toMatchObject({
    tran_id: 'KILLED',
    val_id: back['val_id'],
    verify_sign: back['verify_sign'],
  });
  expect(await again.charges()).toMatchObject([
    { kind: 'charge', tranId: 'KILLED', valId: back['val_id'], amount: '100.00' },
  ]);
  expect(await again.validate(back['val_id'] ?? '')).toMatchObject({ status: 'VALID' });
  expect(await again.transaction({ sessionkey: String(open['sessionkey']) })).toMatchObject({ status: 'PENDING' });
});

test('a retried IPN and a used-up fault survive kill -9', async () => {
  // A restart must neither lose a delivery nor start the faults again.
  const first = await start();
  const api = createClient({ url: first.url, merchant });
  await api.control('PUT', 'config', { noticeRetryMs: [1_500] });
  merchant.answers.status = 500;
  const back = readForm(await pay(await api.create({ cus_phone: '01700000030' }))).fields;
  expect((await api.validateRaw(back['val_id'] ?? '')).status).toBe(500);
  await until(() => merchant.at('/ipn').length === 1);
  await end(first.child, 'SIGKILL');
  merchant.answers.status = 200;

  const second = await start();
  await until(() => merchant.at('/ipn').length === 2);
  const again = createClient({ url: second.url, merchant });
  const statuses = [await again.validateRaw(back['val_id'] ?? ''), await again.validateRaw(back['val_id'] ?? '')];
  expect(statuses.map((answer) => answer.status)).toEqual([500, 200]);
});

test('a charge that reached the journal but not the charge log is completed at the start', async () => {
  // If the simulator crashes between writes to the two files, the charge log must still contain every charge of the journal.
  const first = await start();
  const api = createClient({ url: first.url, merchant });
  await pay(await api.create());
  const before = await api.charges();
  expect(await end(first.child, 'SIGTERM')).toBe(0);
  await rm(join(dataDir, 'charges.jsonl'));
  const again = createClient({ url: (await start()).url, merchant });
  expect(await again.charges()).toEqual(before);
});

test('every charge is on disk before the payer sees it', async () => {
  // The charge must be in the file before the payer sees the page.
  const { url } = await start();
  const api = createClient({ url, merchant });
  const sessions = await Promise.all(Array.from({ length: 20 }, () => api.create()));
  await Promise.all(
    sessions.map(async (session) => {
      const back = readForm(await pay(session)).fields;
      expect(await readFile(join(dataDir, 'charges.jsonl'), 'utf8')).toContain(`"valId":"${back['val_id']}"`);
    }),
  );
});

test('a line torn by a crash is cut off; damage in the middle is refused', async () => {
  // A line that was never reported may be dropped, but a reported one must not be skipped silently.
  const path = join(dataDir, 'log.jsonl');
  const first = await openDurableLog<{ n: number }>(path);
  first.log.append({ n: 1 });
  await first.log.close();
  const { size } = await stat(path);
  await appendFile(path, '{"n":2,"half');
  const second = await openDurableLog<{ n: number }>(path);
  expect(second.entries).toEqual([{ n: 1 }]);
  expect((await stat(path)).size).toBe(size);
  second.log.append({ n: 3 });
  await second.log.close();
  const third = await openDurableLog<{ n: number }>(path);
  expect(third.entries).toEqual([{ n: 1 }, { n: 3 }]);
  await third.log.close();
  await appendFile(path, 'damage\n{"n":4}\n');
  await expect(openDurableLog(path)).rejects.toThrow('log.jsonl:3 is not JSON');
});
