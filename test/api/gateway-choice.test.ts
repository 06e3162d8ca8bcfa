import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../core/applications/store/applications.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call, type Answer } from './contract-client.ts';
import { GATEWAY_PAGE } from './fake-dispatch.ts';
import { httpCall, type HttpAnswer } from './http-call.ts';

let world: ApiWorld;
let origin: string;
let web: string;
let shop: Registration;

beforeAll(async () => {
  world = await openApiWorld();
  origin = await world.listen();
  shop = await world.register();
});
afterAll(() => world.close());
beforeEach(async () => {
  // Each test has its own listener, and so its own rate limits.
  web = await world.listen({ pages: true });
  world.dispatch.opening = 'opens';
});

function create(fields: object, registration = shop): Promise<Answer> {
  const body = { amountMinor: 10_000, customerReference: 'cust_1', ...fields };
  return call({ origin, method: 'POST', path: '/payments', credentials: registration.test, body });
}

async function choosing(): Promise<string> {
  const { data } = await create({ gateways: ['sslcommerz', 'bkash'] });
  return String(data['reference']);
}

/** Requests the page as its automatic refresh does. A normal visit after the payer was at the gateway would query the gateway first. */
const page = (reference: string, { query = '', cookie = '' } = {}): Promise<HttpAnswer> =>
  httpCall({ origin: web, path: `/checkout/${reference}${query}`, headers: { cookie, 'sec-fetch-mode': 'cors' } });

function choose(reference: string, body: string, type = 'application/x-www-form-urlencoded'): Promise<HttpAnswer> {
  return httpCall({
    origin: web,
    method: 'POST',
    path: `/checkout/${reference}/gateway`,
    headers: { 'content-type': type },
    body: Buffer.from(body),
  });
}

const offered = ({ text }: HttpAnswer): string[] =>
  [...text.matchAll(/name="gateway" value="([a-z]+)"/g)].map(([, name = '']) => name);

const attemptsOf = (reference: string): Promise<{ gateway: string; left: boolean }[]> =>
  world.sql(
    `select t.gateway, superseded_at is not null as left from payment_attempts t join payments p on p.id = t.payment_id
     where p.reference = ? order by number`,
    [reference],
  );

describe('the member gateways of POST /payments', () => {
  test('lets the payer choose among several, and names none until he has', async () => {
    // The application sends the payer to Lenden's page, so there is no gateway session yet.
    const { status, data } = await create({ gateways: ['bkash', 'sslcommerz', 'bkash'] });
    expect(status).toBe(201);
    expect(data).toMatchObject({ status: 'PENDING', redirectUrl: null });
    expect(await attemptsOf(String(data['reference']))).toEqual([]);
    expect(offered(await page(String(data['reference'])))).toEqual(['bkash', 'sslcommerz']);
  });

  test('leaves no choice where only one suits, and opens its page at once', async () => {
    // A page with a single button would be a needless step for the payer.
    const one = await create({ gateways: ['bkash'] });
    expect(one.data).toMatchObject({ status: 'PENDING', redirectUrl: GATEWAY_PAGE });
    const tooSmall = await create({ gateways: ['sslcommerz', 'bkash'], amountMinor: 500 });
    expect(tooSmall.data).toMatchObject({ redirectUrl: GATEWAY_PAGE });
    expect(await attemptsOf(String(tooSmall.data['reference']))).toEqual([{ gateway: 'bkash', left: false }]);
  });

  test.each([
    ['a gateway that there is not', { gateways: ['sslcommerz', 'paypal'] }, 400, 'VALIDATION_ERROR'],
    ['an empty list', { gateways: [] }, 400, 'VALIDATION_ERROR'],
    ['something that is no name', { gateways: ['sslcommerz', "bkash'--"] }, 400, 'VALIDATION_ERROR'],
    ['a currency that none takes', { gateways: ['bkash'], currency: 'EUR' }, 400, 'VALIDATION_ERROR'],
    [
      'more than any takes',
      { gateways: ['bkash', 'sslcommerz'], amountMinor: 50_000_001 },
      400,
      'AMOUNT_OUT_OF_BOUNDS',
    ],
  ])('refuses %s, and stores nothing', async (_name, fields, status, errorCode) => {
    // The application has to learn at creation that no gateway takes the payment, not the payer later.
    const count = async (): Promise<unknown> => (await world.sql('select count(*) as all from payments'))[0];
    const before = await count();
    expect(await create(fields)).toMatchObject({ status, meta: { errorCode } });
    expect(await count()).toEqual(before);
  });

  test('offers only what operators allow the application', async () => {
    // Otherwise an application could use a gateway that operators did not allow.
    const bound = await world.register({ gatewaysAllowed: ['bkash'] });
    const both = await create({ gateways: ['sslcommerz', 'bkash'] }, bound);
    expect(await attemptsOf(String(both.data['reference']))).toEqual([{ gateway: 'bkash', left: false }]);
    expect(await create({ gateways: ['sslcommerz'] }, bound)).toMatchObject({
      meta: { errorCode: 'INVALID_OPERATION_STATE' },
    });
  });
});

