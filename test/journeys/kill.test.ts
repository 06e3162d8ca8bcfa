import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { openInbox, type Inbox } from '../../proofs/thousand/inbox.ts';
import { asOwner, attemptReference } from './owner.ts';
import { payAndReturn, payAtGateway } from './payer.ts';
import { openTestShop, paymentIn, type ShopPayment, type TestShop } from './shop.ts';
import { tellGateway } from './simulator.ts';
import { startStackToKill, type StackToKill } from './stack-to-kill.ts';
import { verify } from './verify.ts';
import { sessionsOf, waysOut } from '../support/logins.ts';
import { longTest, oneOfEach } from '../support/long.ts';
import { until } from '../support/until.ts';

/** The simulator behaves differently for these amounts. */
const NOTICE_IS_HELD = 131_316;
const SESSION_OPENS_SLOWLY = 131_348;
const SETTLED_TIMEOUT_MS = 120_000;

let stack: StackToKill;
let dev: DevFile;
let shop: TestShop;
let inbox: Inbox;
let secret = '';

beforeAll(async () => {
  [stack, inbox] = await Promise.all([startStackToKill(), openInbox(() => secret)]);
  dev = await stack.dev();
  shop = await openTestShop({ dev, directory: stack.directory }, { webhookUrl: inbox.url });
  secret = shop.signingSecret;
});

afterAll(async () => {
  await inbox.close();
  await stack.remove();
});

test('no process of the stack is logged in as the owner, nor can become it', async () => {
  // An attacker who takes over a process must not see every application.
  const opened = async () => {
    // Sessions that are idle are closed, so a request opens one.
    await fetch(new URL('/ready', dev.api));
    return sessionsOf(dev.databaseUrl);
  };
  await until(async () => (await opened()).some(({ login }) => login === 'lenden_app'));
  const sessions = await opened();
  expect(sessions.filter(({ login, name }) => name !== `lenden ${login}`)).toEqual([]);
  expect(sessions.map(({ login }) => login)).toEqual(expect.arrayContaining(['lenden_app', 'lenden_system']));
  expect(await waysOut(dev.databaseUrl)).toEqual([]);
});

/** Returns the types of a payment's events. An event whose sender died may arrive twice, under the same id. */
function eventsOf({ reference }: ShopPayment): string[] {
  const own = inbox.arrivals.filter((arrival) => arrival.reference === reference);
  return [...new Map(own.map(({ eventId, type }) => [eventId, type])).values()];
}

async function untilPaid(payment: ShopPayment): Promise<void> {
  await until(() =>
    shop.read(payment.id).then(
      ({ status }) => status === 'SUCCEEDED',
      () => false,
    ),
  );
  await inbox.ended(payment.reference, SETTLED_TIMEOUT_MS);
}

/** The Idempotency-Key of a request that died stays leased for a minute. */
const TRY_AGAIN_FOR_MS = 90_000;

/** Retries, as a payer does whose page did not load, or a client that got no answer. */
async function tryAgain<T>(attempt: () => Promise<T>): Promise<T> {
  const giveUpAt = Date.now() + TRY_AGAIN_FOR_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > giveUpAt) {
        throw error;
      }
      await sleep(500);
    }
  }
}

