import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, WithStartWorkflowOperation } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { startOptions } from '../../bench/bare-start.ts';
import { createBareActivities } from '../../bench/bare/activities.ts';
import { BARE_QUEUE } from '../../bench/bare/names.ts';
import { openedUpdate, wakeSignal } from '../../bench/bare/workflows.ts';
import { registerApplication } from '../../core/applications/store/applications.ts';
import { openDatabase } from '../../database/connection.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import { readOrMakeMasterKey } from '../../scripts/development/development-secrets.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { connectTestTemporal, type TestTemporal } from '../support/temporal.ts';

let stack: TestStack;
let temporal: TestTemporal;
let client: Client;
let receiver: Server;
const arrived = Promise.withResolvers<string>();

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  stack = await startTestStack();
  const { namespace } = stack.dev.temporal;
  temporal = await connectTestTemporal({ timeSkipping: false, namespace });
  client = new Client({ connection: temporal.client.connection, namespace });
  receiver = createServer((request, response) => {
    arrived.resolve(String(request.headers['webhook-id']));
    request.resume();
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
});

afterAll(async () => {
  receiver.close();
  receiver.closeAllConnections();
  await temporal.close();
  await stack.stop();
});

/**
 * Returns the commands that left an event in a history, in order. Their division into workflow tasks is left out because it depends on
 * timing.
 */
async function commandsOf(workflowId: string): Promise<string[]> {
  const handle = client.workflow.getHandle(workflowId);
  await handle.result();
  const { events } = await handle.fetchHistory();
  const kinds = (events ?? []).map((event) => {
    return Object.keys(event).find((name) => name.endsWith('EventAttributes')) ?? 'unknown';
  });
  return kinds.filter((kind) => !kind.startsWith('workflowTask'));
}

async function takePayment(): Promise<string> {
  const { dev } = stack;
  const database = await openDatabase({ url: dev.databaseUrl, poolSize: 2 });
  const { port } = receiver.address() as AddressInfo;
  const app = await registerApplication(
    { database, secrets: createSecretBox(readOrMakeMasterKey(stack.directory)) },
    { name: 'Bench shop', webhookUrl: `http://127.0.0.1:${port}/` },
  );
  await database.close();
  const headers = { 'content-type': 'application/json' };
  const created = await fetch(`${dev.api}/payments`, {
    method: 'POST',
    headers: { ...headers, 'x-api-key': app.test.apiKey, 'x-api-secret': app.test.apiSecret },
    body: JSON.stringify({ amountMinor: 10_000, currency: 'BDT', customerReference: 'bench' }),
  });
  const { data } = (await created.json()) as { data: { reference: string; redirectUrl: string } };
  const session = data.redirectUrl.slice(data.redirectUrl.lastIndexOf('testcde') + 'testcde'.length);
  await fetch(`${dev.simulators}/__sim/sessions/${session}/finish`, { method: 'POST', headers, body: '{}' });
  return data.reference;
}

async function takeBarePayment(): Promise<string> {
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace,
    taskQueue: BARE_QUEUE,
    workflowsPath: new URL('../../bench/bare/workflows.ts', import.meta.url).pathname,
    activities: createBareActivities({
      insert: () => Promise.resolve(),
      delivered: () => undefined,
    }),
  });
  const reference = `pay_${randomUUID()}`;
  const input = { paymentId: '1', reference, applicationId: '1', mode: 'TEST' };
  return worker.runUntil(async () => {
    const startWorkflowOperation = new WithStartWorkflowOperation(
      'barePayment',
      startOptions(input, `bare:${reference}`),
    );
    await client.workflow.executeUpdateWithStart(openedUpdate, { startWorkflowOperation, updateId: 'opened' });
    await client.workflow.getHandle(`bare:${reference}`).signal(wakeSignal, '1');
    await client.workflow.getHandle(`bare:${reference}`).result();
    return reference;
  });
}

describe('the bare workflows of npm run bench', () => {
  test('leave the same commands in their histories as a payment, whose webhook has no workflow', async () => {
    // If the bare workflow did less or more than a payment's workflow, the measured ratio would mean nothing.
    const [ours, bare] = [await takePayment(), await takeBarePayment()];
    const payment = await commandsOf(`payment:${ours}`);
    expect(payment).toContain('timerStartedEventAttributes');
    expect(await commandsOf(`bare:${bare}`)).toEqual(payment);
    const webhook = client.workflow.getHandle(`webhook:${await arrived.promise}`);
    await expect(webhook.describe()).rejects.toThrow('not found');
  });
});
