import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../gateways/port.ts';
import type { TokenShelf } from '../../gateways/bkash/tokens.ts';
import { tokenShelf } from './bkash-rows.ts';
import { HANDLE, json, payment, startScriptedBkash, text, type ScriptedBkash } from './bkash-world.ts';

const MINUTE_MS = 60_000;

/** Without a time, so that the payment does not expire when these tests move the clock. */
const NOT_STARTED = payment({ paymentCreateTime: '' });

let bkash: ScriptedBkash;
let gateway: Gateway;
beforeAll(async () => {
  bkash = await startScriptedBkash();
});
afterAll(() => bkash.close());
beforeEach(() => {
  gateway = bkash.process();
  bkash.answer({ status: NOT_STARTED });
});

const ask = (at: Gateway = gateway) => at.queryAttempt(HANDLE);
const tokenCalls = () => bkash.calls().filter((name) => name === 'grant' || name === 'refresh');

describe('the token', () => {
  test('is fetched once, with the merchant’s credentials, and serves every call', async () => {
    // bKash gives two tokens an hour, so a new token for each call would block the merchant at the third payer.
    await Promise.all(Array.from({ length: 20 }, () => ask()));
    await ask();
    expect(tokenCalls()).toEqual(['grant']);
    const [grant, query] = bkash.state.asked;
    expect(grant).toMatchObject({
      path: '/v1.2.0-beta/tokenized/checkout/token/grant',
      headers: { username: 'merchant', password: 'p' },
      body: { app_key: 'key', app_secret: 'secret' },
    });
    expect(query).toMatchObject({
      path: '/v1.2.0-beta/tokenized/checkout/payment/status',
      headers: { 'x-app-key': 'key', authorization: expect.stringMatching(/^token-/) },
    });
  });

  test('is renewed before it dies, by its refresh token, and never more than twice an hour', async () => {
    // Queries for a whole day.
    const calls: number[] = [];
    for (let minute = 0; minute < 24 * 60; minute += 4) {
      const before = tokenCalls().length;
      await ask();
      if (tokenCalls().length > before) {
        calls.push(minute);
      }
      bkash.later(4 * MINUTE_MS);
    }
    expect(tokenCalls()[0]).toBe('grant');
    expect(new Set(tokenCalls().slice(1))).toEqual(new Set(['refresh']));
    for (const minute of calls) {
      expect(calls.filter((other) => other >= minute && other < minute + 60).length).toBeLessThanOrEqual(2);
    }
  });

  test('is granted anew when its refresh token is not taken', async () => {
    // The lifetime of a refresh token is not documented.
    await ask();
    bkash.answer({ status: NOT_STARTED, refresh: json({ statusCode: '2079', statusMessage: 'Invalid app token' }) });
    bkash.later(61 * MINUTE_MS);
    expect((await ask()).kind).toBe('not-started');
    expect(tokenCalls()).toEqual(['refresh', 'grant']);
  });

  test('that is near its end is used up when no new one can be had', async () => {
    // Payments must go on while only the token endpoint is down.
    await ask();
    bkash.answer({ status: NOT_STARTED, grant: text('', 500), refresh: text('', 500) });
    bkash.later(56 * MINUTE_MS);
    expect((await ask()).kind).toBe('not-started');
    bkash.later(5 * MINUTE_MS);
    await expect(ask()).rejects.toMatchObject({ name: 'GatewayFailure' });
  });

  test('that the gateway has forgotten is replaced once, and then the answer counts', async () => {
    // The call was not carried out, so it can safely be repeated.
    bkash.answer({ status: [json({ message: 'Unauthorized' }, 401), NOT_STARTED] });
    expect((await ask()).kind).toBe('not-started');
    expect(bkash.calls()).toEqual(['grant', 'status', 'grant', 'status']);
    bkash.answer({ status: json({ message: 'Unauthorized' }, 401) });
    await expect(ask(bkash.process())).rejects.toMatchObject({ kind: 'unauthorized' });
  });

  test('is not asked for a third time within an hour, and the failure says until when', async () => {
    // A merchant that keeps requesting tokens is blocked for an hour.
    bkash.answer({ status: json({ message: 'Unauthorized' }, 401) });
    await expect(ask()).rejects.toMatchObject({ kind: 'unauthorized' });
    const failure = await ask().catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'rate-limited', message: expect.stringMatching(/next one .* at 20\d\d-/) });
    expect(tokenCalls()).toHaveLength(2);
    bkash.answer({ status: NOT_STARTED });
    bkash.later(61 * MINUTE_MS);
    expect((await ask()).kind).toBe('not-started');
  });

  test('is not asked for again for an hour once the gateway has blocked us', async () => {
    // Another process may have used up the token calls.
    bkash.answer({ grant: json({ message: 'Too Many Requests' }, 429) });
    await expect(ask()).rejects.toMatchObject({ kind: 'rate-limited' });
    bkash.later(50 * MINUTE_MS);
    await expect(ask()).rejects.toMatchObject({ kind: 'rate-limited' });
    expect(tokenCalls()).toHaveLength(1);
    bkash.answer({ status: NOT_STARTED });
    bkash.later(11 * MINUTE_MS);
    expect((await ask()).kind).toBe('not-started');
  });

  test.each([
    ['an app key that it does not know', json({ statusCode: '2001', statusMessage: 'Invalid App Key' })],
    ['a wrong password', json({ message: 'Unauthorized' }, 401)],
    ['a wrong password in HTTP 200', json({ message: 'Forbidden' })],
  ])('is refused for %s, and that is what we say', async (_name, grant) => {
    // An operator who entered a wrong secret has to learn it at once.
    bkash.answer({ grant });
    await expect(ask()).rejects.toMatchObject({ kind: 'unauthorized' });
  });
});

