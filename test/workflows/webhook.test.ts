import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { activityInfo } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { ATTEMPT_DELAYS_SECONDS, JITTER_SHARE_MAX } from '../../domain/webhook.ts';
import { WORKFLOW_TYPES, workflowIds } from '../../workflows/messages/names.ts';
import { resendSignal, type DeliverWebhookInput, type WebhookActivities } from '../../workflows/messages/webhook.ts';
import { connectTestTemporal, uniqueTaskQueue, type TestTemporal } from '../support/temporal.ts';
import { listenHttp, type Answer, type Listener } from '../runtime/http-client/listener.ts';
import { createWorld, type App, type World } from '../core/webhooks/world.ts';
import { until } from '../support/until.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const taskQueue = uniqueTaskQueue('webhooks');
let world: World;
let skipping: TestTemporal;
let realTime: TestTemporal;
let worker: Worker;
let running: Promise<void>;
let activities: WebhookActivities;
const listeners: Listener[] = [];

beforeAll(async () => {
  world = await createWorld();
  skipping = await connectTestTemporal({ timeSkipping: true });
  realTime = await connectTestTemporal();
  worker = await Worker.create({
    connection: skipping.nativeConnection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('../../workflows/webhook.ts', import.meta.url)),
    activities: { deliverWebhook: (input: DeliverWebhookInput) => activities.deliverWebhook(input) },
  });
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await skipping.close();
  await realTime.close();
  await world.close();
});
beforeEach(() => {
  // Activities use the time of their workflow.
  world.clock.read = () => activityInfo().currentAttemptScheduledTimestampMs;
  activities = world.activities;
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

/** Starts a delivery with only the members that a start from outside has. */
const start = ({ eventId, applicationId, mode }: DeliverWebhookInput, temporal = skipping): Promise<WorkflowHandle> =>
  temporal.client.workflow.start(WORKFLOW_TYPES.webhook, {
    workflowId: workflowIds.webhook(eventId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    taskQueue,
    args: [{ eventId, applicationId, mode }],
  });

interface Scheduled {
  readonly atMs: number;
  readonly attempt: number;
}

/** Returns when each activity was scheduled, in the workflow's time. */
async function schedule(handle: WorkflowHandle): Promise<Scheduled[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ eventTime, activityTaskScheduledEventAttributes: scheduled }) => {
    if (!scheduled) {
      return [];
    }
    const [payload] = scheduled.input?.payloads ?? [];
    const { attempt } = JSON.parse(Buffer.from(payload?.data ?? '').toString()) as DeliverWebhookInput;
    return [{ atMs: Number(eventTime?.seconds ?? 0) * 1_000 + Number(eventTime?.nanos ?? 0) / 1e6, attempt }];
  });
}

