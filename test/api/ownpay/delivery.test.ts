import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { recordPaymentEvent } from '../../../core/payments/payment-event.ts';
import { readPayment } from '../../../core/payments/store/payments.ts';
import { rotateSigningSecret } from '../../../core/webhooks/store/signing-secrets.ts';
import type { DeliverWebhookInput } from '../../../workflows/messages/webhook.ts';
import { createWorld, secretBox, type App, type World } from '../../core/webhooks/world.ts';

interface Received {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

let world: World;
let server: Server;
let url: string;
/** Returns the response status; 0 closes the connection. */
let judge: (request: Received) => number = () => 204;
const received: Received[] = [];

beforeAll(async () => {
  world = await createWorld();
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const got = { headers: request.headers, body: Buffer.concat(chunks).toString('utf8') };
      received.push(got);
      const status = judge(got);
      if (status === 0) {
        request.socket.destroy();
      } else {
        response.writeHead(status).end();
      }
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

/** Returns the HMAC that PHP computes, as receivers in the documentation do. */
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
  const eventId = await world.database.withScope(scope, async (statements) => {
    const [row] = await statements.execute<{ id: string }[]>(
      `insert into payments (application_id, mode, reference, contract, merchant_reference, status, amount_minor, currency, customer_reference, gateway,
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
      await recordPaymentEvent(statements, payment, { type: 'refund.succeeded', sequence: 2, data: { id: 1 } }),
    ).toBeNull();
    const event = await recordPaymentEvent(statements, payment, {
      type: 'payment.succeeded',
      sequence: 1,
      data: { id: 1 },
    });
    return event?.eventId ?? '';
  });
  const { applicationId, mode } = scope;
  return { eventId, applicationId: String(applicationId), mode, attempt: 1, recorded: null, resend: false };
}

test('an event is signed over its raw body by the secret as it is shown, and carries no other contract’s signature', async () => {
  // Receivers written from the documentation must be able to verify it unchanged.
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

describe('while a secret is rotated', () => {
  const KEEPS_OLD = 401;
  const rotate = (app: App) =>
    world.database.withSystem((em) =>
      rotateSigningSecret(em, secretBox, { applicationId: app.applicationId, mode: 'TEST', overlapHours: 24 }),
    );
  const takesOnly = (secret: string, otherwise = KEEPS_OLD) => {
    judge = ({ headers, body }) => (headers['x-ownpay-signature'] === phpSignature(body, secret) ? 204 : otherwise);
  };
  const attemptsOf = ({ eventId }: DeliverWebhookInput) =>
    world.rows(
      'select number, response_status, error from webhook_attempts where webhook_event_id = (select id from webhook_events where event_id = ?)',
      [eventId],
    );
  const failuresOf = async ({ applicationId }: App) =>
    (
      await world.rows(
        `select consecutive_failures, circuit_open_until from webhook_endpoints where application_id = ?::bigint and mode = 'TEST'`,
        [applicationId],
      )
    )[0];

  test('one attempt offers the event under each secret that signs, so that a shop with the promised one takes every event', async () => {
    // The header has room for one signature, and a shop may change its secret at any time during the overlap.
    const app = await world.app(url);
    const { signingSecret } = await rotate(app);
    takesOnly(app.testSigningSecret);
    const input = await eventOf(app);
    expect(await world.activities.deliverWebhook(input)).toEqual({ kind: 'delivered' });
    const [one, two, ...others] = received.splice(0);
    expect(others).toEqual([]);
    expect(one?.body).toBe(two?.body);
    expect(one?.headers['x-webhook-id']).toBe(two?.headers['x-webhook-id']);
    expect(one?.headers['x-ownpay-signature']).toBe(phpSignature(one?.body ?? '', signingSecret));
    expect(two?.headers['x-ownpay-signature']).toBe(phpSignature(two?.body ?? '', app.testSigningSecret));
    expect(await attemptsOf(input)).toEqual([{ number: 1, response_status: 204, error: null }]);
    // The circuit must stay closed, however many events follow.
    for (let event = 0; event < 8; event += 1) {
      expect(await world.activities.deliverWebhook(await eventOf(app))).toEqual({ kind: 'delivered' });
    }
    expect(await failuresOf(app)).toEqual({ consecutive_failures: 0, circuit_open_until: null });
  });

  test('the secret that the shop accepted last is offered first, whichever it is', async () => {
    // Otherwise a shop that keeps the old secret until the end would refuse each event once.
    const app = await world.app(url);
    const { signingSecret } = await rotate(app);
    const requestsFor = async () => {
      received.splice(0);
      expect(await world.activities.deliverWebhook(await eventOf(app))).toEqual({ kind: 'delivered' });
      return received.splice(0).length;
    };
    takesOnly(app.testSigningSecret);
    expect([await requestsFor(), await requestsFor()]).toEqual([2, 1]);
    takesOnly(signingSecret);
    expect([await requestsFor(), await requestsFor()]).toEqual([2, 1]);
  });

  test('an attempt has failed only when every secret was refused, and is one failure', async () => {
    // An application with more secrets must not count more failures for its shop.
    const app = await world.app(url);
    await rotate(app);
    await rotate(app);
    takesOnly('neither', 400);
    const input = await eventOf(app);
    expect(await world.activities.deliverWebhook(input)).toMatchObject({ kind: 'retry', status: 400, recorded: 1 });
    expect(received.splice(0)).toHaveLength(3);
    expect(await attemptsOf(input)).toEqual([{ number: 1, response_status: 400, error: 'HTTP_400' }]);
    expect(await failuresOf(app)).toMatchObject({ consecutive_failures: 1 });
  });

  test.each([302, 410, 429, 500, 503])(
    '%i is no word about the signature: no other secret is tried',
    async (status) => {
      // A shop that is busy or broken may have processed the event, and should not be called again at once.
      const app = await world.app(url);
      await rotate(app);
      takesOnly('neither', status);
      await world.activities.deliverWebhook(await eventOf(app));
      expect(received.splice(0)).toHaveLength(1);
    },
  );

  test('a shop that does not answer is not asked under another secret', async () => {
    // The shop may have processed the event.
    const app = await world.app(url);
    await rotate(app);
    takesOnly('neither', 0);
    expect(await world.activities.deliverWebhook(await eventOf(app))).toMatchObject({ error: 'CONNECTION_RESET' });
    expect(received.splice(0)).toHaveLength(1);
  });
});