describe('of two processes with one shelf', () => {
  test('the second takes the token of the first, also when that was renewed', async () => {
    // Two workers act for the same merchant.
    const shelf = tokenShelf(() => bkash.state.nowMs);
    const [first, second] = [bkash.process({ shelf: shelf }), bkash.process({ shelf: shelf })];
    await ask(first);
    await ask(second);
    expect(tokenCalls()).toEqual(['grant']);
    bkash.later(57 * MINUTE_MS);
    await ask(first);
    await ask(second);
    expect(tokenCalls().length).toBeLessThanOrEqual(2);
  });

  test('who needs a token while another one fetches it waits for that one', async () => {
    // Two workers that start at once would use up the two calls of the hour.
    const shelf = tokenShelf(() => bkash.state.nowMs);
    const answers = await Promise.all([
      ask(bkash.process({ shelf: shelf })),
      ask(bkash.process({ shelf: shelf })),
      ask(bkash.process({ shelf: shelf })),
    ]);
    expect(answers.map(({ kind }) => kind)).toEqual(['not-started', 'not-started', 'not-started']);
    expect(tokenCalls()).toEqual(['grant']);
  });

  test('a token that the gateway has forgotten is replaced once, not by each of them', async () => {
    // The second process still holds the dead token, and finds the new one in the shared row.
    const shelf = tokenShelf(() => bkash.state.nowMs);
    const [first, second] = [bkash.process({ shelf: shelf }), bkash.process({ shelf: shelf })];
    await ask(first);
    await ask(second);
    const living = new Set<string>();
    bkash.answer({
      status: (response, asked) => {
        const token = String(asked.headers.authorization);
        const reply = living.has(token) ? NOT_STARTED : json({ message: 'Unauthorized' }, 401);
        reply(response, asked);
      },
      grant: (response, asked) => {
        living.add('token-new');
        json({ statusCode: '0000', id_token: 'token-new', expires_in: 3_600, refresh_token: 'r' })(response, asked);
      },
    });
    expect((await ask(first)).kind).toBe('not-started');
    expect((await ask(second)).kind).toBe('not-started');
    expect(tokenCalls()).toEqual(['grant']);
  });

  test('a block of the merchant is known to all of them until the hour is over', async () => {
    // The next call of any process would prolong the block.
    const shelf = tokenShelf(() => bkash.state.nowMs);
    bkash.answer({ grant: json({ message: 'Too Many Requests' }, 429) });
    await expect(ask(bkash.process({ shelf: shelf }))).rejects.toMatchObject({ kind: 'rate-limited' });
    bkash.later(55 * MINUTE_MS);
    await expect(ask(bkash.process({ shelf: shelf }))).rejects.toMatchObject({ kind: 'rate-limited' });
    expect(tokenCalls()).toHaveLength(1);
    bkash.answer({ status: NOT_STARTED });
    bkash.later(6 * MINUTE_MS);
    expect((await ask(bkash.process({ shelf: shelf }))).kind).toBe('not-started');
  });

  test('calls of a process that died in them count', async () => {
    // Such a call may have used up one of the merchant's token calls.
    const shelf = tokenShelf(() => bkash.state.nowMs);
    bkash.answer({ grant: (response) => response.destroy() });
    for (const _process of [1, 2]) {
      await expect(ask(bkash.process({ shelf: shelf }))).rejects.toMatchObject({ name: 'GatewayFailure' });
      bkash.later(1_000);
    }
    bkash.answer({ status: NOT_STARTED });
    await expect(ask(bkash.process({ shelf: shelf }))).rejects.toMatchObject({ kind: 'rate-limited' });
    expect(tokenCalls()).toEqual([]);
  });

  test('a shelf that is broken is no permission to ask, and one that holds nonsense is as good as empty', async () => {
    // Without the shared row, the calls of the other processes are unknown, and one call too many blocks the merchant for an hour.
    const broken: TokenShelf = {
      read: () => Promise.reject(new Error('away')),
      take: () => Promise.reject(new Error('away')),
    };
    await expect(ask(bkash.process({ shelf: broken }))).rejects.toMatchObject({ kind: 'unavailable' });
    expect(tokenCalls()).toEqual([]);
    const nonsense: TokenShelf = {
      ...tokenShelf(() => bkash.state.nowMs),
      read: () => Promise.resolve({ kept: '{"token":7}', readAt: new Date(bkash.state.nowMs) }),
    };
    expect((await ask(bkash.process({ shelf: nonsense }))).kind).toBe('not-started');
  });
});