describe('an application whose payers choose by its setting', () => {
  test('need not name gateways in each request, and a request that does goes first', async () => {
    // Otherwise an existing integration would have to change its code to offer a choice.
    const choosy = await world.register({ checkoutGateways: ['stripe', 'bkash', 'stripe'] });
    const { data } = await create({}, choosy);
    expect(data).toMatchObject({ status: 'PENDING', redirectUrl: null });
    expect(offered(await page(String(data['reference'])))).toEqual(['stripe', 'bkash']);
    const named = await create({ gateways: ['sslcommerz'] }, choosy);
    expect(await attemptsOf(String(named.data['reference']))).toEqual([{ gateway: 'sslcommerz', left: false }]);
  });

  test('is told in its own words when none of them takes the payment', async () => {
    // Otherwise the setting could produce a payment that no gateway takes.
    const dollars = await world.register({ checkoutGateways: ['stripe'] });
    expect(await create({ currency: 'USD' }, dollars)).toMatchObject({ status: 201 });
    const wallet = await world.register({ checkoutGateways: ['bkash'] });
    expect(await create({ currency: 'USD' }, wallet)).toMatchObject({
      status: 400,
      meta: { errorCode: 'VALIDATION_ERROR' },
    });
    const barred = await world.register({ checkoutGateways: ['bkash'], gatewaysAllowed: ['sslcommerz'] });
    expect(await create({}, barred)).toMatchObject({ meta: { errorCode: 'INVALID_OPERATION_STATE' } });
  });
});