async function detailsOf(handle: WorkflowHandle): Promise<string> {
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

const rowOf = async (input: DeliverWebhookInput) =>
  (await world.rows('select * from webhook_events where event_id = ?', [input.eventId]))[0];

describe('the delivery of one event', () => {
  test('that succeeds at once costs at most twelve history events, which hold ids and codes only', async () => {
    // Histories are kept for months, and operators read them.
    const shop = await receiver((response) => response.end('reply-canary'));
    const input = await world.event(await world.app(`${shop.url}/url-canary`), { name: 'payer-canary' });
    const handle = await start(input);
    expect(await handle.result()).toBe('delivered');
    const history = await handle.fetchHistory();
    expect(history.events?.length).toBeLessThanOrEqual(12);
    const text = JSON.stringify(history, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    );
    expect(text).toContain(input.eventId);
    expect(text).not.toContain('canary');
    expect(await detailsOf(handle)).toBe('Delivered.');
  });

  test('continues after a first attempt that was made without the workflow', async () => {
    // The second attempt keeps the place and the time that the published table gives it.
    const shop = await receiver(204);
    const input = await world.event(await world.app(shop.url));
    const { eventId, applicationId, mode } = input;
    await world.rows(
      `update webhook_events set attempts = 1, delivery_status = 'RETRYING', next_attempt_at = now() + interval '5 seconds' where event_id = ? returning 1`,
      [eventId],
    );
    const handle = await skipping.client.workflow.start(WORKFLOW_TYPES.webhook, {
      workflowId: workflowIds.webhook(eventId),
      taskQueue,
      args: [{ eventId, applicationId, mode, failed: { attempt: 2, recorded: 1, retryInMs: 5_000 } }],
    });
    expect(await handle.result()).toBe('delivered');
    const [{ startTime }, [second, ...more]] = await Promise.all([handle.describe(), schedule(handle)]);
    expect(more).toEqual([]);
    expect(second?.attempt).toBe(2);
    expect((second?.atMs ?? 0) - startTime.getTime()).toBeGreaterThanOrEqual(4_900);
    expect(await rowOf(input)).toMatchObject({ delivery_status: 'DELIVERED', attempts: 2 });
  });

  test('to a receiver that always fails follows the published table within its jitter, then is parked', async () => {
    // Receivers rely on this table. In all it covers at least 72 hours.
    const shop = await receiver(503);
    const input = await world.event(await world.app(shop.url));
    const handle = await start(input);
    expect(await handle.result()).toBe('parked');
    const attempts = await schedule(handle);
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (const [index, seconds] of ATTEMPT_DELAYS_SECONDS.entries()) {
      const waitedMs = (attempts[index]?.atMs ?? 0) - (attempts[index - 1]?.atMs ?? attempts[0]?.atMs ?? 0);
      expect(waitedMs).toBeGreaterThanOrEqual(seconds * 1_000);
      expect(waitedMs).toBeLessThanOrEqual(seconds * 1_000 * (1 + JITTER_SHARE_MAX) + 5_000);
    }
    expect((attempts.at(-1)?.atMs ?? 0) - (attempts[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(72 * 3_600_000);
    expect(new Set(shop.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([input.eventId]));
    expect(new Set(shop.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(10);
    expect(await rowOf(input)).toMatchObject({ delivery_status: 'PARKED', attempts: 10 });
    expect(await detailsOf(handle)).toContain('Parked: every attempt failed');
  });

  test('waits as long as Retry-After asks', async () => {
    // A receiver under maintenance says when it will be back.
    let answers = 0;
    const shop = await receiver((response) => {
      answers += 1;
      response.writeHead(answers === 1 ? 503 : 200, answers === 1 ? { 'retry-after': '7200' } : {}).end();
    });
    const handle = await start(await world.event(await world.app(shop.url)));
    expect(await handle.result()).toBe('delivered');
    const [first, second] = await schedule(handle);
    const waitedMs = (second?.atMs ?? 0) - (first?.atMs ?? 0);
    expect(waitedMs).toBeGreaterThanOrEqual(7_200_000);
    expect(waitedMs).toBeLessThan(7_210_000);
  });

  test('says in words what happened and what comes next', async () => {
    // Operators use the Temporal UI as their work queue.
    world.clock.read = null;
    const shop = await receiver(503);
    const input = await world.event(await world.app(shop.url));
    await world.rows(
      `update webhook_events set attempts = 2, delivery_status = 'RETRYING', next_attempt_at = now() where event_id = ? returning 1`,
      [input.eventId],
    );
    const handle = await start(input, realTime);
    await until(async () => (await rowOf(input))?.['attempts'] === 3);
    await until(async () => (await detailsOf(handle)).includes('Attempt 3'));
    expect(await detailsOf(handle)).toMatch(
      /^Attempt 3 of 10 failed with 503; next at (\d{4}-\d\d-\d\d )?\d\d:\d\d UTC\.$/,
    );
    await handle.terminate();
  });

  test('goes on where its row stands after the workflow was terminated', async () => {
    // A lost workflow must neither repeat nor skip an attempt.
    world.clock.read = null;
    let status = 503;
    const shop = await receiver((response) => response.writeHead(status).end());
    const input = await world.event(await world.app(shop.url));
    const first = await start(input, realTime);
    await until(async () => (await rowOf(input))?.['attempts'] === 1);
    await first.terminate();
    status = 200;
    const second = await start(input, realTime);
    expect(await second.result()).toBe('delivered');
    expect((await schedule(second)).map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(await rowOf(input)).toMatchObject({ attempts: 2 });
    const [one, two] = shop.received.map(({ headers }) => Number(headers['webhook-timestamp']));
    expect((two ?? 0) - (one ?? 0)).toBeGreaterThanOrEqual(4);
  });

  test('is made at once when an operator asks for it, under the same id', async () => {
    // An operator must not have to wait five hours for a receiver that was just repaired.
    world.clock.read = null;
    let status = 503;
    const shop = await receiver((response) => {
      response.writeHead(status, status === 503 ? { 'retry-after': '3600' } : {}).end();
    });
    const input = await world.event(await world.app(shop.url));
    const handle = await start(input, realTime);
    await until(async () => (await rowOf(input))?.['attempts'] === 1);
    status = 200;
    await handle.signal(resendSignal);
    expect(await handle.result()).toBe('delivered');
    expect(shop.received.map(({ headers }) => headers['x-webhook-id'])).toEqual([input.eventId, input.eventId]);
  });

  test('starts anew for a parked event, with a fresh schedule', async () => {
    // Missed events can be sent again once the receiver is back.
    const shop = await receiver((response) => response.writeHead(shop.received.length > 12 ? 200 : 503).end());
    const app = await world.app(shop.url);
    const input = await world.event(app);
    expect(await (await start(input)).result()).toBe('parked');
    // Registering the URL again closes the circuit, which would otherwise end in the first workflow's time.
    await world.setUrl(app, shop.url);
    const again = await start(input);
    expect(await again.result()).toBe('delivered');
    expect((await schedule(again)).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(await rowOf(input)).toMatchObject({ delivery_status: 'DELIVERED', attempts: 13 });
    expect(new Set(shop.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  test('a signal with a start resends an event that was delivered', async () => {
    // The operator's resend must also work after the workflow has ended.
    const shop = await receiver(200);
    const input = await world.event(await world.app(shop.url));
    await (await start(input)).result();
    const { eventId, applicationId, mode } = input;
    const handle = await skipping.client.workflow.signalWithStart(WORKFLOW_TYPES.webhook, {
      workflowId: workflowIds.webhook(eventId),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      taskQueue,
      args: [{ eventId, applicationId, mode }],
      signal: resendSignal,
    });
    expect(await handle.result()).toBe('delivered');
    expect(shop.received).toHaveLength(2);
  });

  test('goes on in a new run where the last run stood', async () => {
    // A delivery that was put off many times must continue in a new history at the same point.
    const shop = await receiver(503);
    const input = await world.event(await world.app(shop.url));
    const { eventId, applicationId, mode } = input;
    const dueAtMs = Date.now() + 3_600_000;
    const handle = await skipping.client.workflow.start(WORKFLOW_TYPES.webhook, {
      workflowId: workflowIds.webhook(eventId),
      taskQueue,
      args: [{ eventId, applicationId, mode, progress: { attempt: 9, recorded: 0, dueAtMs, resend: false } }],
    });
    expect(await handle.result()).toBe('parked');
    const attempts = await schedule(handle);
    expect(attempts.map(({ attempt }) => attempt)).toEqual([9, 10]);
    expect(attempts[0]?.atMs).toBeGreaterThanOrEqual(dueAtMs);
  });

  test('outlives a database that is away', async () => {
    // An outage of our own must not end a delivery or use up its attempts.
    const shop = await receiver(200);
    const input = await world.event(await world.app(shop.url));
    let calls = 0;
    activities = {
      deliverWebhook(attempt) {
        calls += 1;
        return calls <= 25 ? Promise.reject(new Error('database away')) : world.activities.deliverWebhook(attempt);
      },
    };
    const handle = await start(input);
    expect(await handle.result()).toBe('delivered');
    expect(calls).toBe(26);
    expect(await rowOf(input)).toMatchObject({ attempts: 1 });
  });
});

describe('many deliveries', () => {
  test('to a dead receiver wait without connections and all arrive once it is back, whatever the others do', async () => {
    // A receiver that was down for a while must not lose an event, and others must not be affected.
    let alive = false;
    const flaky = await receiver((response) => response.writeHead(alive ? 200 : 500).end());
    const steady = await receiver(200);
    const [down, up] = [await world.app(flaky.url), await world.app(steady.url)];
    const inputs = (app: App, count: number) => Promise.all(Array.from({ length: count }, () => world.event(app)));
    const waiting = await Promise.all((await inputs(down, 60)).map((input) => start(input, realTime)));
    world.clock.read = null;
    const passing = await Promise.all((await inputs(up, 30)).map((input) => start(input, realTime)));
    expect(await Promise.all(passing.map((handle) => handle.result()))).toEqual(passing.map(() => 'delivered'));
    await until(async () => {
      const [row] = await world.rows(
        `select circuit_open_until as until from webhook_endpoints where application_id = ?::bigint and mode = 'TEST'`,
        [down.applicationId],
      );
      return row?.['until'] !== null;
    });
    expect(flaky.received.length).toBeLessThanOrEqual(10);
    expect(flaky.sockets.mostOpen).toBeLessThanOrEqual(5);
    alive = true;
    await Promise.all(waiting.map((handle) => handle.signal(resendSignal)));
    expect(await Promise.all(waiting.map((handle) => handle.result()))).toEqual(waiting.map(() => 'delivered'));
    expect(new Set(flaky.received.map(({ headers }) => headers['webhook-id'])).size).toBe(60);
    expect(flaky.sockets.mostOpen).toBeLessThanOrEqual(5);
  });
});
