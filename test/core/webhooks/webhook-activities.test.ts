import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createWebhookActivities } from '../../../activities/webhooks.ts';
import { createEndpointGate } from '../../../core/webhooks/endpoint-gate.ts';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import type { HttpReply } from '../../../runtime/http-client.ts';
import { HttpFailure } from '../../../runtime/http-client/failure.ts';
import type { DeliverWebhookInput } from '../../../workflows/messages/webhook.ts';
import { createWorld, secretBox, type App, type World } from './world.ts';

const NOW_MS = Date.parse('2031-01-02T03:04:05.000Z');
const HOOK = 'https://shop.example.com/hook';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

/** What the receiver answers next, and how often it was called. */
let reply: () => Promise<Partial<HttpReply>>;
let asked = 0;
let nowMs = NOW_MS;
let activities: ReturnType<typeof createWebhookActivities>;
beforeEach(() => {
  reply = () => Promise.resolve({ status: 500 });
  asked = 0;
  nowMs = NOW_MS;
  world.log.length = 0;
  activities = activitiesWith(0.5);
});

function activitiesWith(random: number) {
  return createWebhookActivities({
    database: world.database,
    http: {
      send: async () => {
        asked += 1;
        return { status: 200, headers: {}, body: Buffer.from(''), truncated: false, ...(await reply()) };
      },
      close: () => Promise.resolve(),
    },
    secrets: secretBox,
    allow: parseAllowList(''),
    log: recording(world.log),
    now: () => nowMs,
    random: () => random,
    gate: createEndpointGate({ now: () => nowMs, random: () => random }),
  });
}

function recording(lines: World['log']) {
  const write =
    (level: string) =>
    (fields: unknown, message?: string): void => {
      lines.push({ level, ...(typeof fields === 'object' ? fields : {}), msg: message });
    };
  return { info: write('info'), warn: write('warn'), error: write('error') } as never;
}

const deliver = (input: DeliverWebhookInput) => activities.deliverWebhook(input);
const newEvent = async (): Promise<{ app: App; input: DeliverWebhookInput }> => {
  const app = await world.app(HOOK);
  return { app, input: await world.event(app) };
};
const eventRow = async ({ eventId }: DeliverWebhookInput) =>
  (await world.rows('select * from webhook_events where event_id = ?', [eventId]))[0];
const attemptsOf = ({ eventId }: DeliverWebhookInput) =>
  world.rows(
    'select a.* from webhook_attempts a join webhook_events e on e.id = a.webhook_event_id where e.event_id = ? order by number',
    [eventId],
  );
const change = ({ eventId }: DeliverWebhookInput, columns: string) =>
  world.rows(`update webhook_events set ${columns} where event_id = ? returning 1`, [eventId]);
const changeEndpoint = ({ applicationId }: App, columns: string) =>
  world.rows(`update webhook_endpoints set ${columns} where application_id = ?::bigint and mode = 'TEST' returning 1`, [
    applicationId,
  ]);
const at = (offsetMs: number): string => new Date(NOW_MS + offsetMs).toISOString();

