import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { CredentialPair, Registration } from '../../core/applications/store/applications.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call, type Answer } from './contract-client.ts';

let world: ApiWorld;
let origin: string;
let shop: Registration;

beforeAll(async () => {
  world = await openApiWorld();
  origin = await world.listen();
  shop = await world.register({ rateLimitPerMinute: 10_000 });
});
afterAll(() => world.close());

beforeEach(() => {
  world.dispatch.opening = 'opens';
});

const BODY = { amountMinor: 10_000, currency: 'BDT', customerReference: 'cust_1' };
let serial = 0;

function newKey(): string {
  serial += 1;
  return `key-${serial}`;
}

interface Create {
  readonly key?: string;
  readonly body?: unknown;
  readonly at?: string;
  readonly credentials?: CredentialPair;
  readonly headers?: Record<string, string>;
}

function create({ key, body = BODY, at = origin, credentials = shop.test, headers = {} }: Create): Promise<Answer> {
  return call({
    origin: at,
    method: 'POST',
    path: '/payments',
    credentials,
    body,
    headers: { ...(key === undefined ? {} : { 'idempotency-key': key }), ...headers },
  });
}

async function countPayments(): Promise<number> {
  const [row] = await world.sql<{ count: number }>('select count(*)::int as count from payments');
  return row?.count ?? -1;
}

/** Expires the lease of a key whose first caller is gone. */
async function endLease(key: string): Promise<void> {
  await world.sql(`update idempotency_keys set lease_until = now() - interval '1 second' where key = ?`, [key]);
}

async function storedAnswer(key: string): Promise<{ response_status: number | null; payment_id: string | null }[]> {
  return world.sql('select response_status, payment_id::text from idempotency_keys where key = ?', [key]);
}