describe('kill -9', () => {
  test('of every process at once loses neither an open payment nor one that is paid but not yet notified', async () => {
    // After every process has died, payments must continue from the stored data alone, without an operator.
    const open = await shop.create();
    const midway = await shop.create({ amountMinor: NOTICE_IS_HELD });
    await payAtGateway(midway.checkoutUrl);
    await stack.killAll();
    dev = await stack.startAgain();
    shop.moveTo(dev);
    expect((await shop.read(open.id)).status).toBe('PENDING');
    expect((await shop.read(midway.id)).status).toBe('PENDING');
    await payAndReturn(open.checkoutUrl);
    await tellGateway(dev, { session: await attemptReference(dev.databaseUrl, midway.reference), action: 'deliver' });
    await Promise.all([untilPaid(open), untilPaid(midway)]);
    expect([eventsOf(open), eventsOf(midway)]).toEqual([['payment.succeeded'], ['payment.succeeded']]);
    expect(await verify(stack.directory)).toMatchObject({ exitCode: 0 });
  });

  test.each(oneOfEach(['worker', 'temporal', 'simulators']))(
    'of the %s alone between charge and notice is made good without a hand',
    async (name) => {
      // Each process is killed alone, because each failure breaks a different step.
      const payment = await shop.create({ amountMinor: NOTICE_IS_HELD });
      await payAtGateway(payment.checkoutUrl);
      const session = await attemptReference(dev.databaseUrl, payment.reference);
      process.kill((await stack.dev()).processes[name] ?? 0, 'SIGKILL');
      await tryAgain(() => tellGateway(dev, { session, action: 'deliver' }));
      await untilPaid(payment);
      expect(eventsOf(payment)).toEqual(['payment.succeeded']);
    },
  );

  test('of the api between commit and reply lets a retry with the same key find the same payment', async () => {
    // An application that retries after a lost connection must not charge the payer twice.
    const body = { amountMinor: SESSION_OPENS_SLOWLY, customerReference: 'cut off' };
    const key = randomUUID();
    const lost = shop.post(body, key).catch(() => 'lost');
    const rows = () =>
      asOwner<{ reference: string }>(dev.databaseUrl, {
        sql: 'select reference from payments where customer_reference = ?',
        parameters: [body.customerReference],
      });
    await until(async () => (await rows()).length === 1);
    process.kill((await stack.dev()).processes['api'] ?? 0, 'SIGKILL');
    expect(await lost).toBe('lost');
    const duplicate = await tryAgain(() => shop.post(body, key));
    expect([duplicate.status, Number(duplicate.headers.get('retry-after')) > 0]).toEqual([409, true]);
    // Simulates that the minute of the first request is over.
    await asOwner(dev.databaseUrl, {
      sql: `update idempotency_keys set lease_until = now() where key = ?`,
      parameters: [key],
    });
    const retry = await shop.post(body, key);
    expect(retry.status).toBe(201);
    const payment = paymentIn(await retry.json());
    expect(await rows()).toEqual([{ reference: payment.reference }]);
    expect(payment.status).toBe('PENDING');
  });
});

describe('an immediate stop of Postgres under load', () => {
  longTest('loses none of twenty payments and doubles none', async () => {
    // Acknowledged commits must survive, and requests without an answer must be safe to retry.
    const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
    const createAndPay = async (number: number): Promise<ShopPayment> => {
      const key = randomUUID();
      const body = { customerReference: `load ${number}`, amountMinor: 10_000 + number };
      const payment = await tryAgain(() => shop.create(body, key));
      await tryAgain(() => payOnce(payment));
      return payment;
    };
    const all = Promise.all(numbers.map(createAndPay));
    await until(async () => inbox.arrivals.length > 6);
    process.kill((await stack.dev()).processes['postgres'] ?? 0, 'SIGQUIT');
    const payments = await all;
    await Promise.all(payments.map(untilPaid));
    expect(payments.flatMap(eventsOf)).toEqual(payments.map(() => 'payment.succeeded'));
    const [row] = await asOwner<{ count: string }>(dev.databaseUrl, {
      sql: `select count(*) from payments where customer_reference like 'load %'`,
    });
    expect(Number(row?.count)).toBe(20);
    expect(await verify(stack.directory)).toMatchObject({ exitCode: 0 });
  });
});

/** Pays unless the payment is already paid. A payer whose return failed looks at our page first. */
async function payOnce({ id, redirectUrl, checkoutUrl }: ShopPayment): Promise<void> {
  if ((await shop.read(id)).status === 'PENDING') {
    await payAndReturn(checkoutUrl);
  }
  expect(redirectUrl ?? '').toContain(dev.simulators);
}