describe('a failed attempt', () => {
  test.each([
    [1, 0.5, 5_500],
    [1, 0, 5_000],
    [2, 0.5, 330_000],
    [9, 0.5, 95_040_000],
  ])('number %i with the lot %d comes back in %i ms, and the row knows when', async (attempt, random, delayMs) => {
    // The published schedule, lengthened only by its jitter.
    activities = activitiesWith(random);
    const { input } = await newEvent();
    expect(await deliver({ ...input, attempt })).toEqual({
      kind: 'retry',
      attempt: attempt + 1,
      attemptsMax: 10,
      recorded: 1,
      status: 500,
      error: 'HTTP_500',
      retryInMs: delayMs,
    });
    const [record] = await attemptsOf(input);
    const next = new Date(String((await eventRow(input))?.['next_attempt_at'])).getTime();
    expect(next).toBe(NOW_MS + Number(record?.['duration_ms']) + delayMs);
    expect(new Date(String(record?.['created_at'])).getTime()).toBe(NOW_MS);
  });

  test('is logged with what an operator needs and nothing of the payer', async () => {
    // Event, application, attempt and answer are enough to find the row. Payer data stays out of the log.
    const { app, input } = await newEvent();
    await deliver({ ...input, attempt: 3 });
    expect(world.log).toEqual([
      {
        level: 'warn',
        event: input.eventId,
        type: 'payment.succeeded',
        application: app.applicationId.toString(),
        mode: 'TEST',
        attempt: 1,
        status: 500,
        error: 'HTTP_500',
        durationMs: expect.any(Number),
        retryInMs: 1_980_000,
        msg: expect.any(String),
      },
    ]);
  });

  test('waits for as long as the receiver asks, and the attempt after it counts on', async () => {
    // A receiver can ask for more time than the schedule gives.
    reply = () => Promise.resolve({ status: 503, headers: { 'retry-after': '600' } });
    const { input } = await newEvent();
    expect(await deliver(input)).toMatchObject({ attempt: 2, recorded: 1, retryInMs: 600_000 });
    expect(await deliver({ ...input, attempt: 2, recorded: 1 })).toMatchObject({ attempt: 3, recorded: 2 });
    expect(await attemptsOf(input)).toMatchObject([{ number: 1 }, { number: 2 }]);
  });

  test('that was the last parks its event, and calls an operator', async () => {
    // Otherwise an event could disappear without notice.
    const { input } = await newEvent();
    expect(await deliver({ ...input, attempt: 10 })).toEqual({ kind: 'parked', reason: 'ATTEMPTS_EXHAUSTED' });
    expect(await eventRow(input)).toMatchObject({ delivery_status: 'PARKED', next_attempt_at: null });
    expect(world.log.map(({ level, alert, reason }) => [level, alert, reason])).toEqual([
      ['warn', undefined, undefined],
      ['error', 'webhook-parked', 'ATTEMPTS_EXHAUSTED'],
    ]);
    expect(world.log[1]).toMatchObject({ event: input.eventId, type: 'payment.succeeded', attempt: 1 });
  });

  test('that disables its endpoint says so before it parks', async () => {
    // The operator has to see why the endpoint and the event were stopped.
    reply = () => Promise.resolve({ status: 410 });
    const { app, input } = await newEvent();
    expect(await deliver(input)).toEqual({ kind: 'parked', reason: 'ENDPOINT_DISABLED' });
    expect(world.log.map(({ alert, reason, application }) => [alert, reason, application])).toEqual([
      [undefined, undefined, app.applicationId.toString()],
      ['webhook-endpoint-disabled', 'GONE', app.applicationId.toString()],
      ['webhook-parked', 'ENDPOINT_DISABLED', app.applicationId.toString()],
    ]);
  });

  test('without any answer is recorded as such', async () => {
    // The application's owner has to see what to fix.
    reply = () => Promise.reject(new HttpFailure('tls', { sent: false }));
    const { input } = await newEvent();
    expect(await deliver(input)).toMatchObject({ kind: 'retry', status: null, error: 'TLS_FAILED' });
    expect(await attemptsOf(input)).toMatchObject([
      { response_status: null, error: 'TLS_FAILED', response_excerpt: null },
    ]);
  });
});

test('a delivered event is logged once, with its answer', async () => {
  // Support finds the delivery by the event's id.
  reply = () => Promise.resolve({ status: 202, body: Buffer.from('taken') });
  const { input } = await newEvent();
  expect(await deliver(input)).toEqual({ kind: 'delivered' });
  expect(world.log).toMatchObject([{ level: 'info', event: input.eventId, attempt: 1, status: 202, error: null }]);
  expect(await attemptsOf(input)).toMatchObject([{ number: 1, response_status: 202, response_excerpt: 'taken' }]);
});