describe('a key of its own', () => {
  test('without a key every request runs', async () => {
    // The key is optional in the native contract.
    const [first, second] = [await create({}), await create({})];
    expect(first.data['id']).not.toBe(second.data['id']);
  });

  test('the same key and body are answered byte for byte, marked, and opened once', async () => {
    // Otherwise a retry after a lost answer could charge twice, or look like another payment.
    const key = newKey();
    const first = await create({ key });
    await world.sql(`update payments set status = 'FAILED', ended_at = now(), updated_at = now() where id = ?`, [
      first.data['id'],
    ]);
    const replay = await create({ key });
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(replay.headers['idempotent-replayed']).toBe('true');
    expect([replay.status, replay.text]).toEqual([first.status, first.text]);
    expect(world.dispatch.asked.filter((reference) => reference === first.data['reference'])).toHaveLength(1);
    expect(replay.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
  });

  test('the same meaning in other spelling is the same request', async () => {
    // White space and the order of members do not count, so a retry through another JSON library is still a duplicate.
    const key = newKey();
    const headers = { 'content-type': 'application/json' };
    const first = await create({ key });
    const spelt = '{ "customerReference":"c\\u0075st_1",\n "currency":"BDT", "amountMinor": 10000 }';
    const second = await create({ key, body: spelt, headers });
    expect(second.text).toBe(first.text);
  });

  test.each([
    ['another amount', { ...BODY, amountMinor: 10_001 }],
    ['a member more', { ...BODY, productName: 'Pro plan' }],
    ['an unknown member more', { ...BODY, note: 'x' }],
  ])('%s under the same key is a conflict and leaves the first payment alone', async (_name, body) => {
    // A client that reuses a key by mistake must not get the wrong payment as its answer.
    const key = newKey();
    const first = await create({ key });
    const before = await countPayments();
    const conflict = await create({ key, body });
    expect(conflict.status).toBe(409);
    expect(conflict.meta.errorCode).toBe('IDEMPOTENCY_KEY_CONFLICT');
    expect(await countPayments()).toBe(before);
    const read = await call({ origin, path: `/payments/${String(first.data['id'])}`, credentials: shop.test });
    expect(read.data['amountMinor']).toBe(10_000);
  });

  test('gives the first answer again although the request would be refused by now', async () => {
    // Otherwise a shop that lost the first answer would think that there is no payment, while its customer can pay.
    const own = await world.register();
    const body = { ...BODY, returnUrl: 'https://shop.example/thanks' };
    const send = (key: string) => create({ key, body, credentials: own.test });
    const [key, ofGateways] = [newKey(), newKey()];
    const choosing = () =>
      create({ key: ofGateways, body: { ...BODY, gateways: ['bkash', 'sslcommerz'] }, credentials: own.test });
    const [first, chosen] = [await send(key), await choosing()];
    await world.sql(
      `update applications set gateways_allowed = '{stripe}', return_origins = '{https://other.example}' where id = ?`,
      [own.applicationId.toString()],
    );
    const again = await send(key);
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([201, first.text, 'true']);
    expect((await choosing()).text).toBe(chosen.text);
    expect((await send(newKey())).meta.errorCode).toBe('INVALID_OPERATION_STATE');
    // A different request with the key gets its own error, never the stored answer.
    const other = await create({ key, body: { ...body, amountMinor: 20_000 }, credentials: own.test });
    expect(other.meta.errorCode).toBe('INVALID_OPERATION_STATE');
  });

  test('is kept for 30 days and is new after them', async () => {
    // Otherwise a late retry would create a second payment, or a key would never be usable again.
    const key = newKey();
    const first = await create({ key });
    const [row] = await world.sql<{ days: number }>(
      'select extract(epoch from expires_at - created_at)::float8 / 86400 as days from idempotency_keys where key = ?',
      [key],
    );
    expect(row?.days).toBeCloseTo(30, 3);
    const age = (interval: string): Promise<object[]> =>
      world.sql(
        `update idempotency_keys set created_at = created_at - interval '${interval}', expires_at = expires_at - interval '${interval}',
           lease_until = lease_until - interval '${interval}' where key = ?`,
        [key],
      );
    await age('23 hours');
    expect((await create({ key })).text).toBe(first.text);
    await age('30 days');
    const later = await create({ key, body: { ...BODY, amountMinor: 20_000 } });
    expect(later.status).toBe(201);
    expect(later.data['id']).not.toBe(first.data['id']);
    expect((await create({ key, body: { ...BODY, amountMinor: 20_000 } })).text).toBe(later.text);
  });

  test('means nothing in another app or mode', async () => {
    // Otherwise two applications with the same order numbers would get each other's payments.
    const key = newKey();
    const other = await world.register();
    const answers = [];
    for (const credentials of [shop.test, shop.live, other.test, other.live]) {
      answers.push(await create({ key, credentials }));
    }
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set(answers.map(({ data }) => data['id'])).size).toBe(4);
  });

  test.each([
    ['256 octets', 'k'.repeat(256)],
    ['nothing', ''],
    ['a tab inside', 'a\tb'],
  ])('of %s is refused and nothing is stored', async (_name, key) => {
    // A key that cannot be stored exactly would not protect the client from a second payment.
    const before = await countPayments();
    const answer = await create({ key });
    expect(answer.meta.errorCode).toBe('VALIDATION_ERROR');
    expect(Object.keys(answer.data)).toEqual(['Idempotency-Key']);
    expect(await countPayments()).toBe(before);
  });

  test.each([['k'.repeat(255)], ['9b1c… é'.replace('…', '\u00a6')], [`it's "quoted"; drop`]])(
    'of up to 255 octets is taken (%#)',
    async (key) => {
      // The documentation allows any octets except control characters.
      const first = await create({ key });
      expect(first.status).toBe(201);
      expect((await create({ key })).text).toBe(first.text);
    },
  );
});

