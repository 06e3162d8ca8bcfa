import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Stripe } from 'stripe';
import { order, startStripe, WEBHOOK_SECRET, type Posted, type StripeWorld } from './merchant.ts';
import { until } from '../../support/until.ts';

let world: StripeWorld;
let stripe: Stripe;
beforeAll(async () => {
  world = await startStripe();
  stripe = world.library();
});
afterAll(() => world.close());
beforeEach(() => {
  world.posted.length = 0;
  world.state.endpointStatus = 200;
});

const create = (): Promise<Stripe.Checkout.Session> => stripe.checkout.sessions.create(order());
const statusOf = async ({ id }: Stripe.Checkout.Session): Promise<string> => {
  const { status, payment_status: paymentStatus } = await stripe.checkout.sessions.retrieve(id);
  return `${String(status)} ${paymentStatus}`;
};

/** Sends the page's form like a browser without JavaScript. */
async function send(session: Stripe.Checkout.Session, fields: Record<string, string> = {}) {
  const answer = await fetch(session.url ?? '', {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ method: 'card', card: '4242424242424242', outcome: 'pay', ...fields }),
  });
  return { status: answer.status, location: answer.headers.get('location'), html: await answer.text() };
}

describe('a payer', () => {
  test('sees what he pays and pays by a card, and is sent back with the session’s id', async () => {
    const session = await create();
    expect(await (await fetch(session.url ?? '')).text()).toContain('10.00');
    expect(await send(session)).toMatchObject({ status: 303, location: `http://shop.example/done?id=${session.id}` });
    expect(await statusOf(session)).toBe('complete paid');
  });

  test.each(['4000000000000002', '4000000000009995', '4100000000000019', '1234'])(
    'with the card %s is told so and may try another',
    async (card) => {
      // After a declined card the session must stay open, so that the payer can try another.
      const session = await create();
      const { status, html } = await send(session, { card });
      expect([status, html.includes('role="alert"')]).toEqual([200, true]);
      expect(await statusOf(session)).toBe('open unpaid');
      await send(session);
      expect(await statusOf(session)).toBe('complete paid');
    },
  );

  test.each([
    ['4000002500003155', 'confirm', 'complete paid'],
    ['4000002500003155', 'refuse', 'open unpaid'],
    ['4000008400001629', 'confirm', 'open unpaid'],
  ])('whose card %s asks who he is: %s leads to %s', async (card, outcome, end) => {
    // With 3-D Secure, nothing may be charged before the payer is authenticated.
    const session = await create();
    await send(session, { card });
    expect(await statusOf(session)).toBe('open unpaid');
    await send(session, { outcome });
    expect(await statusOf(session)).toBe(end);
  });

  test.each([
    ['cancel', 'http://shop.example/back'],
    ['leave', null],
  ])('who does %s ends nothing', async (outcome, location) => {
    // The session must stay open until it is closed or expires.
    const session = await create();
    expect((await send(session, { outcome })).location).toBe(location);
    expect(await statusOf(session)).toBe('open unpaid');
  });

  test.each([
    ['000123456789', 'complete paid'],
    ['000111111116', 'complete unpaid'],
  ])('by the account %s is done at once, and the money is not there yet: %s', async (account, end) => {
    // A session by a slow method is complete before it is paid.
    const session = await create();
    await send(session, { method: 'bank', account });
    expect(await statusOf(session)).toBe('complete unpaid');
    const type = end === 'complete paid' ? 'async_payment_succeeded' : 'async_payment_failed';
    await until(() => world.posted.find(({ body }) => body.includes(`checkout.session.${type}`)));
    expect(await statusOf(session)).toBe(end);
  });

  test('who pays twice is charged once', async () => {
    // A double click, or a page in two tabs, must not charge the payer twice.
    const session = await create();
    await Promise.all([send(session), send(session)]);
    const charges = (await world.charges()).filter((line) => JSON.stringify(line).includes(session.id));
    expect(charges).toHaveLength(1);
  });
});

const read = ({ body, signature }: Posted): Stripe.Event =>
  Stripe.webhooks.constructEvent(body, signature, WEBHOOK_SECRET);
const typeOf = ({ body }: Posted): string => (JSON.parse(body) as { type: string }).type;
const types = (): string[] => world.posted.map(typeOf);
const isCompleted = ({ body }: Posted, { id }: Stripe.Checkout.Session): boolean =>
  body.includes('"type": "checkout.session.completed"') && body.includes(id);
const completed = (session: Stripe.Checkout.Session) =>
  until(() => world.posted.find((one) => isCompleted(one, session)));

async function paid(script?: string): Promise<Stripe.Checkout.Session> {
  if (script !== undefined) {
    await world.script(script);
  }
  const session = await create();
  await world.act(session, 'pay');
  return session;
}

describe('an event', () => {
  test('is one that the official library takes as signed', async () => {
    // The library is Stripe's own, so it shows whether the signature is right.
    const session = await paid();
    const event = read(await completed(session));
    expect(event).toMatchObject({ object: 'event', livemode: false, data: { object: { id: session.id } } });
    await until(() =>
      ['payment_intent.succeeded', 'charge.succeeded'].every((type) => types().includes(type)) ? true : undefined,
    );
  });

  test.each(['bad-signature', 'absent-signature', 'old-signature'])(
    'by the script %s is one that it refuses',
    async (script) => {
      // A fault that verifies would prove nothing about a merchant.
      const event = await completed(await paid(script));
      expect(() => read(event)).toThrow(Stripe.errors.StripeSignatureVerificationError);
    },
  );

  test('that nobody takes is posted again, and not for ever', async () => {
    // Stripe delivers each event at least once.
    world.state.endpointStatus = 500;
    const session = await paid();
    await until(() => {
      const found = world.posted.filter((one) => isCompleted(one, session));
      return found.length === 3 ? found : undefined;
    });
  });

  test('may come three times, in other bytes', async () => {
    // A merchant that compares bodies would miss the duplicate. Only the id is stable.
    const session = await paid('event-duplicate');
    const copies = await until(() => {
      const found = world.posted.filter((one) => isCompleted(one, session));
      return found.length === 3 ? found : undefined;
    });
    expect(new Set(copies.map((copy) => read(copy).id)).size).toBe(1);
  });

  test('may be overtaken by a later one', async () => {
    // A merchant must not rely on the order of events.
    const session = await paid('event-disorder');
    await completed(session);
    const seen = world.posted.filter(({ body }) => body.includes(session.id)).map(typeOf);
    expect(seen.indexOf('checkout.session.async_payment_succeeded')).toBeLessThan(
      seen.indexOf('checkout.session.completed'),
    );
  });

  test('that is held comes when the control plane says so, and one by the script silence never', async () => {
    // Some tests need a gateway that sends no events.
    const silent = await paid('silence');
    const session = await paid('event-held');
    await world.act(session, 'deliver');
    expect(read(await completed(session))).toMatchObject({ data: { object: { id: session.id } } });
    expect(world.posted.filter(({ body }) => body.includes(silent.id))).toEqual([]);
  });

  test('tells of a session that expired and of a refund', async () => {
    // A merchant is notified of its own actions too.
    const open = await create();
    await stripe.checkout.sessions.expire(open.id);
    const session = await paid();
    const { payment_intent: intent } = await stripe.checkout.sessions.retrieve(session.id);
    await stripe.refunds.create({ payment_intent: String(intent) });
    await until(() =>
      ['checkout.session.expired', 'charge.refunded', 'refund.created'].every((type) => types().includes(type))
        ? true
        : undefined,
    );
  });
});