describe('a delivery that starts again', () => {
  test('after it was delivered sends nothing', async () => {
    // The worker can die between the commit and its answer to Temporal.
    reply = () => Promise.resolve({ status: 200 });
    const { input } = await newEvent();
    await deliver(input);
    expect(await deliver(input)).toEqual({ kind: 'delivered' });
    expect(await deliver({ ...input, attempt: 2, recorded: 1 })).toEqual({ kind: 'delivered' });
    expect(asked).toBe(1);
  });

  test.each([
    ['at its start, after three recorded attempts', 3, { attempt: 1, recorded: null }, 4],
    ['one attempt behind the row', 3, { attempt: 7, recorded: 2 }, 8],
    ['after ten recorded attempts', 10, { attempt: 1, recorded: null }, 10],
    ['beyond the schedule', 3, { attempt: 10, recorded: 2 }, 10],
  ])('%s goes on from the row without sending', async (_case, attempts, known, attempt) => {
    // The worker died after it recorded an attempt and before it reported to the workflow.
    const { input } = await newEvent();
    await change(
      input,
      `delivery_status = 'RETRYING', attempts = ${attempts}, last_response_status = 502, last_error = 'HTTP_502', next_attempt_at = '${at(61_000)}'`,
    );
    expect(await deliver({ ...input, ...known })).toEqual({
      kind: 'retry',
      attempt,
      attemptsMax: 10,
      recorded: attempts,
      status: 502,
      error: 'HTTP_502',
      retryInMs: 61_000,
    });
    expect(asked).toBe(0);
  });

  test.each([
    ['has come', `'${at(-1_000)}'`],
    ['is not known', 'null'],
  ])('whose next time %s waits no more', async (_case, next) => {
    // A wait is never negative.
    const { input } = await newEvent();
    await change(input, `delivery_status = 'RETRYING', attempts = 3, next_attempt_at = ${next}`);
    expect(await deliver(input)).toMatchObject({ kind: 'retry', retryInMs: 0 });
  });

  test('and knows all that the row knows sends', async () => {
    // The next attempt is due.
    const { input } = await newEvent();
    await change(input, `delivery_status = 'RETRYING', attempts = 3`);
    expect(await deliver({ ...input, attempt: 4, recorded: 3 })).toMatchObject({ kind: 'retry', recorded: 4 });
    expect(asked).toBe(1);
  });

  test('for a parked event sends when it is new, and is over when it was under way', async () => {
    // A delivery of a parked event is started when somebody requests a resend.
    const { input } = await newEvent();
    await change(input, `delivery_status = 'PARKED'`);
    expect(await deliver({ ...input, attempt: 2, recorded: 0 })).toEqual({
      kind: 'parked',
      reason: 'ATTEMPTS_EXHAUSTED',
    });
    expect(asked).toBe(0);
    await deliver(input);
    expect(asked).toBe(1);
  });

  test('for a resend asks neither row nor circuit', async () => {
    // An operator's resend is carried out immediately.
    const { app, input } = await newEvent();
    await change(input, `delivery_status = 'DELIVERED', attempts = 5, delivered_at = now()`);
    await changeEndpoint(app, `circuit_open_until = '${at(60_000)}'`);
    expect(await deliver({ ...input, resend: true })).toEqual({ kind: 'delivered' });
    expect(asked).toBe(1);
    expect(await attemptsOf(input)).toMatchObject([{ number: 6, response_status: 500 }]);
  });
});