describe('what does not consume a key', () => {
  test('validation, bounds, 401, 413, 415 and 429', async () => {
    // A client that corrects its mistake must be able to use the same key again.
    const slow = await world.register({ rateLimitPerMinute: 5 });
    const key = newKey();
    const of = (change: Partial<Create>): Promise<Answer> => create({ key, credentials: slow.test, ...change });
    const refused = [
      await of({ body: { amountMinor: 0 } }),
      await of({ body: { ...BODY, amountMinor: 1 } }),
      await of({ credentials: { ...slow.test, apiSecret: 'wrong' } }),
      await of({ body: { ...BODY, productName: 'x'.repeat(70_000) } }),
      await of({ body: 'x', headers: { 'content-type': 'text/plain' } }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 401, 413, 415]);
    expect((await of({})).status).toBe(201);
    expect((await of({})).meta.errorCode).toBe('RATE_LIMITED');
    expect((await of({ key: newKey() })).status).toBe(429);
    expect(await storedAnswer(key)).toHaveLength(1);
    expect(await storedAnswer(`key-${serial}`)).toHaveLength(0);
  });
});

describe('duplicates', () => {
  test('100 at once over two processes make one payment; each gets it or is told to wait', async () => {
    // Otherwise a client that sends twice, to two processes, would pay twice.
    world.dispatch.opening = 'opens slowly';
    const second = await world.listen();
    const key = newKey();
    const before = await countPayments();
    const sessions = world.dispatch.sessions.size;
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => create({ key, at: i % 2 === 0 ? origin : second })),
    );
    expect(await countPayments()).toBe(before + 1);
    expect(world.dispatch.sessions.size).toBe(sessions + 1);
    const good = answers.filter(({ status }) => status === 201);
    const waiting = answers.filter(({ status }) => status === 409);
    expect(good.length + waiting.length).toBe(100);
    expect(good.length).toBeGreaterThan(0);
    expect(new Set(good.map(({ text }) => text)).size).toBe(1);
    for (const { meta, headers } of waiting) {
      expect(meta.errorCode).toBe('IDEMPOTENCY_IN_PROGRESS');
      expect(Number(headers['retry-after'])).toBe(1);
    }
    expect((await create({ key })).text).toBe(good[0]?.text);
  });

  test('100 at once without a stored answer and with other bodies never run twice', async () => {
    // If both bodies ran, one key would create two payments.
    const key = newKey();
    const before = await countPayments();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => create({ key, body: { ...BODY, amountMinor: 10_000 + (i % 2) } })),
    );
    expect(await countPayments()).toBe(before + 1);
    expect(new Set(answers.map(({ status }) => status)).has(500)).toBe(false);
    expect(new Set(answers.filter(({ status }) => status === 201).map(({ data }) => data['amountMinor'])).size).toBe(1);
  });
});

describe('a death between commit and answer', () => {
  test('keeps the payment: duplicates wait for the lease, then one of them finishes the same payment', async () => {
    // The key and the payment are stored in one transaction, so a retry finds the payment of the process that died.
    const key = newKey();
    const before = await countPayments();
    world.dispatch.opening = 'never comes back';
    const dying = await world.listen();
    const gone = new AbortController();
    const lost = call({
      origin: dying,
      method: 'POST',
      path: '/payments',
      credentials: shop.test,
      body: BODY,
      headers: { 'idempotency-key': key },
      signal: gone.signal,
    }).catch((error: unknown) => error);
    while ((await storedAnswer(key)).length === 0) {
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
    gone.abort();
    expect(await lost).toHaveProperty('name', 'AbortError');
    const [stored] = await storedAnswer(key);
    expect(stored).toEqual({ response_status: null, payment_id: expect.stringMatching(/^\d+$/) });

    world.dispatch.opening = 'opens';
    const waiting = await create({ key });
    expect(waiting.meta.errorCode).toBe('IDEMPOTENCY_IN_PROGRESS');
    await endLease(key);
    const finished = await create({ key });
    expect(finished.status).toBe(201);
    expect(String(finished.data['id'])).toBe(stored?.payment_id);
    expect(await countPayments()).toBe(before + 1);
    const replay = await create({ key });
    expect([replay.text, replay.headers['idempotent-replayed']]).toEqual([finished.text, 'true']);
  });

  test('after the gateway had opened its session, the retry finds the session and asks for no other', async () => {
    // Otherwise the payment would get a second session, in which the payer could pay again.
    const key = newKey();
    world.dispatch.afterOpening = () => new Promise(() => undefined);
    const gone = new AbortController();
    const lost = call({
      origin,
      method: 'POST',
      path: '/payments',
      credentials: shop.test,
      body: BODY,
      headers: { 'idempotency-key': key },
      signal: gone.signal,
    }).catch(() => null);
    let status: string | undefined;
    while (status !== 'PENDING') {
      const rows = await world.sql<{ status: string }>(
        'select p.status from payments p join idempotency_keys k on k.payment_id = p.id where k.key = ?',
        [key],
      );
      status = rows[0]?.status;
    }
    gone.abort();
    await lost;
    world.dispatch.afterOpening = () => Promise.resolve();
    const asked = world.dispatch.asked.length;
    await endLease(key);
    const finished = await create({ key });
    expect(finished.data['status']).toBe('PENDING');
    expect(world.dispatch.asked).toHaveLength(asked);
  });

  test('a take-over holds a lease of its own, so two late duplicates do not both go on', async () => {
    // The lease is taken over under the row's lock, so two late duplicates cannot open two sessions.
    const key = newKey();
    world.dispatch.opening = 'times out';
    await create({ key });
    world.dispatch.opening = 'opens slowly';
    const asked = world.dispatch.asked.length;
    const answers = await Promise.all([create({ key }), create({ key }), create({ key })]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409, 409]);
    expect(world.dispatch.asked).toHaveLength(asked + 1);
  });
});