describe('the page that asks how to pay', () => {
  test('lets forms lead to the pages of all gateways that it offers, and nowhere else', async () => {
    // Chromium blocks a form whose redirect leaves the origins in the policy, so the payer would be stuck.
    const { headers } = await page(await choosing());
    const directive = /form-action ([^;]+)/.exec(String(headers['content-security-policy']))?.[1];
    const own = ['http://localhost:8080', web.replace('127.0.0.1', 'localhost')];
    const gateways = ['https://bkash.example', 'https://gateway.example'];
    expect(directive?.split(' ').sort()).toEqual(["'self'", ...own, ...gateways].sort());
  });

  test('sends the payer on to the page that he has chosen, and remembers nothing but the choice', async () => {
    // The cookie must not identify the payer, and scripts must not be able to read it.
    const reference = await choosing();
    const answer = await choose(reference, 'gateway=bkash');
    expect(answer).toMatchObject({ status: 303, headers: { location: GATEWAY_PAGE } });
    expect(answer.headers['set-cookie']).toBe('lenden_gateway=bkash; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax');
    expect(await attemptsOf(reference)).toEqual([{ gateway: 'bkash', left: false }]);
    const { text } = await page(reference);
    expect(text).toContain(`/checkout/${reference}/continue`);
    expect(text).toContain(`/checkout/${reference}?choose=1`);
    expect(text).toContain('bKash');
  });

  test('shows first what was chosen last in this browser, and takes no word of the cookie for more', async () => {
    // The cookie only changes the order. If it chose the gateways, a payer could use one that the application did not offer.
    const reference = await choosing();
    expect(offered(await page(reference, { cookie: 'lenden_gateway=bkash' }))).toEqual(['bkash', 'sslcommerz']);
    expect(offered(await page(reference, { cookie: 'lenden_gateway=%3Cscript%3E' }))).toEqual(['sslcommerz', 'bkash']);
  });

  test('lets him change his mind: the former attempt is left, and a new one begun', async () => {
    // Money that still arrives for the abandoned attempt is matched to that attempt.
    const reference = await choosing();
    await choose(reference, 'gateway=bkash');
    expect(offered(await page(reference, { query: '?choose=1' }))).toEqual(['sslcommerz', 'bkash']);
    const before = world.dispatch.chosen.length;
    expect(await choose(reference, 'gateway=sslcommerz')).toMatchObject({ status: 303 });
    expect(await attemptsOf(reference)).toEqual([
      { gateway: 'bkash', left: true },
      { gateway: 'sslcommerz', left: false },
    ]);
    expect(world.dispatch.chosen).toHaveLength(before + 1);
  });

  test('is explained step by step: not chosen, chosen, left for another', async () => {
    // Support sees which gateway the payer left, and when.
    const { data } = await create({ gateways: ['sslcommerz', 'bkash'] });
    const explained = async () => {
      const answer = await call({ origin, path: `/payments/${String(data['id'])}/explain`, credentials: shop.test });
      return { summary: String(answer.data['summary']), timeline: JSON.stringify(answer.data['timeline']) };
    };
    expect((await explained()).summary).toBe('The payer has not chosen a gateway yet.');
    await choose(String(data['reference']), 'gateway=bkash');
    expect((await explained()).summary).toBe('The checkout is open. The payer has not finished.');
    await choose(String(data['reference']), 'gateway=sslcommerz');
    expect((await explained()).timeline).toContain('attempt 1: replaced, the payer chose another gateway');
  });

  test('goes on with the same attempt when the same is chosen again', async () => {
    // Otherwise a second click or tab would open a second session.
    const reference = await choosing();
    await choose(reference, 'gateway=bkash');
    const again = await choose(reference, 'gateway=bkash');
    expect(again).toMatchObject({ status: 303, headers: { location: GATEWAY_PAGE } });
    expect(await attemptsOf(reference)).toHaveLength(1);
    expect(world.dispatch.chosenAgain).toContain(reference);
  });

  test('waits on our own page when the gateway’s could not be had in time', async () => {
    // The choice is stored, so the payer must not lose it when the gateway is slow.
    const reference = await choosing();
    world.dispatch.opening = 'times out';
    const answer = await choose(reference, 'gateway=bkash');
    expect(answer).toMatchObject({ status: 303, headers: { location: `/checkout/${reference}?lang=en` } });
    expect(await attemptsOf(reference)).toEqual([{ gateway: 'bkash', left: false }]);
    const { text } = await page(reference);
    expect(text).toContain('http-equiv="refresh"');
    expect(text).toContain(`/checkout/${reference}?choose=1`);
  });

  test.each([
    ['another gateway than those offered', 'gateway=stripe', undefined, 400],
    ['no gateway', 'name=bkash', undefined, 400],
    ['two gateways', 'gateway=bkash&gateway=sslcommerz', undefined, 400],
    ['a name that is none', 'gateway=..%2F..%2Fcancel', undefined, 400],
    ['JSON', '{"gateway":"bkash"}', 'application/json', 415],
    ['a novel', `gateway=bkash&x=${'x'.repeat(2_000)}`, undefined, 413],
  ])('refuses a form with %s, and begins no attempt', async (_name, body, type, status) => {
    // The form is public, so anybody with the link can post anything to it.
    const reference = await choosing();
    const answer = await choose(reference, body, type);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(await attemptsOf(reference)).toEqual([]);
  });

  test('stops a program that changes its mind for ever', async () => {
    // Each choice opens a session at a gateway, and no person needs more than ten.
    const reference = await choosing();
    const statuses = [];
    for (let time = 0; time < 11; time += 1) {
      statuses.push((await choose(reference, `gateway=${time % 2 === 0 ? 'bkash' : 'sslcommerz'}`)).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 303), 429]);
    expect(await attemptsOf(reference)).toHaveLength(10);
  });

  test('leaves one attempt current when two tabs choose at once', async () => {
    // If both attempts stayed current, the payer could pay at both gateways.
    const reference = await choosing();
    await Promise.all([choose(reference, 'gateway=bkash'), choose(reference, 'gateway=sslcommerz')]);
    const attempts = await attemptsOf(reference);
    expect(attempts.filter(({ left }) => !left)).toHaveLength(1);
  });

  test.each([
    ['is cancelled', 'cancel_requested_at = now()'],
    [
      'is paid',
      "status = 'SUCCEEDED', paid_at = now(), ended_at = now(), gateway = 'bkash', fee_minor = 0, event_sequence = 1",
    ],
    ['is expired', "created_at = now() - interval '2 hours', expires_at = now() - interval '1 second'"],
  ])('offers and takes no choice of a payment that %s', async (_name, change) => {
    // A stale tab must not open a gateway session for a payment that is over.
    const reference = await choosing();
    await world.sql(`update payments set ${change} where reference = ? returning 1`, [reference]);
    expect(offered(await page(reference, { query: '?choose=1' }))).toEqual([]);
    const before = world.dispatch.chosen.length;
    expect(await choose(reference, 'gateway=bkash')).toMatchObject({
      status: 303,
      headers: { location: `/checkout/${reference}?lang=en` },
    });
    expect(await attemptsOf(reference)).toEqual([]);
    expect(world.dispatch.chosen).toHaveLength(before);
  });

  test('leads nobody to the page that was chosen before, once he has called the payment off', async () => {
    // A stale tab must not take the payer to the gateway, which would still accept the money.
    const reference = await choosing();
    expect(await choose(reference, 'gateway=bkash')).toMatchObject({ headers: { location: GATEWAY_PAGE } });
    await world.sql('update payments set cancel_requested_at = now() where reference = ? returning 1', [reference]);
    const ours = { status: 303, headers: { location: `/checkout/${reference}?lang=en` } };
    expect(await choose(reference, 'gateway=sslcommerz')).toMatchObject(ours);
    const goOn = httpCall({ origin: web, method: 'POST', path: `/checkout/${reference}/continue` });
    expect(await goOn).toMatchObject(ours);
  });

  test('has nothing to be paid any more once a page that was left turns out to be paid', async () => {
    // Otherwise the payer could start a second payment between the gateway's answer and the finalization.
    const reference = await choosing();
    await choose(reference, 'gateway=bkash');
    await choose(reference, 'gateway=sslcommerz');
    const goOn = `/checkout/${reference}/continue`;
    expect((await page(reference)).text).toContain(goOn);
    await world.sql(
      `update payment_attempts set status = 'CONFIRMED', confirmed_at = now(), gateway_txn_id = 'T', validation_id = reference,
         gross_minor = 10000, fee_minor = 0, evidence = '{}'
       where superseded_at is not null and payment_id = (select id from payments where reference = ?) returning 1`,
      [reference],
    );
    const { text } = await page(reference);
    expect(text).not.toContain(goOn);
    expect(text).toContain('http-equiv="refresh"');
  });

  test('names the gateway that is asked, though another one was chosen since', async () => {
    // Payers who paid at bKash must not read that another gateway is asked about their money.
    const reference = await choosing();
    await choose(reference, 'gateway=bkash');
    await choose(reference, 'gateway=sslcommerz');
    await world.sql(
      `insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, kind, signature_valid, raw_payload, digest)
       select t.application_id, t.mode, t.payment_id, t.id, t.gateway, 'success', false, '', sha256(t.reference::bytea)
       from payment_attempts t join payments p on p.id = t.payment_id where p.reference = ? and t.gateway = 'bkash' returning 1`,
      [reference],
    );
    expect((await page(reference)).text).toContain('We are asking <bdi>bKash</bdi> how your payment ended.');
  });

  test('offers no choice where the application has made it', async () => {
    // A link with `choose=1` must not let the payer override the application's gateway.
    const { data } = await create({});
    const reference = String(data['reference']);
    expect(offered(await page(reference, { query: '?choose=1' }))).toEqual([]);
    expect(await choose(reference, 'gateway=bkash')).toMatchObject({ status: 400 });
  });

  test('asks in Bangla, too', async () => {
    const { text } = await page(await choosing(), { query: '?lang=bn' });
    expect(text).toContain('<html lang="bn"');
    expect(text).toMatch(/action="[^"]*\/gateway\?lang=bn"/);
  });
});
