import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { registerApplication, type Registration } from '../../core/applications/store/applications.ts';
import { openDatabase } from '../../database/connection.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import { open, press } from '../../scripts/development/demo/payer.ts';
import { readOrMakeMasterKey } from '../../scripts/development/development-secrets.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { startCollector, type CollectedSpan, type Collector } from './collector.ts';

const PAYER = {
  customerReference: 'canary-customer',
  customerName: 'Canary Khatun',
  customerEmail: 'canary@payer.example',
  customerPhone: '01712345678',
  productName: 'Canary seeds',
  returnUrl: 'https://shop.example/canary-return?token=canary-token',
};

let collector: Collector;
let stack: TestStack | undefined;
let receiver: Server;
const delivery = Promise.withResolvers<void>();
let app: Registration;
let secrets: string[];
let reference = '';

beforeAll(async () => {
  collector = await startCollector();
  receiver = createServer((request, response) => {
    delivery.resolve();
    request.resume();
    response.writeHead(204).end();
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  stack = await startTestStack({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=telemetry-test',
  });
  const masterKey = readOrMakeMasterKey(stack.directory);
  const database = await openDatabase({ url: stack.dev.databaseUrl, poolSize: 2 });
  const { port } = receiver.address() as AddressInfo;
  app = await registerApplication(
    { database, secrets: createSecretBox(masterKey) },
    { name: 'Telemetry shop', webhookUrl: `http://127.0.0.1:${port}/hooks/canary-webhook-path?key=canary-webhook-key` },
  );
  await database.close();
  secrets = [
    app.test.apiKey,
    app.test.apiSecret,
    app.testSigningSecret,
    app.signingSecret,
    masterKey,
    'lenden_test@ssl',
  ];
  reference = await pay(stack);
  await delivery.promise;
  // Long enough for one export of the gauges. Stopping flushes the rest.
  await sleep(1_500);
  await stack.stop();
});

afterAll(async () => {
  receiver.close();
  receiver.closeAllConnections();
  await collector.close();
});

async function pay({ dev }: TestStack): Promise<string> {
  const response = await fetch(`${dev.api}/payments`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': 'canary-idempotency-key',
      'x-api-key': app.test.apiKey,
      'x-api-secret': app.test.apiSecret,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
    body: JSON.stringify({ amountMinor: 10_000, currency: 'BDT', ...PAYER }),
  });
  expect(response.status).toBe(201);
  const { data } = (await response.json()) as { data: { reference: string; checkoutUrl: string } };
  const gateway = await press(await open(data.checkoutUrl), { form: 'form[action*="/continue"]' });
  await press(await press(gateway, { form: 'form', button: 'pay' }), { form: 'form#return' });
  return data.reference;
}

const named = (name: string): CollectedSpan[] => collector.spans.filter((span) => span.name === name);

/** Returns the only span of a name below a parent. */
function below(parent: CollectedSpan | undefined, name: string): CollectedSpan {
  const found = named(name).filter(({ parentSpanId }) => parentSpanId === parent?.spanId);
  expect(found.map((span) => span.name)).toEqual([name]);
  const [span] = found;
  if (span === undefined) {
    throw new Error(`no ${name}`);
  }
  expect(span.traceId).toBe(parent?.traceId);
  return span;
}

describe('one payment with telemetry on', () => {
  test('is one trace from the request through workflow, activities and gateway to the webhook', () => {
    // A developer who wants to know where the time of a payment went must find all of it in one trace.
    const [request] = named('native POST /payments');
    expect(request?.parentSpanId ?? '').toBe('');
    const update = below(request, 'UpdateWithStartWorkflow:checkout-opened');
    const workflow = below(update, 'RunWorkflow:paymentWorkflow');
    const session = below(below(workflow, 'RunActivity:openCheckout'), 'gateway openSession');
    below(session, 'gateway exchange');
    const query = below(workflow, 'RunActivity:verifyPayment');
    below(query, 'gateway queryAttempt');
    expect(below(query, 'webhook attempt').attributes).toMatchObject({ 'http.response.status_code': 204 });
    expect(session.attributes).toEqual({
      'lenden.gateway': 'sslcommerz',
      'lenden.operation': 'openSession',
      'lenden.outcome': 'opened',
    });
  });

  test('is found by payment reference, app and mode', () => {
    // An operator has the reference from the log or the app, not a trace id.
    const subject = {
      'lenden.payment': reference,
      'lenden.app': app.applicationId.toString(),
      'lenden.mode': 'TEST',
    };
    for (const name of [
      'native POST /payments',
      'UpdateWithStartWorkflow:checkout-opened',
      'RunWorkflow:paymentWorkflow',
      'RunActivity:openCheckout',
      'RunActivity:verifyPayment',
    ]) {
      expect(named(name)[0]?.attributes).toMatchObject(subject);
    }
    expect(named('callback sslcommerz ipn')[0]?.attributes).toMatchObject({ 'lenden.payment': reference });
  });

  test('does not continue a trace that a caller claims', () => {
    // A caller must not choose our trace id, or whether our spans are kept.
    expect(named('native POST /payments')[0]?.traceId).not.toBe('0af7651916cd43dd8448eb211c80319c');
  });

  test('is counted: requests, ends, gateway calls, deliveries, sweeps and what is open', () => {
    // Dashboards and alerts depend on these names.
    const last = (metric: string, attributes: Record<string, unknown>) =>
      collector.points.findLast(
        (point) =>
          point.metric === metric &&
          Object.entries(attributes).every(([name, value]) => point.attributes[name] === value),
      )?.value;
    const route = { 'http.route': 'native POST /payments', 'http.response.status_code': 201 };
    expect(last('http.server.request.duration', route)).toBe(1);
    expect(last('lenden.payments.ended', { status: 'SUCCEEDED', mode: 'TEST' })).toBe(1);
    expect(
      last('lenden.gateway.call.duration', { 'lenden.operation': 'openSession', 'lenden.outcome': 'opened' }),
    ).toBe(1);
    expect(
      last('lenden.gateway.call.duration', { 'lenden.operation': 'queryAttempt', 'lenden.outcome': 'charged' }),
    ).toBeGreaterThanOrEqual(1);
    expect(last('lenden.webhook.attempts', { 'lenden.outcome': 'delivered' })).toBe(1);
    expect(last('lenden.payments.open', {})).toBe(0);
    expect(last('lenden.payments.review', {})).toBe(0);
    expect(last('lenden.ledger.unsealed_age', {})).toBeGreaterThanOrEqual(0);
    // The SDK sends its own metrics as protobuf.
    expect(collector.bodies.some((body) => body.includes('temporal_workflow_completed'))).toBe(true);
  });

  test('tells the collector no secret and nothing of the payer', () => {
    // More people can read a collector than the database, and it often belongs to another company.
    const told = collector.bodies.join('\n');
    const canaries = [
      ...Object.values(PAYER),
      ...secrets,
      'canary',
      'Canary',
      'lenden_test@ssl',
      'val_id',
      'store_passwd',
    ];
    expect(told).toContain(reference);
    expect(canaries.filter((canary) => told.includes(canary))).toEqual([]);
  });
});
