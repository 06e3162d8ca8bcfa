import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Measured, Rig } from '../rig.ts';
import { MAPPING, payoutCsv } from './payout-csv.ts';

export interface Beside {
  readonly perSecond: number;
  /** Of each block, in turns, from `POST /payments` until the webhook has arrived. */
  readonly without: readonly (readonly number[])[];
  readonly during: readonly (readonly number[])[];
  readonly failures: number;
  /** Of the import, while payments were made. */
  readonly linesPerSecond: number;
}

const File = z.object({ reference: z.string(), state: z.string(), rowsRead: z.int() });
const LINES_OF_FILE = 300_000;
const STATE_TIMEOUT_MS = 120_000;

/** Measures payments at a steady rate, in turns without and with an import on the same worker. Each import is of a new file, and cancelled afterwards. */
export async function measureBesidePayments(
  rig: Rig,
  { blocks, payments, perSecond }: { blocks: number; payments: number; perSecond: number },
): Promise<Beside> {
  const operator = await logIn(rig);
  await operator.call('/admin/payout-mappings', json({ gateway: 'sslcommerz', mapping: MAPPING }));
  const round = { work: 'payment', count: payments, inFlight: 256, perSecond } as const;
  await rig.run(round);
  const [without, during]: [Measured[], Measured[]] = [[], []];
  let rows = 0;
  for (let block = 0; block < blocks; block += 1) {
    without.push(await rig.run(round));
    const reference = await upload(operator, block);
    const before = await stateOf(operator, reference, ['IMPORTING']);
    during.push(await rig.run(round));
    const after = await stateOf(operator, reference, ['IMPORTING']);
    rows += after.rowsRead - before.rowsRead;
    await operator.call(`/admin/payout-files/${reference}/cancel`, { method: 'POST' });
    await stateOf(operator, reference, ['CANCELLED']);
  }
  const seconds = during.reduce((sum, measured) => sum + measured.seconds, 0);
  return {
    perSecond,
    without: without.map(({ latenciesMs }) => latenciesMs),
    during: during.map(({ latenciesMs }) => latenciesMs),
    failures: [...without, ...during].reduce((sum, { failures }) => sum + failures, 0),
    linesPerSecond: rows / seconds,
  };
}

interface Operator {
  call(path: string, init?: RequestInit): Promise<unknown>;
}

async function logIn({ dev }: Rig): Promise<Operator> {
  const call = async (path: string, init: RequestInit, token?: string): Promise<unknown> => {
    const response = await fetch(dev.api + path, {
      ...init,
      headers: { ...init.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${path} answered ${response.status}: ${text.slice(0, 200)}`);
    }
    return z.object({ data: z.unknown() }).parse(JSON.parse(text)).data;
  };
  const { email, password } = z.object({ email: z.string(), password: z.string() }).parse(dev.operators[0]);
  const session = await call('/auth/login', json({ email, password }));
  const { token } = z.object({ token: z.string() }).parse(session);
  return { call: (path, init = {}) => call(path, init, token) };
}

function json(body: object): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

async function upload(operator: Operator, block: number): Promise<string> {
  const query = 'mode=TEST&gateway=sslcommerz&storeId=lenden_test&format=csv&name=bench.csv';
  const body = Buffer.concat([...payoutCsv({ lines: LINES_OF_FILE, firstNumber: block * LINES_OF_FILE })]);
  const headers = { 'content-type': 'text/csv' };
  const answer = await operator.call(`/admin/payout-files?${query}`, { method: 'POST', headers, body });
  return z.object({ file: File }).parse(answer).file.reference;
}

async function stateOf(
  operator: Operator,
  reference: string,
  states: readonly string[],
): Promise<z.infer<typeof File>> {
  const giveUpAtMs = performance.now() + STATE_TIMEOUT_MS;
  for (;;) {
    const file = File.parse(await operator.call(`/admin/payout-files/${reference}`));
    if (states.includes(file.state)) {
      return file;
    }
    if (performance.now() > giveUpAtMs) {
      throw new Error(`the file is ${file.state}, not ${states.join(' or ')}`);
    }
    await sleep(100);
  }
}
