import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { recordPaymentEvent } from '../../../core/payments/payment-event.ts';
import { updateApplication } from '../../../core/applications/store/applications.ts';
import { readPayment } from '../../../core/payments/store/payments.ts';
import { readRefundByReference } from '../../../core/refunds/store/refunds.ts';
import { rotateSigningSecret } from '../../../core/webhooks/store/signing-secrets.ts';
import type { EventType } from '../../../domain/webhook.ts';
import type { DeliverWebhookInput } from '../../../workflows/messages/webhook.ts';
import { createWorld, secretBox, type App, type World } from '../../core/webhooks/world.ts';

interface Received {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

let world: World;
let server: Server;
let url: string;
let answer = 204;
let judge: ((request: Received) => number) | null = null;
const received: Received[] = [];

beforeAll(async () => {
  world = await createWorld();
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const got = { headers: request.headers, body: Buffer.concat(chunks).toString('utf8') };
      received.push(got);
      response.writeHead(judge?.(got) ?? answer).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/hook`;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await world.close();
});

/** Returns the HMAC that OpenSSL computes over the documented text. */
function opensslHmac(text: string, secret: string): string {
  const { stdout, status, error } = spawnSync(
    'openssl',
    ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', `key:${secret}`],
    {
      input: text,
      encoding: 'utf8',
    },
  );
  if (status !== 0) {
    throw new Error(`openssl: ${String(error)}`);
  }
  return stdout.trim().split(/[= ]+/).at(-1) ?? '';
}

interface Recorded {
  readonly eventId: string | null;
  readonly input: DeliverWebhookInput;
}

async function record(app: App, type: EventType, refunded?: 'late'): Promise<Recorded> {
  const scope = { applicationId: app.applicationId, mode: 'TEST' } as const;
  const eventId = await world.database.withScope(scope, async (statements) => {
    const [row] = await statements.execute<{ id: string; reference: string }[]>(
      `insert into payments (application_id, mode, reference, contract, merchant_reference, status, amount_minor, currency, customer_reference, gateway,
         gateway_txn_id, fee_minor, paid_at, ended_at, expires_at, next_sweep_at, metadata)
       values (?::bigint, 'TEST', 'PAY_20260517_' || upper(substr(md5(random()::text), 1, 6)), 'shadhinpay', 'order ' || random(), 'SUCCEEDED', 150050,
         'BDT', 'c', 'bkash', 't', 0, now(), now(), now(), now(), '{"valueA":"campaign=summer"}') returning id, reference`,
      [app.applicationId],
    );
    const payment = await readPayment(statements, scope, BigInt(row?.id ?? 0));
    if (payment === null) {
      throw new Error('no payment');
    }
    let refund = {};
    if (type.includes('refund')) {
      const reference = `REF_20260517_${payment.reference.slice(-6)}`;
      await statements.execute(
        `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, reason, gateway, store_id, gateway_txn_id,
           created_by_type, ended_at, succeeded_at)
         values (?::bigint, 'TEST', ?::bigint, ?, 'SUCCEEDED', 50000, 'BDT', 'Returned', 'bkash', 's', 't', 'APP', now(), now())`,
        [app.applicationId, payment.id, reference],
      );
      const made = await readRefundByReference(statements, scope, reference);
      refund = made === null ? {} : { refund: { ...made, unappliedPaymentId: refunded === 'late' ? 1n : null } };
    }
    const event = await recordPaymentEvent(statements, payment, { type, sequence: 1, data: { id: 1 }, ...refund });
    return event?.eventId ?? null;
  });
  const { applicationId, mode } = scope;
  const input = { applicationId: String(applicationId), mode, attempt: 1, recorded: null, resend: false };
  return { eventId, input: { ...input, eventId: eventId ?? '' } };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('an event is signed over `t=`, its time and the raw body, and carries no other contract’s signature', async () => {
  // Receivers written from the documentation must be able to verify it unchanged.
  const app = await world.app(url);
  const { eventId, input } = await record(app, 'payment.succeeded');
  expect(await world.activities.deliverWebhook(input)).toMatchObject({ kind: 'delivered' });
  const [got] = received.splice(0);
  const [, time = '', signature = ''] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(got?.headers['x-shadhinpay-signature'])) ?? [];
  expect(signature).toBe(opensslHmac(`t=${time}.${got?.body ?? ''}`, app.testSigningSecret));
  expect(Math.abs(Number(time) - Date.now() / 1_000)).toBeLessThan(120);
  expect(got?.headers).toMatchObject({
    'content-type': 'application/json',
    'x-shadhinpay-event-id': eventId,
    'x-shadhinpay-delivery-attempt': '1',
    'x-shadhinpay-trace-id': expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(got?.headers['webhook-signature'] ?? got?.headers['x-ownpay-signature']).toBeUndefined();
  expect(JSON.parse(got?.body ?? '')).toEqual({
    eventId: expect.stringMatching(UUID),
    eventType: 'payment.completed',
    businessId: Number(app.applicationId),
    occurredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    payload: {
      paymentId: expect.stringMatching(/^PAY_/),
      merchantTxnId: expect.stringMatching(/^order /),
      amount: '1500.50',
      currency: 'BDT',
      status: 'COMPLETED',
      vendor: 'BKASH',
      valueA: 'campaign=summer',
    },
  });
  expect((JSON.parse(got?.body ?? '') as { eventId: string }).eventId).toBe(eventId);
});

test('is tried six times with the same bytes, numbered, and then given up', async () => {
  // The published schedule: 1, 5 and 15 minutes, 1 and 6 hours.
  const app = await world.app(url);
  const { input } = await record(app, 'payment.succeeded');
  answer = 500;
  try {
    const waits: unknown[] = [];
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      const result = await world.activities.deliverWebhook({
        ...input,
        attempt,
        recorded: attempt === 1 ? null : attempt - 1,
      });
      waits.push(result.kind === 'retry' ? Math.floor(result.retryInMs / 60_000) : result.kind);
      await world.rows('update webhook_events set next_attempt_at = now() where event_id = ?', [input.eventId]);
      // After so many failures, the endpoint's circuit would only delay the next attempt.
      await world.rows(
        'update webhook_endpoints set consecutive_failures = 0, circuit_open_until = null where application_id = ?',
        [app.applicationId],
      );
    }
    const bounds = [1, 5, 15, 60, 360];
    expect(
      waits.slice(0, 5).every((wait, i) => Number(wait) >= (bounds[i] ?? 0) && Number(wait) <= (bounds[i] ?? 0) * 1.21),
    ).toBe(true);
    expect(waits[5]).toBe('parked');
    const got = received.splice(0);
    expect(got.map(({ headers }) => headers['x-shadhinpay-delivery-attempt'])).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(new Set(got.map(({ body }) => body)).size).toBe(1);
    expect(new Set(got.map(({ headers }) => headers['x-shadhinpay-event-id'])).size).toBe(1);
  } finally {
    answer = 204;
  }
});

test('while a secret is rotated, the attempt that a shop with the former one refuses goes on under that one, with the same number', async () => {
  // The header has room for one signature, and the former secret must sign until the overlap ends.
  const app = await world.app(url);
  const rotation = { applicationId: app.applicationId, mode: 'TEST', overlapHours: 24 } as const;
  await world.database.withSystem((em) => rotateSigningSecret(em, secretBox, rotation));
  judge = ({ headers, body }) => {
    const [time = '', signature = ''] = String(headers['x-shadhinpay-signature']).split(',v1=');
    return signature === opensslHmac(`${time}.${body}`, app.testSigningSecret) ? 204 : 401;
  };
  try {
    const { input } = await record(app, 'payment.succeeded');
    expect(await world.activities.deliverWebhook(input)).toEqual({ kind: 'delivered' });
    const got = received.splice(0);
    expect(got.map(({ headers }) => headers['x-shadhinpay-delivery-attempt'])).toEqual(['1', '1']);
    expect(new Set(got.map(({ headers }) => headers['x-shadhinpay-event-id'])).size).toBe(1);
    expect(new Set(got.map(({ headers }) => headers['x-shadhinpay-signature'])).size).toBe(2);
  } finally {
    judge = null;
  }
});

describe('what a business hears', () => {
  test('is what is on by default', async () => {
    // Cancellations and expiries are sent only to businesses that chose them.
    const app = await world.app(url);
    const told = async (type: EventType) => (await record(app, type)).eventId !== null;
    expect([await told('payment.succeeded'), await told('payment.failed'), await told('payment.refunded')]).toEqual([
      true,
      true,
      true,
    ]);
    expect([await told('payment.cancelled'), await told('payment.expired'), await told('refund.succeeded')]).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('is what it has chosen', async () => {
    // The subscription is a setting of the business.
    const app = await world.app(url);
    const { applicationId } = app;
    await updateApplication({ database: world.database }, { applicationId, shadhinpayEvents: ['payment.expired'] });
    expect((await record(app, 'payment.succeeded')).eventId).toBeNull();
    expect((await record(app, 'payment.expired')).eventId).toMatch(UUID);
    await updateApplication({ database: world.database }, { applicationId, shadhinpayEvents: null });
    expect((await record(app, 'payment.succeeded')).eventId).toMatch(UUID);
  });

  test('tells a refund with its part and the sum, and nothing of unapplied money', async () => {
    // An unapplied payment was never part of the payment.
    const app = await world.app(url);
    const { input } = await record(app, 'payment.refunded');
    await world.activities.deliverWebhook(input);
    const [got] = received.splice(0);
    expect(JSON.parse(got?.body ?? '')).toMatchObject({
      eventType: 'payment.refunded',
      payload: {
        refundId: expect.stringMatching(/^REF_/),
        refundAmount: '500.00',
        refundTotal: '500.00',
        reason: 'Returned',
        merchantRef: null,
      },
    });
    expect((await record(app, 'payment.refunded', 'late')).eventId).toBeNull();
  });
});