describe('an event that cannot be sent', () => {
  test('because nobody knows it calls an operator', async () => {
    // This happens only after a restore to an older state, so a retry would not help.
    const { input } = await newEvent();
    const unknown = { ...input, eventId: 'evt_unknown' };
    expect(await deliver(unknown)).toEqual({ kind: 'parked', reason: 'UNKNOWN_EVENT' });
    expect(world.log).toMatchObject([{ level: 'error', event: 'evt_unknown', alert: 'webhook-event-unknown' }]);
  });

  test.each([
    ['url = null', 'NO_ENDPOINT'],
    [`disabled_at = now(), disabled_reason = 'GONE'`, 'ENDPOINT_DISABLED'],
  ])('because of "%s" is parked as %s', async (columns, reason) => {
    // The row says why, and nothing is sent until somebody changes the endpoint.
    const { app, input } = await newEvent();
    await changeEndpoint(app, columns);
    expect(await deliver(input)).toEqual({ kind: 'parked', reason });
    expect(await eventRow(input)).toMatchObject({ delivery_status: 'PARKED', last_error: reason });
    expect(asked).toBe(0);
  });

  test('because our database is away is a failure without words of it, logged whole', async () => {
    // The activity is retried, and no history contains the database's error text.
    activities = createWebhookActivities({
      database: { ...world.database, withScope: () => Promise.reject(new Error('password=canary')) },
      http: world.http,
      secrets: secretBox,
      allow: parseAllowList(''),
      log: recording(world.log),
      gate: createEndpointGate(),
    });
    const { input } = await newEvent();
    for (let tries = 0; tries < 7; tries += 1) {
      // This includes the sixth: a failed delivery must release its slot at the endpoint.
      await expect(deliver(input)).rejects.toMatchObject({
        type: 'INTERNAL_ERROR',
        message: expect.not.stringMatching(/canary/),
      });
    }
    expect(world.log[0]).toMatchObject({
      level: 'warn',
      event: input.eventId,
      error: expect.objectContaining({ message: 'password=canary' }),
    });
  });
});

describe('an endpoint', () => {
  test('with five requests at it puts the sixth off for a second, each further one for longer', async () => {
    // Otherwise a dead receiver would use more than its own slots.
    const { app } = await newEvent();
    const inputs = await Promise.all(Array.from({ length: 7 }, () => world.event(app)));
    const gone = Promise.withResolvers<Partial<HttpReply>>();
    reply = () => gone.promise;
    const stuck = inputs.slice(0, 5).map(deliver);
    const putOff = [];
    for (const input of inputs.slice(5)) {
      putOff.push(await deliver(input));
    }
    expect(putOff).toEqual([
      { kind: 'put-off', reason: 'BUSY', retryInMs: 1_000 },
      { kind: 'put-off', reason: 'BUSY', retryInMs: 1_200 },
    ]);
    gone.resolve({ status: 200 });
    expect(await Promise.all(stuck)).toEqual(Array.from({ length: 5 }, () => ({ kind: 'delivered' })));
    const [sixth] = inputs.slice(5);
    expect(sixth === undefined ? null : await deliver(sixth)).toEqual({ kind: 'delivered' });
  });

  test('whose circuit is open is not asked until it ends, but for at least a second', async () => {
    // Otherwise a dead receiver would cost more than one request per period.
    const { app, input } = await newEvent();
    await changeEndpoint(app, `circuit_open_until = '${at(45_000)}'`);
    expect(await deliver(input)).toEqual({ kind: 'put-off', reason: 'CIRCUIT_OPEN', retryInMs: 45_000 });
    const other = await newEvent();
    await changeEndpoint(other.app, `circuit_open_until = '${at(10)}'`);
    expect(await deliver(other.input)).toEqual({ kind: 'put-off', reason: 'CIRCUIT_OPEN', retryInMs: 1_000 });
    expect(asked).toBe(0);
    expect(await eventRow(input)).toMatchObject({ attempts: 0, delivery_status: 'PENDING' });
  });

  test('whose circuit has ended is tried once; that failure opens it for longer, an ordinary one does not', async () => {
    // Only a probe shows whether a dead receiver is back.
    const { app, input } = await newEvent();
    const circuit = async (): Promise<unknown[]> => {
      const [row] = await world.rows(
        `select consecutive_failures, extract(epoch from circuit_open_until)::float8 * 1000 - ? as open_for from webhook_endpoints
         where application_id = ?::bigint and mode = 'TEST'`,
        [NOW_MS, app.applicationId],
      );
      return [row?.['consecutive_failures'], Math.round(Number(row?.['open_for']) / 10_000) * 10_000];
    };
    await changeEndpoint(
      app,
      `consecutive_failures = 5, failing_since = '${at(-60_000)}', circuit_open_until = '${at(-1)}'`,
    );
    expect(await deliver(input)).toMatchObject({ kind: 'retry' });
    expect(await circuit()).toEqual([6, 60_000]);
    expect(await deliver({ ...input, resend: true })).toMatchObject({ kind: 'retry' });
    expect(await circuit()).toEqual([6, 60_000]);
  });
});
