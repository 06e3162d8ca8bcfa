import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { explainPayment } from '../../../core/payments/explain-payment.ts';
import type { DeliverWebhookInput } from '../../../workflows/messages/webhook.ts';
import { listenHttp, type Listener } from '../../runtime/http-client/listener.ts';
import { createWorld, type World } from './world.ts';

let world: World;
let receiver: Listener;
let status: number;
let delayMs: number;

beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  world.clock.offsetMs = 0;
  status = 500;
  delayMs = 0;
  receiver = await listenHttp((response) => {
    setTimeout(() => response.writeHead(status).end(), delayMs);
  });
});
afterEach(() => receiver.close());

const deliver = (input: DeliverWebhookInput) => world.activities.deliverWebhook(input);

async function rowOf({ eventId }: DeliverWebhookInput) {
  const [row] = await world.rows('select * from webhook_events where event_id = ?', [eventId]);
  return row ?? {};
}

async function explained(input: DeliverWebhookInput) {
  const { payment_id: paymentId } = await rowOf(input);
  const scope = { applicationId: BigInt(input.applicationId), mode: input.mode };
  const { explanation } = await explainPayment(world, scope, BigInt(String(paymentId)));
  return explanation;
}

async function entriesOf(input: DeliverWebhookInput) {
  const { timeline } = await explained(input);
  return timeline.filter(({ event }) => event.startsWith('event '));
}

const wordsOf = async (input: DeliverWebhookInput): Promise<(string | null)[][]> =>
  (await entriesOf(input)).map(({ event, detail }) => [event, detail]);

test('an event that failed is told with each attempt, and when the next one is due', async () => {
  // An application that waits for its event must learn that its own receiver refuses it.
  const input = await world.event(await world.app(receiver.url));
  await deliver(input);
  expect(await wordsOf(input)).toEqual([
    ['event payment.succeeded recorded', input.eventId],
    ['event payment.succeeded: attempt 1 failed', 'HTTP_500'],
  ]);
  const { next_attempt_at: nextAttemptAt } = await rowOf(input);
  const at = new Date(String(nextAttemptAt)).toISOString().slice(11, 19);
  expect((await explained(input)).next).toMatch(
    new RegExp(String.raw`is not delivered: attempt 1 failed \(HTTP_500\)\. Attempt 2 is due at \S+ ${at} UTC\.$`),
  );
});

test('an event that is given up is told as parked, and that it can be resent', async () => {
  // Nobody resends an event that does not look undelivered.
  const input = await world.event(await world.app(receiver.url));
  await deliver({ ...input, attempt: 10 });
  expect((await wordsOf(input)).slice(1)).toEqual([
    ['event payment.succeeded: attempt 1 failed', 'HTTP_500'],
    ['event payment.succeeded parked', 'HTTP_500'],
  ]);
  expect((await explained(input)).next).toMatch(
    /is parked: attempt 1 failed \(HTTP_500\).*An operator can resend it\.$/,
  );
});

test('an event without an endpoint is parked until the application has a URL', async () => {
  // Without a URL a resend would only park it again.
  const app = await world.app(null);
  const input = await world.event(app);
  expect((await wordsOf(input)).slice(1)).toEqual([['event payment.succeeded parked', 'NO_ENDPOINT']]);
  expect((await explained(input)).next).toMatch(/resend it once the application has a webhook URL\.$/);
  await world.setUrl(app, receiver.url);
  expect((await explained(input)).next).toMatch(/An operator can resend it\.$/);
});

test('an event whose endpoint was disabled is parked until that is enabled', async () => {
  // A resend to a disabled endpoint would only park it again.
  status = 410;
  const input = await world.event(await world.app(receiver.url));
  await deliver(input);
  expect((await explained(input)).next).toMatch(/is parked: .*HTTP_410.* resend it once its endpoint is enabled\.$/);
});

test('an event that an open circuit postpones says until when', async () => {
  // No attempt is listed, so nothing else tells why the event does not arrive.
  const app = await world.app(receiver.url);
  for (let failures = 0; failures < 5; failures += 1) {
    await deliver(await world.event(app));
  }
  const input = await world.event(app);
  expect(await deliver(input)).toMatchObject({ reason: 'CIRCUIT_OPEN' });
  expect((await explained(input)).next).toMatch(
    /is not delivered yet\. The circuit of its endpoint is open until \S+ \S+ UTC; attempt 1 follows\.$/,
  );
});

test('each delivery is told with its own attempt, at the time of its answer', async () => {
  // A number beside the time of another attempt leads support to the wrong line in the receiver's log.
  status = 200;
  delayMs = 60;
  const input = await world.event(await world.app(receiver.url));
  await deliver(input);
  status = 500;
  await deliver({ ...input, resend: true });
  status = 200;
  await deliver({ ...input, resend: true });
  expect((await wordsOf(input)).slice(1)).toEqual([
    ['event payment.succeeded delivered', 'attempt 1'],
    ['event payment.succeeded: attempt 2 failed', 'HTTP_500'],
    ['event payment.succeeded delivered', 'attempt 3'],
  ]);
  const { delivered_at: deliveredAt } = await rowOf(input);
  const [, delivered] = await entriesOf(input);
  expect(delivered?.at).toEqual(new Date(String(deliveredAt)));
  const [attempt] = await world.rows(
    `select a.created_at + a.duration_ms * interval '1 millisecond' as answered, a.duration_ms from webhook_attempts a
     join webhook_events e on e.id = a.webhook_event_id where e.event_id = ? and a.number = 1`,
    [input.eventId],
  );
  expect(deliveredAt).toEqual(attempt?.['answered']);
  expect(attempt?.['duration_ms']).toBeGreaterThanOrEqual(50);
});

test('a delivery stays told after its attempts are deleted', async () => {
  // Attempts are kept for a shorter time than payments.
  status = 200;
  const input = await world.event(await world.app(receiver.url));
  await deliver(input);
  await world.rows(
    'delete from webhook_attempts where webhook_event_id = (select id from webhook_events where event_id = ?)',
    [input.eventId],
  );
  expect((await wordsOf(input)).slice(1)).toEqual([['event payment.succeeded delivered', null]]);
});