describe('answers without the outcome', () => {
  test('CREATED is not stored: the next duplicate joins the same payment and its answer is the one that stays', async () => {
    // A stored CREATED would hide for 30 days that the checkout has opened since.
    const key = newKey();
    world.dispatch.opening = 'times out';
    const first = await create({ key });
    expect([first.status, first.data['status'], first.data['redirectUrl']]).toEqual([201, 'CREATED', null]);
    expect(first.data['checkoutUrl']).toMatch(/\/checkout\/pay_/);
    expect((await storedAnswer(key))[0]?.response_status).toBeNull();
    world.dispatch.opening = 'opens';
    const second = await create({ key });
    expect([second.data['id'], second.data['status']]).toEqual([first.data['id'], 'PENDING']);
    expect(second.headers['idempotent-replayed']).toBeUndefined();
    const third = await create({ key });
    expect([third.text, third.headers['idempotent-replayed']]).toEqual([second.text, 'true']);
  });

  test('a duplicate that comes after the payer was declined is told so, and not that the gateway refused the checkout', async () => {
    // Otherwise the application would believe that the checkout never opened, although the payer was there.
    const key = newKey();
    world.dispatch.opening = 'times out';
    const first = await create({ key });
    expect(first.data['status']).toBe('CREATED');
    await world.sql(
      `update payments set status = 'FAILED', failure_code = 'GATEWAY_DECLINED', ended_at = now(),
         gateway_redirect_url = 'https://gateway.example/session/2' where id = ?`,
      [Number(first.data['id'])],
    );
    world.dispatch.opening = 'opens';
    const duplicate = await create({ key });
    expect([duplicate.status, duplicate.data['id'], duplicate.data['status']]).toEqual([
      201,
      first.data['id'],
      'FAILED',
    ]);
  });

  test('a refusal of the gateway is 502, stays bound to its payment and is told again', async () => {
    // If a 5xx freed the key, the retry would create a second payment.
    const key = newKey();
    world.dispatch.opening = 'refuses';
    const before = await countPayments();
    const first = await create({ key });
    expect([first.status, first.meta.errorCode]).toEqual([502, 'GATEWAY_ERROR']);
    world.dispatch.opening = 'opens';
    const second = await create({ key });
    expect(second.meta.errorCode).toBe('GATEWAY_ERROR');
    expect(await countPayments()).toBe(before + 1);
    expect((await create({ key, body: { ...BODY, amountMinor: 11_000 } })).meta.errorCode).toBe(
      'IDEMPOTENCY_KEY_CONFLICT',
    );
  });
});
