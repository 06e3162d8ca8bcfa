import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import {
  insertApplication,
  prepareRegistration,
  updateApplication,
} from '../../../core/applications/store/applications.ts';
import { rotateSigningSecret } from '../../../core/webhooks/store/signing-secrets.ts';
import type { DeliverWebhookInput } from '../../../workflows/messages/webhook.ts';
import { until } from '../../support/until.ts';
import {
  listenHttp,
  listenRaw,
  type Answer,
  type Listener,
  type Received,
} from '../../runtime/http-client/listener.ts';
import { createWorld, secretBox, type App, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const listeners: Listener[] = [];
beforeEach(() => {
  world.clock.offsetMs = 0;
  world.log.length = 0;
});
afterEach(async () => {
  await Promise.all(listeners.splice(0).map((listener) => listener.close()));
});

async function receiver(answer: Answer | number): Promise<Listener> {
  const listener = await listenHttp(
    typeof answer === 'number' ? (response) => response.writeHead(answer).end() : answer,
  );
  listeners.push(listener);
  return listener;
}

const deliver = (input: DeliverWebhookInput) => world.activities.deliverWebhook(input);
const eventRow = async ({ eventId }: DeliverWebhookInput) =>
  (await world.rows('select * from webhook_events where event_id = ?', [eventId]))[0];
const endpointRow = async ({ applicationId }: App) =>
  (
    await world.rows(`select * from webhook_endpoints where application_id = ?::bigint and mode = 'TEST'`, [
      applicationId,
    ])
  )[0];
const attemptsOf = ({ eventId }: DeliverWebhookInput) =>
  world.rows(
    'select a.* from webhook_attempts a join webhook_events e on e.id = a.webhook_event_id where e.event_id = ? order by number',
    [eventId],
  );

describe('an event', () => {
  test('arrives signed, with exactly the stored bytes, and is recorded as delivered', async () => {
    const shop = await receiver(200);
    const app = await world.app(`${shop.url}/hook?x=1`);
    const input = await world.event(app, { amountMinor: 9_007_199_254_740_991, note: '৳ 💸 \u0000 \ud800 \u202e' });
    expect(await deliver(input)).toEqual({ kind: 'delivered' });
    const [request] = shop.received;
    const row = await eventRow(input);
    expect(request?.path).toBe('/hook?x=1');
    expect(request?.body.toString()).toBe(row?.['payload']);
    expect(request?.headers).toMatchObject({
      'webhook-id': input.eventId,
      'x-webhook-id': input.eventId,
      'content-type': 'application/json',
      'user-agent': 'Lenden/0.1',
    });
    const headers = Object.fromEntries(
      Object.entries(request?.headers ?? {}).map(([name, value]) => [name, `${value}`]),
    );
    expect(new Webhook(app.testSigningSecret).verify(request?.body ?? '', headers)).toMatchObject({
      id: input.eventId,
      type: 'payment.succeeded',
      schemaVersion: 1,
      mode: 'TEST',
      sequence: 1,
      data: { amountMinor: 9_007_199_254_740_991 },
    });
    expect(row).toMatchObject({
      delivery_status: 'DELIVERED',
      attempts: 1,
      next_attempt_at: null,
      next_sweep_at: null,
    });
    expect(await attemptsOf(input)).toMatchObject([{ number: 1, response_status: 200, error: null }]);
  });

  test('that was delivered is not sent again by a repeated attempt', async () => {
    // The worker may die between the commit and its answer to Temporal.
    const shop = await receiver(204);
    const input = await world.event(await world.app(shop.url));
    await deliver(input);
    expect(await deliver(input)).toEqual({ kind: 'delivered' });
    expect(shop.received).toHaveLength(1);
  });

  test('whose failed attempt was recorded is not sent again before its time', async () => {
    // A repeated activity continues from the row, where the attempt is already counted.
    const shop = await receiver(500);
    const input = await world.event(await world.app(shop.url));
    const first = await deliver(input);
    expect(first).toMatchObject({ kind: 'retry', attempt: 2, recorded: 1, status: 500, error: 'HTTP_500' });
    const again = await deliver(input);
    expect(again).toMatchObject({ kind: 'retry', attempt: 2, recorded: 1, status: 500 });
    expect(await deliver({ ...input, recorded: 0 })).toMatchObject({ kind: 'retry', attempt: 2, recorded: 1 });
    expect(shop.received).toHaveLength(1);
    expect(await eventRow(input)).toMatchObject({
      delivery_status: 'RETRYING',
      attempts: 1,
      last_response_status: 500,
    });
  });

  test('keeps its id over attempts while the timestamp is fresh', async () => {
    // Receivers deduplicate by the id and refuse old timestamps.
    const shop = await receiver(500);
    const input = await world.event(await world.app(shop.url));
    await deliver(input);
    world.clock.offsetMs = 60_000;
    await deliver({ ...input, attempt: 2, recorded: 1 });
    const [first, second] = shop.received.map(({ headers }) => headers);
    expect(second?.['webhook-id']).toBe(first?.['webhook-id']);
    const elapsed = Number(second?.['webhook-timestamp']) - Number(first?.['webhook-timestamp']);
    expect(elapsed).toBeGreaterThanOrEqual(60);
    expect(elapsed).toBeLessThanOrEqual(63);
    expect(second?.['webhook-signature']).not.toBe(first?.['webhook-signature']);
  });

  test('is parked at once without an endpoint, and sent when its delivery is started after a URL was set', async () => {
    // An app may register its URL later and then get the missed events.
    const app = await world.app(null);
    const input = await world.event(app);
    expect(await eventRow(input)).toMatchObject({
      delivery_status: 'PARKED',
      last_error: 'NO_ENDPOINT',
      next_sweep_at: null,
    });
    expect(await deliver(input)).toEqual({ kind: 'parked', reason: 'NO_ENDPOINT' });
    const shop = await receiver(200);
    await world.setUrl(app, shop.url);
    expect(await deliver(input)).toEqual({ kind: 'delivered' });
    expect(shop.received).toHaveLength(1);
  });

  test('is parked after the tenth failure', async () => {
    // An event must neither be retried forever nor disappear.
    const shop = await receiver(500);
    const input = await world.event(await world.app(shop.url));
    await deliver(input);
    expect(await deliver({ ...input, attempt: 10, recorded: 1 })).toEqual({
      kind: 'parked',
      reason: 'ATTEMPTS_EXHAUSTED',
    });
    expect(await eventRow(input)).toMatchObject({
      delivery_status: 'PARKED',
      next_attempt_at: null,
      next_sweep_at: null,
    });
    expect(world.log).toContainEqual(expect.objectContaining({ alert: 'webhook-parked', event: input.eventId }));
    expect(await deliver(input)).toMatchObject({ kind: 'retry', attempt: 2, recorded: 3 });
  });

  test('can be sent again by an operator after it was delivered, under the same id, and stays delivered', async () => {
    // A receiver that lost an event can get it again.
    let status = 200;
    const shop = await receiver((response) => response.writeHead(status).end());
    const input = await world.event(await world.app(shop.url));
    await deliver(input);
    status = 500;
    expect(await deliver({ ...input, resend: true })).toEqual({ kind: 'delivered' });
    expect(shop.received.map(({ headers }) => headers['x-webhook-id'])).toEqual([input.eventId, input.eventId]);
    expect(await eventRow(input)).toMatchObject({ delivery_status: 'DELIVERED', attempts: 2, next_attempt_at: null });
  });

  test('of another app or mode is unknown to a delivery', async () => {
    // Applications and modes must also be isolated in deliveries.
    const shop = await receiver(200);
    const input = await world.event(await world.app(shop.url));
    const other = await world.app(shop.url);
    const unknown = { kind: 'parked', reason: 'UNKNOWN_EVENT' };
    expect(await deliver({ ...input, applicationId: other.applicationId.toString() })).toEqual(unknown);
    expect(await deliver({ ...input, mode: 'LIVE' })).toEqual(unknown);
    expect(shop.received).toHaveLength(0);
  });

  test('and its payload never reach the log, nor does the secret', async () => {
    // People who may not see payers' data read the logs.
    const shop = await receiver((response) => response.writeHead(500).end('reply-canary'));
    const app = await world.app(`${shop.url}/?token=url-canary`);
    await deliver(await world.event(app, { name: 'payer-canary' }));
    const text = JSON.stringify(world.log);
    expect(text).toContain('webhook attempt failed');
    expect(text).not.toMatch(/canary/);
    expect(text).not.toContain(app.testSigningSecret);
  });
});

describe('a receiver that answers', () => {
  test.each([301, 302, 307, 308, 400, 401, 404, 500])('%i has not received the event', async (status) => {
    // Only 2xx is an acknowledgement, and a redirect is never followed.
    const elsewhere = await receiver(200);
    const shop = await receiver((response) => response.writeHead(status, { location: elsewhere.url }).end('no'));
    const input = await world.event(await world.app(shop.url));
    expect(await deliver(input)).toMatchObject({ kind: 'retry', status, error: `HTTP_${status}` });
    expect(await attemptsOf(input)).toMatchObject([{ response_status: status, response_excerpt: 'no' }]);
    expect(elsewhere.sockets.total).toBe(0);
  });

  test('200 with a Refresh header or a slow, endless body has received it', async () => {
    // The status is the acknowledgement. Nothing after it has an effect.
    const elsewhere = await receiver(200);
    const shop = await receiver((response) => {
      response.writeHead(200, { refresh: `0; url=${elsewhere.url}` });
      response.end(Buffer.alloc(1 << 20, 'x'));
    });
    const input = await world.event(await world.app(shop.url));
    expect(await deliver(input)).toEqual({ kind: 'delivered' });
    expect(elsewhere.sockets.total).toBe(0);
    const [attempt] = await attemptsOf(input);
    expect(String(attempt?.['response_excerpt'])).toHaveLength(1_024);
  });

  test('429 with Retry-After moves the next attempt later, never earlier', async () => {
    // A receiver may ask for a delay, but not for a shorter one.
    let retryAfter = '3600';
    const shop = await receiver((response) => response.writeHead(429, { 'retry-after': retryAfter }).end());
    const app = await world.app(shop.url);
    const input = await world.event(app);
    expect(await deliver(input)).toMatchObject({ kind: 'retry', retryInMs: 3_600_000 });
    const row = await eventRow(input);
    expect(new Date(String(row?.['next_attempt_at'])).getTime() - Date.now()).toBeGreaterThan(3_590_000);
    retryAfter = '1';
    const later = await deliver({ ...(await world.event(app)), attempt: 3 });
    expect(later).toMatchObject({ kind: 'retry', attempt: 4 });
    expect(later.kind === 'retry' && later.retryInMs).toBeGreaterThanOrEqual(1_800_000);
  });

  test('410 disables its endpoint at once, with an operator event, and parks what follows', async () => {
    // An endpoint that answers 410 Gone must not be called again.
    const shop = await receiver(410);
    const app = await world.app(shop.url);
    const [input, next] = [await world.event(app), await world.event(app)];
    expect(await deliver(input)).toEqual({ kind: 'parked', reason: 'ENDPOINT_DISABLED' });
    expect(await deliver(next)).toEqual({ kind: 'parked', reason: 'ENDPOINT_DISABLED' });
    expect(await eventRow(await world.event(app))).toMatchObject({ delivery_status: 'PARKED' });
    expect(shop.received).toHaveLength(1);
    expect(await endpointRow(app)).toMatchObject({ disabled_reason: 'GONE', disabled_at: expect.anything() });
    expect(world.log).toContainEqual(expect.objectContaining({ alert: 'webhook-endpoint-disabled', reason: 'GONE' }));
    await world.setUrl(app, (await receiver(200)).url);
    expect(await deliver(next)).toEqual({ kind: 'delivered' });
  });
});

describe('an endpoint that keeps failing', () => {
  test('is disabled after five days of nothing but failures; one success starts the count anew', async () => {
    // Five days without a success mean that the receiver is gone.
    let status = 500;
    const shop = await receiver((response) => response.writeHead(status).end());
    const app = await world.app(shop.url);
    await deliver(await world.event(app));
    expect(await endpointRow(app)).toMatchObject({ consecutive_failures: 1, failing_since: expect.anything() });
    status = 200;
    await deliver(await world.event(app));
    expect(await endpointRow(app)).toMatchObject({ consecutive_failures: 0, failing_since: null });
    status = 500;
    world.clock.offsetMs = 4 * 86_400_000;
    await deliver(await world.event(app));
    world.clock.offsetMs = 8 * 86_400_000;
    expect(await deliver(await world.event(app))).toMatchObject({ kind: 'retry' });
    world.clock.offsetMs = 9 * 86_400_000 + 60_000;
    expect(await deliver(await world.event(app))).toEqual({ kind: 'parked', reason: 'ENDPOINT_DISABLED' });
    expect(await endpointRow(app)).toMatchObject({ disabled_reason: 'FAILING_FOR_5_DAYS' });
  });

  test('opens its circuit after five failures: no connection while it is open, one probe after it, closed by a success', async () => {
    // A dead receiver must cost one request per period, not one per event.
    let status = 500;
    const shop = await receiver((response) => setTimeout(() => response.writeHead(status).end(), 50));
    const app = await world.app(shop.url);
    for (let failures = 0; failures < 5; failures += 1) {
      await deliver(await world.event(app));
    }
    const waiting = await Promise.all(Array.from({ length: 8 }, () => world.event(app)));
    const putOff = await Promise.all(waiting.slice(0, 4).map(deliver));
    expect(putOff.map(({ kind }) => kind)).toEqual(['put-off', 'put-off', 'put-off', 'put-off']);
    expect(putOff[0]).toMatchObject({ reason: 'CIRCUIT_OPEN' });
    expect(shop.received).toHaveLength(5);
    const [first] = waiting;
    expect(first === undefined ? null : await eventRow(first)).toMatchObject({
      attempts: 0,
      delivery_status: 'PENDING',
    });

    world.clock.offsetMs = 31_000;
    const probed = await Promise.all(waiting.slice(0, 5).map(deliver));
    expect(probed.filter(({ kind }) => kind === 'retry')).toHaveLength(1);
    expect(probed.filter(({ kind }) => kind === 'put-off')).toHaveLength(4);
    expect(shop.received).toHaveLength(6);

    status = 200;
    world.clock.offsetMs = 31_000 + 61_000;
    const last = waiting.slice(5);
    const [probe] = last;
    expect(probe === undefined ? null : await deliver(probe)).toEqual({ kind: 'delivered' });
    expect(await endpointRow(app)).toMatchObject({ consecutive_failures: 0, circuit_open_until: null });
    expect(await Promise.all(last.slice(1).map(deliver))).toEqual([{ kind: 'delivered' }, { kind: 'delivered' }]);
  });

  test('never holds more than five connections, and healthy endpoints beside it deliver meanwhile', async () => {
    // A dead receiver must not slow down the others.
    const dead = await listenRaw(() => undefined);
    listeners.push(dead);
    const shop = await receiver(200);
    const deadApp = await world.app(dead.url);
    const stuck = Promise.all(
      (await Promise.all(Array.from({ length: 40 }, () => world.event(deadApp)))).map((input) =>
        deliver(input).catch(() => null),
      ),
    );
    const apps = await Promise.all(Array.from({ length: 9 }, () => world.app(shop.url)));
    const healthy = await Promise.all(apps.map(async (app) => deliver(await world.event(app))));
    expect(healthy.every(({ kind }) => kind === 'delivered')).toBe(true);
    expect(await Promise.race([stuck, Promise.resolve('still stuck')])).toBe('still stuck');
    expect(dead.sockets.total).toBe(5);
    await dead.close();
    const results = await stuck;
    expect(results.filter((result) => result?.kind === 'put-off')).toHaveLength(35);
    expect(results.filter((result) => result?.kind === 'retry')).toHaveLength(5);
  });

  test('counts a failure of the old URL for nothing after a new one was set', async () => {
    // A new registration starts without failures.
    let app: App | undefined;
    const shop = await receiver((response) => {
      void (app === undefined ? Promise.resolve() : world.setUrl(app, 'https://new.example.com/')).then(() =>
        response.writeHead(410).end(),
      );
    });
    app = await world.app(shop.url);
    await deliver(await world.event(app));
    expect(await endpointRow(app)).toMatchObject({ disabled_at: null, consecutive_failures: 0 });
  });
});

describe('an endpoint that may not be reached', () => {
  test.each([
    ['https://127.0.0.1.nip.example.invalid/', 'URL_REFUSED'],
    ['https://localhost/', 'URL_REFUSED'],
    ['http://169.254.169.254/latest/meta-data', 'URL_REFUSED'],
  ])('%s fails its attempts without a connection', async (url, error) => {
    // The URL rules apply at every attempt, whatever is in the database.
    const input = await world.event(await world.app(url));
    expect(await deliver(input)).toMatchObject({ kind: 'retry', status: null, error });
    expect(await attemptsOf(input)).toMatchObject([{ response_status: null, error }]);
  });

  test('with a secret that the master key does not open is not blamed for it', async () => {
    // An operator's mistake must not disable an app's endpoint.
    const shop = await receiver(200);
    const app = await world.app(shop.url);
    await world.rows('update webhook_signing_secrets set sealed = ? where application_id = ?::bigint returning 1', [
      'v1.lost.x',
      app.applicationId,
    ]);
    expect(await deliver(await world.event(app))).toMatchObject({ kind: 'retry', error: 'SECRET_UNREADABLE' });
    expect(await endpointRow(app)).toMatchObject({ consecutive_failures: 0 });
    expect(shop.sockets.total).toBe(0);
  });
});

function isSignedBy(secret: string, request: Received | undefined): boolean {
  const headers = Object.fromEntries(
    Object.entries(request?.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  try {
    new Webhook(secret).verify(request?.body ?? '', headers);
    return true;
  } catch {
    return false;
  }
}

const ROTATION = { mode: 'TEST', overlapHours: 24 } as const;

describe('a signing secret', () => {
  const rotate = (app: App, change: { mode?: 'TEST' | 'LIVE'; overlapHours?: number; revokeFormer?: boolean } = {}) =>
    world.database.withSystem((em) =>
      rotateSigningSecret(em, secretBox, { applicationId: app.applicationId, ...ROTATION, ...change }),
    );
  /** Returns which of the secrets signed the next delivery. */
  async function signersOf(app: App, shop: Listener, secrets: readonly string[]): Promise<boolean[]> {
    await deliver(await world.event(app));
    return secrets.map((secret) => isSignedBy(secret, shop.received.at(-1)));
  }
  const pass = (app: App, hours: number) =>
    world.rows(
      `update webhook_signing_secrets set expires_at = expires_at - ? * interval '1 hour' where application_id = ?::bigint returning 1`,
      [hours, app.applicationId],
    );

  test('that is rotated signs beside the new one until its overlap ends', async () => {
    // Receivers may change their secret at any time during the overlap. Then the old secret ends.
    const shop = await receiver(200);
    const app = await world.app(shop.url);
    const { signingSecret: next } = await rotate(app);
    const secrets = [app.testSigningSecret, next];
    expect(await signersOf(app, shop, secrets)).toEqual([true, true]);
    await pass(app, 25);
    expect(await signersOf(app, shop, secrets)).toEqual([false, true]);
    expect(String(shop.received.at(-1)?.headers['webhook-signature']).split(' ')).toHaveLength(1);
  });

  test('signs for as long as it was promised, however often it is rotated', async () => {
    // A second rotation must not cut off receivers that were given time.
    const shop = await receiver(200);
    const app = await world.app(shop.url);
    const first = app.testSigningSecret;
    const { signingSecret: second } = await rotate(app);
    const { signingSecret: third } = await rotate(app, { overlapHours: 2 });
    expect(await signersOf(app, shop, [first, second, third])).toEqual([true, true, true]);
    await expect(rotate(app)).rejects.toMatchObject({ code: 'INVALID_OPERATION_STATE' });
    expect(await signersOf(app, shop, [first, second, third])).toEqual([true, true, true]);
    // Without an overlap no new time is granted, so an operator who lost a secret need not wait.
    const { signingSecret: fourth } = await rotate(app, { overlapHours: 0 });
    expect(await signersOf(app, shop, [first, second, third, fourth])).toEqual([true, true, false, true]);
    await pass(app, 3);
    expect(await signersOf(app, shop, [first, second, third, fourth])).toEqual([true, false, false, true]);
    await rotate(app, { overlapHours: 1 });
    const kept = await world.rows(
      `select sealed is not null as kept, expires_at from webhook_signing_secrets where application_id = ?::bigint and mode = 'TEST' order by id`,
      [app.applicationId],
    );
    expect(kept.map((row) => row['kept'])).toEqual([true, false, false, true, true]);
  });

  test('that leaked ends at once, and the former ones with it, when the operator says so', async () => {
    // The overlap promised to receivers must not keep a leaked secret valid.
    const shop = await receiver(200);
    const app = await world.app(shop.url);
    const { signingSecret: second } = await rotate(app);
    const { signingSecret: third } = await rotate(app, { overlapHours: 0, revokeFormer: true });
    expect(await signersOf(app, shop, [app.testSigningSecret, second, third])).toEqual([false, false, true]);
  });

  test('takes its turn where two rotate at once', async () => {
    // Neither rotation may replace a secret that the other one has already replaced.
    const shop = await receiver(200);
    const app = await world.app(shop.url);
    const [one, two] = await Promise.all([rotate(app), rotate(app)]);
    expect(await signersOf(app, shop, [app.testSigningSecret, one.signingSecret, two.signingSecret])).toEqual([
      true,
      true,
      true,
    ]);
  });
});

describe('TEST and LIVE', () => {
  test('are signed by secrets of their own, also at one URL and after a rotation', async () => {
    // A caller with a TEST key controls the content of TEST events, so these must never be accepted as LIVE events.
    const shop = await receiver(200);
    const app = await world.app(shop.url);
    const rotated = await world.database.withSystem((em) =>
      rotateSigningSecret(em, secretBox, { applicationId: app.applicationId, mode: 'LIVE', overlapHours: 24 }),
    );
    const secrets = [app.testSigningSecret, app.signingSecret, rotated.signingSecret];
    for (const [mode, signers] of [
      ['TEST', [true, false, false]],
      ['LIVE', [false, true, true]],
    ] as const) {
      expect(await deliver(await world.event(app, {}, mode))).toEqual({ kind: 'delivered' });
      const valid = secrets.map((secret) => isSignedBy(secret, shop.received.at(-1)));
      expect({ mode, valid }).toEqual({ mode, valid: signers });
    }
  });

  test('go to URLs of their own where both are set', async () => {
    // A shop tests on another system than its customers use.
    const [live, trial] = [await receiver(200), await receiver(200)];
    const app = await world.app(live.url);
    const set = (settings: { webhookUrl?: string | null; testWebhookUrl?: string | null }) =>
      updateApplication({ database: world.database }, { applicationId: app.applicationId, ...settings });
    const arrivals = async () => {
      for (const mode of ['TEST', 'LIVE'] as const) {
        await deliver(await world.event(app, {}, mode));
      }
      const modes = (listener: Listener) =>
        listener.received.splice(0).map(({ body }) => (JSON.parse(body.toString()) as { mode: string }).mode);
      return { live: modes(live), trial: modes(trial) };
    };
    expect(await arrivals()).toEqual({ live: ['TEST', 'LIVE'], trial: [] });
    await set({ testWebhookUrl: trial.url });
    expect(await arrivals()).toEqual({ live: ['LIVE'], trial: ['TEST'] });
    await set({ webhookUrl: null });
    expect(await arrivals()).toEqual({ live: [], trial: ['TEST'] });
    await set({ webhookUrl: live.url, testWebhookUrl: null });
    expect(await arrivals()).toEqual({ live: ['TEST', 'LIVE'], trial: [] });
    await set({ webhookUrl: trial.url });
    expect(await arrivals()).toEqual({ live: [], trial: ['TEST', 'LIVE'] });
  });

  test('are disabled each by itself, also at one URL', async () => {
    // A staging shop that was shut down must not stop the events of the real shop.
    const shop = await receiver((response, request) =>
      response.writeHead(request.body.includes('"mode":"TEST"') ? 410 : 200).end(),
    );
    const app = await world.app(shop.url);
    expect(await deliver(await world.event(app))).toEqual({ kind: 'parked', reason: 'ENDPOINT_DISABLED' });
    expect(await endpointRow(app)).toMatchObject({ disabled_reason: 'GONE' });
    expect(await deliver(await world.event(app, {}, 'LIVE'))).toEqual({ kind: 'delivered' });
    expect(await eventRow(await world.event(app, {}, 'LIVE'))).toMatchObject({ delivery_status: 'PENDING' });
    expect(await eventRow(await world.event(app))).toMatchObject({ delivery_status: 'PARKED' });
  });

  test('have circuits and room of their own', async () => {
    // Failures or silent receivers in TEST must not delay events of LIVE.
    const shop = await receiver((response, request) => {
      if (!request.body.includes('"mode":"TEST"')) {
        response.writeHead(200).end();
      } else if (!request.body.includes('silent')) {
        response.writeHead(500).end();
      }
    });
    const failing = await world.app(shop.url);
    for (let failures = 0; failures < 5; failures += 1) {
      await deliver(await world.event(failing));
    }
    expect(await deliver(await world.event(failing))).toMatchObject({ kind: 'put-off', reason: 'CIRCUIT_OPEN' });
    expect(await deliver(await world.event(failing, {}, 'LIVE'))).toEqual({ kind: 'delivered' });

    const silent = await world.app(shop.url);
    const stuck = Promise.all(
      Array.from({ length: 5 }, async () => deliver(await world.event(silent, { manner: 'silent' }))),
    );
    const before = shop.received.length;
    await until(() => Promise.resolve(shop.received.length === before + 5));
    expect(await deliver(await world.event(silent))).toMatchObject({ kind: 'put-off', reason: 'BUSY' });
    expect(await deliver(await world.event(silent, {}, 'LIVE'))).toEqual({ kind: 'delivered' });
    await shop.close();
    expect((await stuck).map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => 'retry'));
  });

  test('never have one secret, whoever gives it', async () => {
    // The database also refuses it, so no way to set a secret can omit the check.
    const prepared = await prepareRegistration();
    const same = { ...prepared, testSigningSecret: prepared.signingSecret };
    await expect(
      world.database.withSystem((em) =>
        insertApplication(em, secretBox, { prepared: same, settings: { name: 'Careless' } }),
      ),
    ).rejects.toMatchObject({ code: 'RESOURCE_ALREADY_EXISTS' });
    const app = await world.app(null);
    await expect(
      world.rows(
        `insert into webhook_signing_secrets (application_id, mode, sealed, fingerprint, expires_at)
         select application_id, 'TEST', sealed, fingerprint, now() from webhook_signing_secrets
         where application_id = ?::bigint and mode = 'LIVE' returning 1`,
        [app.applicationId],
      ),
    ).rejects.toThrow(/unique/);
  });
});

test('an event names what its sequence counts in', async () => {
  // A payment and an invoice may have the same number.
  const app = await world.app(null);
  const input = await world.event(app);
  const row = await eventRow(input);
  expect(JSON.parse(String(row?.['payload']))).toMatchObject({ subject: `payment:${String(row?.['payment_id'])}` });
});
