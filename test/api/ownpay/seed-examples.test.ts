import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { updateApplication } from '../../../core/applications/store/applications.ts';
import { openDatabase } from '../../../database/connection.ts';
import { findFreePort, waitForPort } from '../../../scripts/shared/ports.ts';
import { payAndReturn } from '../../journeys/payer.ts';
import { startTestStack, type TestStack } from '../../support/stack.ts';
import { nodeExample, phpExample } from './documented-examples.ts';
import { until } from '../../support/until.ts';

let stack: TestStack;
let folder: string;
let hook: Server;
let relay: Server;
let relayUrl: string;
/** What the API answered to the examples, and the events that it sent to the shop. */
const answers: { status: number; text: string }[] = [];
const events: { signature: string; body: string }[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lenden-ownpay-'));
  stack = await startTestStack();
  [hook, relay] = await Promise.all([
    serve(async (request) => {
      const body = await textOf(request);
      events.push({ signature: String(request.headers['x-ownpay-signature']), body });
      return { status: 200, text: '' };
    }),
    serve(forward),
  ]);
  relayUrl = urlOf(relay);
  const database = await openDatabase({ url: stack.dev.databaseUrl, poolSize: 1 });
  const applicationId = BigInt(stack.dev.apps.ownpay.id);
  await updateApplication({ database }, { applicationId, webhookUrl: `${urlOf(hook)}/ownpay` });
  await database.close();
});

afterAll(async () => {
  for (const server of [hook, relay]) {
    server.close();
    server.closeAllConnections();
  }
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(handle: (request: IncomingMessage) => Promise<{ status: number; text: string }>): Promise<Server> {
  const server = createServer((request, response) => {
    handle(request).then(
      ({ status, text }) => response.writeHead(status, { 'content-type': 'application/json' }).end(text),
      () => response.writeHead(502).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function urlOf(server: Server): string {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(Buffer.from(chunk as Uint8Array));
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Forwards a request to the API and records the answer, because the examples do not print it. */
async function forward(request: IncomingMessage): Promise<{ status: number; text: string }> {
  const response = await fetch(new URL(request.url ?? '/', stack.dev.api), {
    method: request.method ?? 'GET',
    headers: {
      authorization: request.headers.authorization ?? '',
      'content-type': request.headers['content-type'] ?? '',
    },
    body: await textOf(request),
  });
  const answer = { status: response.status, text: await response.text() };
  answers.push(answer);
  return answer;
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, OWNPAY_API_KEY: stack.dev.apps.ownpay.apiKey, OWNPAY_BASE_URL: relayUrl };
}

/**
 * Returns where the PHP program redirects the browser. PHP's own server runs it, because a command line has no headers.
 */
async function runPhp(program: string): Promise<string | null> {
  const file = join(folder, 'index.php');
  writeFileSync(file, program);
  const port = await findFreePort([]);
  const php = spawn('php', ['-d', 'display_errors=0', '-S', `127.0.0.1:${port}`, file], {
    env: environment(),
    stdio: 'ignore',
  });
  const ended = once(php, 'exit');
  try {
    expect(await waitForPort({ host: '127.0.0.1', port }, { timeoutMs: 15_000 })).toBe(true);
    const response = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' });
    return response.headers.get('location');
  } finally {
    php.kill();
    await ended;
  }
}

/** Returns the same for the Node program, with the `res` of a server provided. */
async function runNode(program: string): Promise<string> {
  const file = join(folder, 'example.mjs');
  const server = join(folder, 'server.mjs');
  writeFileSync(file, program);
  writeFileSync(server, 'globalThis.res = { redirect: (url) => console.log(String(url)) };');
  const node = spawn(process.execPath, ['--import', server, file], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  node.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(node, 'close');
  return Buffer.concat(chunks).toString('utf8').trim();
}

const withOurGateway = (program: string): string =>
  program.replace("'stripe'", "'sslcommerz'").replace("'USD'", "'BDT'");

const PAYMENT_URL = /\/checkout\/txn_[0-9a-f]{16}$/;

describe("the documents' programs", () => {
  test('PHP is there', () => {
    // Without PHP the tests below would prove nothing.
    expect(spawnSync('php', ['--version']).status).toBe(0);
  });

  test.each([
    ['PHP', (program: string) => runPhp(program), phpExample],
    ['Node', (program: string) => runNode(program), nodeExample],
  ])(
    'in %s get a checkout as they are written, and the documented 404 for a gateway that is not active',
    async (_name, run, program) => {
      // Otherwise shops that change only the base URL and the key would break.
      answers.length = 0;
      const location = await run(program);
      expect(location).toMatch(PAYMENT_URL);
      expect(location?.startsWith(`${stack.dev.web}/checkout/txn_`)).toBe(true);
      expect(JSON.parse(answers[0]?.text ?? '')).toMatchObject({ success: true, payment_url: location });
      expect((await fetch(location ?? '')).status).toBe(200);
      await run(program.replace("'stripe'", "'paypal'"));
      expect(answers.slice(1).map(({ status, text }) => [status, JSON.parse(text)])).toEqual([
        [404, { error: true, message: "Gateway 'paypal' is not configured or inactive.", code: 'GATEWAY_NOT_FOUND' }],
      ]);
    },
  );
});

test('a payment is paid, told by a signed webhook, led back to the shop, read, and refunded', async () => {
  // Covers the whole journey of an OwnPay shop, on real processes.
  events.length = 0;
  const location = await runNode(withOurGateway(nodeExample));
  const id = location.split('/').at(-1) ?? '';
  const page = await payAndReturn(location);
  expect(page.url.pathname).toContain(id);
  await until(() => events.length > 0);
  const [event] = events;
  const { apiKey, webhookSecret } = stack.dev.apps.ownpay;
  expect(event?.signature).toBe(
    `sha256=${createHmac('sha256', webhookSecret)
      .update(event?.body ?? '')
      .digest('hex')}`,
  );
  expect(event?.body).toContain('"amount":99.99,');
  expect(JSON.parse(event?.body ?? '')).toEqual({
    event: 'payment.completed',
    transaction_id: id,
    order_id: 'ORDER-001',
    amount: 99.99,
    currency: 'BDT',
    status: 'completed',
    paid_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    gateway: 'sslcommerz',
  });

  const outcome = await (await fetch(location)).text();
  expect(outcome).toContain(`https://yoursite.com/success?payment_id=${id}&#38;status=completed`);
  expect(outcome).not.toMatch(/Jane|jane@example/);

  const call = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
    return (await fetch(`${stack.dev.api}${path}`, { ...init, headers })).json() as Promise<Record<string, unknown>>;
  };
  expect(await call(`/transactions/${id}`)).toMatchObject({ status: 'completed', amount: 99.99 });
  const refund = await call('/refunds', { method: 'POST', body: JSON.stringify({ transaction_id: id }) });
  expect(refund).toMatchObject({ success: true, amount: 99.99, status: 'pending', transaction_id: id });
  expect(events).toHaveLength(1);
});
