import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { recordPaymentEvent } from '../../activities/payment-event.ts';
import { readPayment } from '../../database/payments.ts';
import { rotateSigningSecret } from '../../database/signing-secrets.ts';
import type { DeliverWebhookInput } from '../../workflows/messages/webhook.ts';
import { createWorld, secretBox, type App, type World } from '../webhooks/world.ts';

interface Received {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

let world: World;
let server: Server;
let url: string;
let answer = 204;
const received: Received[] = [];

beforeAll(async () => {
  world = await createWorld();
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(answer).end();
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

/** PHP's own HMAC, as the documents' receivers compute it. */
function phpSignature(body: string, secret: string): string {
  const script = 'echo "sha256=" . hash_hmac("sha256", stream_get_contents(STDIN), $argv[1]);';
  const { stdout, status, error } = spawnSync('php', ['-r', script, '--', secret], { input: body, encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`php: ${String(error)}`);
  }
  return stdout;
}

async function eventOf(app: App): Promise<DeliverWebhookInput> {
  const scope = { applicationId: app.applicationId, mode: 'TEST' } as const;
  const eventId = await world.database.inTransaction(scope, async (statements) => {
    const [row] = await statements.execute<{ id: string }[]>(
      `insert into payments (application_id, mode, reference, dialect, merchant_reference, status, amount_minor, currency, customer_reference, gateway,
         gateway_txn_id, fee_minor, paid_at, ended_at, expires_at, next_sweep_at)
       values (?::bigint, 'TEST', 'txn_' || substr(md5(random()::text), 1, 16), 'ownpay', 'ORDER-1', 'SUCCEEDED', 9990, 'BDT', 'ORDER-1', 'sslcommerz',
         't', 0, now(), now(), now(), now()) returning id`,
      [app.applicationId],
    );
    const payment = await readPayment(statements, scope, BigInt(row?.id ?? 0));
    if (payment === null) {
      throw new Error('no payment');
    }
    expect(
      await recordPaymentEvent(statements, payment, { type: 'refund.succeeded', sequence: 2, data: {} }),
    ).toBeNull();
    const event = await recordPaymentEvent(statements, payment, { type: 'payment.succeeded', sequence: 1, data: {} });
    return event?.eventId ?? '';
  });
  const { applicationId, mode } = scope;
  return { eventId, applicationId: String(applicationId), mode, attempt: 1, recorded: null, resend: false };
}

test('an event is signed over its raw body by the secret as it is shown, and carries no other contract’s signature', async () => {
  // Receivers that were written from the documents verify it unchanged.
  const app = await world.app(url);
  const input = await eventOf(app);
  expect(await world.activities.deliverWebhook(input)).toMatchObject({ kind: 'delivered' });
  const [got] = received.splice(0);
  expect(got?.headers['x-ownpay-signature']).toBe(phpSignature(got?.body ?? '', app.testSigningSecret));
  expect(got?.headers).toMatchObject({ 'x-webhook-id': input.eventId, 'content-type': 'application/json' });
  expect(got?.headers['webhook-signature']).toBeUndefined();
  expect(got?.body).toMatch(
    /^\{"event":"payment.completed","transaction_id":"txn_[0-9a-f]{16}","order_id":"ORDER-1","amount":99.90,"currency":"BDT","status":"completed","paid_at":"[^".]+Z","gateway":"sslcommerz"\}$/,
  );
});

test('while a secret is rotated, one of two attempts is signed by each', async () => {
  // The header has room for one signature, and a receiver changes its secret when it likes.
  const app = await world.app(url);
  const rotated = await world.database.withSystem((em) =>
    rotateSigningSecret(em, secretBox, { applicationId: app.applicationId, mode: 'TEST', overlapHours: 24 }),
  );
  const input = await eventOf(app);
  answer = 401;
  const first = await world.activities.deliverWebhook(input);
  expect(first).toMatchObject({ kind: 'retry' });
  answer = 204;
  await world.rows('update webhook_events set next_attempt_at = now() where event_id = ?', [input.eventId]);
  expect(await world.activities.deliverWebhook({ ...input, attempt: 2, recorded: 1 })).toMatchObject({
    kind: 'delivered',
  });
  const [one, two] = received.splice(0);
  expect(one?.body).toBe(two?.body);
  expect(one?.headers['x-ownpay-signature']).toBe(phpSignature(one?.body ?? '', rotated.signingSecret));
  expect(two?.headers['x-ownpay-signature']).toBe(phpSignature(two?.body ?? '', app.testSigningSecret));
});
