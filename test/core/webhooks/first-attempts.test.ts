import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { CommittedEvent } from '../../../core/webhooks/deliveries.ts';
import { createEndpointGate, endpointKey, type EndpointGate } from '../../../core/webhooks/endpoint-gate.ts';
import { FirstAttempts } from '../../../core/webhooks/first-attempts.ts';
import { takeUnsent } from '../../../core/webhooks/store/deliveries.ts';
import type { HttpReply, HttpRequest } from '../../../runtime/http-client.ts';
import { HttpFailure } from '../../../runtime/http-client/failure.ts';
import type { FailedFirstAttempt } from '../../../workflows/messages/webhook.ts';
import { until } from '../../support/until.ts';
import { allow, createWorld, recordingLogger, secretBox, type App, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

let gate: EndpointGate;
let attempts: FirstAttempts;
/** What reached receivers, in order. */
let requests: HttpRequest[];
let started: { readonly eventId: string; readonly failed: FailedFirstAttempt | undefined }[];
let results: string[];
/** What the receiver of a URL answers. */
let answers: Map<string, () => Promise<HttpReply>>;
let temporal: () => Promise<void>;
let databaseAway: boolean;

beforeEach(() => {
  world.log.length = 0;
  requests = [];
  started = [];
  results = [];
  answers = new Map();
  temporal = () => Promise.resolve();
  databaseAway = false;
  gate = createEndpointGate();
  attempts = new FirstAttempts({
    gate,
    allow,
    secrets: secretBox,
    log: recordingLogger(world.log),
    database: {
      ...world.database,
      withScope: (...parameters) =>
        databaseAway ? Promise.reject(new Error('the database is away')) : world.database.withScope(...parameters),
    },
    http: {
      send: (request) => {
        requests.push(request);
        return answers.get(request.url)?.() ?? Promise.resolve(reply(200));
      },
      close: () => Promise.resolve(),
    },
    dispatch: {
      startDelivery: ({ eventId }, failed) => {
        started.push({
          eventId,
          failed,
        });
        return temporal();
      },
    },
    onResult: (kind) => results.push(kind),
  });
});
afterEach(() => attempts.close());

const reply = (status: number): HttpReply => ({ status, headers: {}, body: Buffer.from('ok'), truncated: false });
const idsOf = (sent: readonly HttpRequest[]) => sent.map(({ headers }) => headers['webhook-id']);
const eventRow = async ({ eventId }: CommittedEvent) =>
  (await world.rows('select * from webhook_events where event_id = ?', [eventId]))[0] ?? {};
const isDelivered = async (event: CommittedEvent) => (await eventRow(event))['delivery_status'] === 'DELIVERED';

const urlOf = (host: string) => `http://127.0.0.1:9/${host}`;
const shop = (host: string): Promise<App> => world.app(urlOf(host));

/** An event whose process has been busy for a while since the commit. */
function agedBy(event: CommittedEvent, ms: number): CommittedEvent {
  if (event.first === null) {
    throw new TypeError('the event is parked');
  }
  return { ...event, first: { ...event.first, leasedAtMs: event.first.leasedAtMs - ms } };
}

function hangingReceiver(host: string): { release(): void } {
  const waiting: (() => void)[] = [];
  answers.set(
    urlOf(host),
    () =>
      new Promise((resolve) => {
        waiting.push(() => resolve(reply(200)));
      }),
  );
  return { release: () => waiting.shift()?.() };
}

describe('a first attempt', () => {
  test('that is accepted ends the delivery, and no workflow ever exists', async () => {
    // Most events need one attempt. A workflow for each costs as much as the payment itself.
    const event = await world.committed(await shop('a'));
    await attempts.begin(event);
    await until(() => isDelivered(event));
    expect(await eventRow(event)).toMatchObject({ attempts: 1, next_sweep_at: null, next_attempt_at: null });
    expect(idsOf(requests)).toEqual([event.eventId]);
    expect(requests[0]?.body?.toString()).toBe((await eventRow(event))['payload']);
    expect(
      await world.rows(
        'select a.number, a.response_status from webhook_attempts a join webhook_events e on e.id = a.webhook_event_id where e.event_id = ?',
        [event.eventId],
      ),
    ).toEqual([{ number: 1, response_status: 200 }]);
    expect(started).toEqual([]);
    expect(results).toEqual(['delivered']);
  });

  test('does not keep its payment waiting', async () => {
    // A receiver may take fifteen seconds to answer, and the payment's workflow must not.
    const receiver = hangingReceiver('slow');
    const event = await world.committed(await shop('slow'));
    await attempts.begin(event);
    await until(() => requests.length === 1);
    expect(await eventRow(event)).toMatchObject({ delivery_status: 'PENDING', attempts: 0 });
    receiver.release();
    await until(() => isDelivered(event));
  });

  test('that fails is recorded, and the workflow continues with the second attempt', async () => {
    // The schedule that applications know must not start again.
    answers.set(urlOf('b'), () => Promise.resolve(reply(500)));
    const event = await world.committed(await shop('b'));
    await attempts.begin(event);
    await until(() => started.length === 1);
    expect(started).toEqual([
      { eventId: event.eventId, failed: { attempt: 2, recorded: 1, retryInMs: expect.any(Number) } },
    ]);
    expect(started[0]?.failed?.retryInMs).toBeGreaterThanOrEqual(5_000);
    expect(started[0]?.failed?.retryInMs).toBeLessThanOrEqual(6_000);
    expect(await eventRow(event)).toMatchObject({ delivery_status: 'RETRYING', attempts: 1, last_error: 'HTTP_500' });
    const [due] = await world.rows(
      'select extract(epoch from next_sweep_at - next_attempt_at)::integer as after from webhook_events where event_id = ?',
      [event.eventId],
    );
    expect(due).toEqual({ after: 60 });
    expect(results).toEqual(['retry']);
  });

  test('that finds nobody at the address counts like one that is refused', async () => {
    answers.set(urlOf('c'), () => Promise.reject(new HttpFailure('connect', { sent: false })));
    const event = await world.committed(await shop('c'));
    await attempts.begin(event);
    await until(() => started.length === 1);
    expect(await eventRow(event)).toMatchObject({ attempts: 1, last_error: 'CONNECT_FAILED' });
  });

  test('that disables its endpoint parks the event without a workflow', async () => {
    answers.set(urlOf('gone'), () => Promise.resolve(reply(410)));
    const event = await world.committed(await shop('gone'));
    await attempts.begin(event);
    await until(async () => (await eventRow(event))['delivery_status'] === 'PARKED');
    expect(started).toEqual([]);
  });

  test('is not made through an open circuit: the workflow makes it later', async () => {
    // A receiver that has failed five times must not be called for every new payment.
    const app = await shop('open');
    await world.rows(
      `update webhook_endpoints set circuit_open_until = now() + interval '1 minute', consecutive_failures = 5, failing_since = now()
       where application_id = ?::bigint returning mode`,
      [app.applicationId],
    );
    const event = await world.committed(app);
    await attempts.begin(event);
    await until(() => started.length === 1);
    expect(started).toEqual([{ eventId: event.eventId, failed: undefined }]);
    expect(requests).toEqual([]);
    expect(await eventRow(event)).toMatchObject({ delivery_status: 'PENDING', attempts: 0 });
  });
});

describe('an event whose endpoint has no room', () => {
  test('waits in the process, while other endpoints get theirs', async () => {
    // Putting it off to the sweeper would delay each by half a minute.
    const receiver = hangingReceiver('busy');
    const busy = await shop('busy');
    const waiting: CommittedEvent[] = [];
    for (let number = 0; number < 7; number += 1) {
      waiting.push(await world.committed(busy));
    }
    await Promise.all(waiting.map((event) => attempts.begin(event)));
    const other = await world.committed(await shop('free'));
    await attempts.begin(other);
    await until(() => isDelivered(other));
    expect(idsOf(requests.filter(({ url }) => url === urlOf('busy')))).toEqual(
      waiting.slice(0, 5).map(({ eventId }) => eventId),
    );
    await until(async () => {
      receiver.release();
      return (await Promise.all(waiting.map(isDelivered))).every(Boolean);
    });
    expect(started).toEqual([]);
  });

  test('goes on when an attempt of a workflow leaves the endpoint', async () => {
    // Both kinds of attempts share the five places of an endpoint.
    const event = await world.committed(await shop('shared'));
    for (let place = 0; place < 5; place += 1) {
      gate.enter(endpointKey(event));
    }
    await attempts.begin(event);
    expect(requests).toEqual([]);
    gate.leave(endpointKey(event), 10);
    await until(() => isDelivered(event));
  });

  test('is not sent where the endpoint has failed meanwhile', async () => {
    // Four hundred waiting events must not each call a receiver whose circuit has opened.
    const app = await shop('failing');
    const event = await world.committed(app);
    for (let place = 0; place < 5; place += 1) {
      gate.enter(endpointKey(event));
    }
    await attempts.begin(event);
    await world.rows(
      `update webhook_endpoints set circuit_open_until = now() + interval '1 minute', consecutive_failures = 5, failing_since = now()
       where application_id = ?::bigint returning mode`,
      [app.applicationId],
    );
    gate.leave(endpointKey(event), 10);
    await until(() => started.length === 1);
    expect(requests).toEqual([]);
    expect(await eventRow(event)).toMatchObject({ delivery_status: 'PENDING', attempts: 0 });
  });

  test('is dropped when an operator resends the event meanwhile', async () => {
    // The resend is the attempt. Another one afterwards would send the event twice although nothing went wrong.
    const event = await world.committed(await shop('resent'));
    for (let place = 0; place < 5; place += 1) {
      gate.enter(endpointKey(event));
    }
    await attempts.begin(event);
    await world.database.withSystem((em) => takeUnsent(em, event.eventId));
    gate.leave(endpointKey(event), 10);
    const next = await world.committed(await shop('resent-next'));
    await attempts.begin(next);
    await until(() => isDelivered(next));
    expect(idsOf(requests)).toEqual([next.eventId]);
    expect(started).toEqual([]);
    // The sweeper starts the workflow if the resend's start was lost.
    const [{ due } = {}] = await world.rows(
      `select next_sweep_at > now() as due from webhook_events where event_id = ?`,
      [event.eventId],
    );
    expect(due).toBe(true);
  });

  test('leaves a place to attempts of workflows that were postponed', async () => {
    // Otherwise retries, the oldest events, would find no room as long as new ones arrive.
    const receiver = hangingReceiver('steady');
    const app = await shop('steady');
    const events: CommittedEvent[] = [];
    for (let number = 0; number < 8; number += 1) {
      events.push(await world.committed(app));
    }
    const [key = ''] = events.map(endpointKey);
    await Promise.all(events.slice(0, 7).map((event) => attempts.begin(event)));
    await until(() => requests.length === 5);
    expect(gate.enter(key)).toBe(false);
    gate.turnInMs(key, { reason: 'BUSY', notBeforeMs: 1_000 });
    receiver.release();
    await until(() => gate.enter(key));
    expect(requests).toHaveLength(5);
    gate.leave(key, 10);
    await until(async () => {
      receiver.release();
      return (await Promise.all(events.slice(0, 7).map(isDelivered))).every(Boolean);
    });
  });

  test('goes to its workflow when too many of the endpoint wait', async () => {
    // The queue is bounded, and nothing is lost beyond it.
    const event = await world.committed(await shop('full'));
    for (let place = 0; place < 5; place += 1) {
      gate.enter(endpointKey(event));
    }
    for (let number = 0; number < 500; number += 1) {
      await attempts.begin({ ...event, eventId: `evt_${number}` });
    }
    expect(started).toEqual([]);
    await attempts.begin(event);
    expect(started).toEqual([{ eventId: event.eventId, failed: undefined }]);
  });
});

describe('the lease', () => {
  test('is renewed by an attempt that has waited', async () => {
    // The sweeper must not start the workflow while the attempt is being made.
    const receiver = hangingReceiver('d');
    const event = await world.committed(await shop('d'));
    const before = await eventRow(event);
    await attempts.begin(agedBy(event, 30_000));
    await until(() => requests.length === 1);
    expect(Number(new Date(`${(await eventRow(event))['next_sweep_at']}`))).toBeGreaterThan(
      Number(new Date(`${before['next_sweep_at']}`)),
    );
    receiver.release();
    await until(() => isDelivered(event));
  });

  test('that has passed drops the attempt, since the sweeper starts the workflow', async () => {
    // A process that was stopped for minutes must not send what another one is sending.
    const event = await world.committed(await shop('e'));
    await attempts.begin(agedBy(event, 60_000));
    await attempts.close();
    expect(requests).toEqual([]);
    expect(started).toEqual([]);
    expect(await eventRow(event)).toMatchObject({ delivery_status: 'PENDING', attempts: 0 });
  });

  test.each([
    ['the sweeper has taken the event', `next_sweep_at = now() + interval '10 minutes'`],
    [
      'the event was delivered',
      `delivery_status = 'DELIVERED', attempts = 1, delivered_at = now(), next_sweep_at = null`,
    ],
  ])('is lost when %s meanwhile', async (_name, change) => {
    const event = await world.committed(await shop('f'));
    await world.rows(`update webhook_events set ${change} where event_id = ? returning 1`, [event.eventId]);
    await attempts.begin(agedBy(event, 30_000));
    await attempts.close();
    expect(requests).toEqual([]);
    expect(started).toEqual([]);
  });
});

describe('what fails around an attempt', () => {
  test('leaves the event to the sweeper and the endpoint to others', async () => {
    // The receiver may have accepted it. The lease ends, and the workflow sends it again with the same id.
    answers.set(urlOf('g'), () => {
      databaseAway = true;
      return Promise.resolve(reply(200));
    });
    const app = await shop('g');
    for (let number = 0; number < 6; number += 1) {
      await attempts.begin(await world.committed(app));
      await until(() => world.log.filter(({ msg }) => String(msg).includes('not recorded')).length === number + 1);
      databaseAway = false;
    }
    answers.clear();
    const event = await world.committed(app);
    await attempts.begin(event);
    await until(() => isDelivered(event));
    expect(started).toEqual([]);
  });

  test('is logged when it is Temporal, and the sweeper starts the workflow', async () => {
    temporal = () => Promise.reject(new Error('Temporal is away'));
    answers.set(urlOf('h'), () => Promise.resolve(reply(503)));
    const event = await world.committed(await shop('h'));
    await attempts.begin(event);
    await until(() => world.log.some(({ msg }) => String(msg).includes('workflow not started')));
    expect(await eventRow(event)).toMatchObject({ delivery_status: 'RETRYING', next_sweep_at: expect.anything() });
  });
});

describe('a process that stops', () => {
  test('hands what waits to workflows, and finishes what it has begun', async () => {
    // A deployment must not delay events until the sweeper finds them.
    const receiver = hangingReceiver('stopping');
    const app = await shop('stopping');
    const events: CommittedEvent[] = [];
    for (let number = 0; number < 6; number += 1) {
      events.push(await world.committed(app));
    }
    await Promise.all(events.map((event) => attempts.begin(event)));
    await until(() => requests.length === 5);
    const closed = attempts.close();
    const late = await world.committed(app);
    await attempts.begin(late);
    expect(started.map(({ eventId }) => eventId)).toEqual([events[5]?.eventId, late.eventId]);
    for (let number = 0; number < 5; number += 1) {
      receiver.release();
    }
    await closed;
    expect(await Promise.all(events.slice(0, 5).map(isDelivered))).toEqual([true, true, true, true, true]);
    expect(requests).toHaveLength(5);
  });
});
