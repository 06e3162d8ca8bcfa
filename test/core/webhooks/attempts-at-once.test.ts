import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createWebhookActivities } from '../../../activities/webhooks.ts';
import { createEndpointGate } from '../../../core/webhooks/endpoint-gate.ts';
import { until } from '../../support/until.ts';
import { allow, createWorld, recordingLogger, secretBox, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

/** A receiver that answers when the test says so, in any order. */
function receiver() {
  const waiting: ((status: number) => void)[] = [];
  const activities = createWebhookActivities({
    database: world.database,
    http: {
      send: () =>
        new Promise((resolve) => {
          waiting.push((status) => resolve({ status, headers: {}, body: Buffer.from(''), truncated: false }));
        }),
      close: () => Promise.resolve(),
    },
    secrets: secretBox,
    allow,
    log: recordingLogger(world.log),
    gate: createEndpointGate(),
  });
  return { activities, waiting };
}

const STATUS = { delivered: 'DELIVERED', failed: 'RETRYING' } as const;

test.each([
  { first: 200, resent: 200, ends: 'delivered', last: 200 },
  { first: 200, resent: 500, ends: 'delivered', last: 500 },
  { first: 500, resent: 200, ends: 'delivered', last: 200 },
  { first: 500, resent: 503, ends: 'failed', last: 503 },
] as const)(
  'a resend during the first attempt is an attempt of its own: the first gets $first, the resend $resent',
  async ({ first, resent, ends, last }) => {
    // An attempt that is missing in the list, or a result that no listed attempt had, would mislead whoever looks for an error.
    const { activities, waiting } = receiver();
    const event = await world.event(await world.app('http://127.0.0.1:9/hook'));
    const made = [activities.deliverWebhook(event)];
    await until(() => waiting.length === 1);
    made.push(activities.deliverWebhook({ ...event, resend: true }));
    await until(() => waiting.length === 2);
    waiting[1]?.(resent);
    await made[1];
    waiting[0]?.(first);
    await made[0];
    const attempts = await world.rows(
      `select a.number, a.response_status, a.created_at from webhook_attempts a join webhook_events e on e.id = a.webhook_event_id
       where e.event_id = ? order by a.number`,
      [event.eventId],
    );
    expect(attempts).toMatchObject([
      { number: 1, response_status: resent },
      { number: 2, response_status: first },
    ]);
    const [row] = await world.rows('select * from webhook_events where event_id = ?', [event.eventId]);
    expect(row).toMatchObject({
      delivery_status: STATUS[ends],
      attempts: 2,
      last_response_status: last,
      last_error: last === 200 ? null : `HTTP_${last}`,
      last_attempt_at: attempts[0]?.['created_at'],
    });
  },
);

test('attempts of one event that end at the same moment are all recorded, and none is aborted', async () => {
  // Those that failed change the endpoint too. Locked in another order, the database would abort one of them.
  const { activities, waiting } = receiver();
  const event = await world.event(await world.app('http://127.0.0.1:9/hook'));
  const made = Array.from({ length: 5 }, () => activities.deliverWebhook({ ...event, resend: true }));
  await until(() => waiting.length === 5);
  waiting.forEach((answer, index) => answer(index % 2 === 0 ? 500 : 200));
  await Promise.all(made);
  const [row] = await world.rows(
    `select e.attempts, e.delivery_status, array_agg(a.number order by a.number) as numbers
     from webhook_events e join webhook_attempts a on a.webhook_event_id = e.id where e.event_id = ? group by e.id`,
    [event.eventId],
  );
  expect(row).toEqual({ attempts: 5, delivery_status: 'DELIVERED', numbers: [1, 2, 3, 4, 5] });
});
