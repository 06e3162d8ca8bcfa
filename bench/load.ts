import '../scripts/shared/lifeline.ts';
import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { startOptions } from './bare-start.ts';
import { openedUpdate, wakeSignal } from './bare/workflows.ts';
import { LoadSettings, Round, type RoundResult, type Work } from './protocol.ts';

/** The load generator, a separate process that plays the shop, its webhook endpoint and the payer. */
const settings = LoadSettings.parse(JSON.parse(process.argv[2] ?? '{}'));
const PIECE_TIMEOUT_MS = 60_000;
const agent = new Agent({ connections: 128, keepAliveTimeout: 60_000 });
const client = new Client({
  connection: await Connection.connect({ address: settings.temporalAddress }),
  namespace: settings.namespace,
});
const waiting = new Map<string, () => void>();
const finished = (reference: string): void => waiting.get(reference)?.();
await Promise.all([listenForWebhooks(), listenForBare()]);
let lastPaymentId = 0;
const told = new Set<string>();
let repeatedWebhooks = 0;

const WORK: Readonly<Record<Work, () => Promise<void>>> = {
  payment: takePayment,
  'bare-payment': takeBarePayment,
  post: async () => void (await createPayment()),
  'bare-update': async () => void (await openBare('INSERT')),
  get: () => read(`${settings.api}/payments/${lastPaymentId}`, CREDENTIALS),
  'bare-read': () => read(`${settings.readUrl}/${lastPaymentId}`, {}),
};

process.on('message', (message) => void run(Round.parse(message)).then((result) => process.send?.(result)));
process.send?.('ready');

async function run({ work, count, inFlight, perSecond }: Round): Promise<RoundResult> {
  const latenciesMs: number[] = [];
  let begun = 0;
  let failures = 0;
  let firstFailure: string | null = null;
  repeatedWebhooks = 0;
  const startedMs = performance.now();
  const lane = async (): Promise<void> => {
    while (begun < count) {
      const dueMs = perSecond === undefined ? performance.now() : startedMs + (begun * 1_000) / perSecond;
      begun += 1;
      await until(dueMs);
      try {
        await WORK[work]();
        latenciesMs.push(performance.now() - dueMs);
      } catch (error) {
        failures += 1;
        firstFailure ??= String(error);
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { seconds: (performance.now() - startedMs) / 1_000, failures, firstFailure, latenciesMs, repeatedWebhooks };
}

async function until(dueMs: number): Promise<void> {
  const waitMs = dueMs - performance.now();
  if (waitMs > 0) {
    await sleep(waitMs);
  }
}

const Created = z.object({ data: z.object({ id: z.int(), reference: z.string(), redirectUrl: z.url() }) });
const CREDENTIALS = { 'x-api-key': settings.apiKey, 'x-api-secret': settings.apiSecret };

async function createPayment(): Promise<z.infer<typeof Created>['data']> {
  const { statusCode, body } = await request(`${settings.api}/payments`, {
    dispatcher: agent,
    method: 'POST',
    headers: { ...CREDENTIALS, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify({ amountMinor: 10_000, currency: 'BDT', customerReference: 'bench', productName: 'Bench' }),
  });
  const text = await body.text();
  if (statusCode !== 201) {
    throw new Error(`POST /payments answered ${statusCode}: ${text.slice(0, 200)}`);
  }
  const { data } = Created.parse(JSON.parse(text));
  lastPaymentId = data.id;
  return data;
}

/**
 * Takes a payment, measured from POST to the arrival of its webhook: SUCCEEDED, posted and notified. The simulator's control API replaces the payer's
 * clicks.
 */
async function takePayment(): Promise<void> {
  const { reference, redirectUrl } = await createPayment();
  const arrived = arrival(reference);
  const session = redirectUrl.slice(redirectUrl.lastIndexOf('testcde') + 'testcde'.length);
  const { statusCode, body } = await request(`${settings.simulators}/__sim/sessions/${session}/finish`, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  await body.dump();
  if (statusCode !== 200) {
    throw new Error(`the simulator answered ${statusCode}`);
  }
  await arrived;
}

async function openBare(mode: string): Promise<{ reference: string; workflowId: string }> {
  const reference = `pay_${randomUUID()}`;
  const workflowId = `bare:${reference}`;
  const input = { paymentId: '1', reference, applicationId: '1', mode };
  const startWorkflowOperation = new WithStartWorkflowOperation('barePayment', startOptions(input, workflowId));
  await client.workflow.executeUpdateWithStart(openedUpdate, { startWorkflowOperation, updateId: 'opened' });
  return { reference, workflowId };
}

async function takeBarePayment(): Promise<void> {
  const { reference, workflowId } = await openBare('TEST');
  const arrived = arrival(reference);
  await client.workflow.getHandle(workflowId).signal(wakeSignal, '1');
  await arrived;
}

async function read(url: string, headers: Record<string, string>): Promise<void> {
  const { statusCode, body } = await request(url, { dispatcher: agent, headers });
  await body.dump();
  if (statusCode !== 200) {
    throw new Error(`${url} answered ${statusCode}`);
  }
}

function arrival(reference: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(new Error(`${reference} was not done in time`))), PIECE_TIMEOUT_MS);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      waiting.delete(reference);
      settle();
    };
    waiting.set(reference, () => end(resolve));
  });
}

const Event = z.object({ data: z.object({ reference: z.string() }) });

function listenForWebhooks(): Promise<void> {
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(204).end();
      const { reference } = Event.parse(JSON.parse(Buffer.concat(chunks).toString('utf8'))).data;
      repeatedWebhooks += told.has(reference) ? 1 : 0;
      told.add(reference);
      finished(reference);
    });
  });
  return new Promise((resolve) => server.listen(settings.webhookPort, '127.0.0.1', () => resolve()));
}

function listenForBare(): Promise<void> {
  const server = createServer((socket) => {
    createInterface({ input: socket }).on('line', finished);
    socket.on('error', () => undefined);
  });
  return new Promise((resolve) => server.listen(settings.donePort, '127.0.0.1', () => resolve()));
}
