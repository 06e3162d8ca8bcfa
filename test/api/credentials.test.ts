import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CredentialPair, Registration } from '../../core/applications/store/applications.ts';
import { openDatabase, type Database } from '../../database/connection.ts';
import { rotateCredential } from '../../core/applications/store/credentials.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call, type Answer } from './contract-client.ts';

let world: ApiWorld;
let database: Database;
let processes: string[];

beforeAll(async () => {
  world = await openApiWorld();
  database = await openDatabase({ url: world.databaseUrl, poolSize: 2 });
  processes = [await world.listen(), await world.listen()];
});
afterAll(async () => {
  await database.close();
  await world.close();
});

function me(origin: string, credentials: CredentialPair): Promise<Answer> {
  return call({ origin, path: '/app/me', credentials });
}

async function statuses(credentials: CredentialPair): Promise<number[]> {
  const answers = await Promise.all(processes.map((origin) => me(origin, credentials)));
  return answers.map(({ status }) => status);
}

describe('an end of a credential acts at once in every process', () => {
  const ends: [string, (shop: Registration) => Promise<unknown>][] = [
    [
      'revoked',
      ({ applicationId }) =>
        world.sql(`update credentials set status = 'REVOKED' where application_id = ?`, [applicationId]),
    ],
    [
      'expired',
      ({ applicationId }) =>
        world.sql('update credentials set expires_at = now() where application_id = ?', [applicationId]),
    ],
    [
      'of a disabled app',
      ({ applicationId }) => world.sql(`update applications set status = 'DISABLED' where id = ?`, [applicationId]),
    ],
    [
      'with another secret',
      ({ applicationId }) =>
        world.sql(
          `update credentials set secret_hash = (select secret_hash from credentials where application_id <> ?::bigint limit 1) where application_id = ?::bigint`,
          [applicationId, applicationId],
        ),
    ],
  ];

  test.each(ends)('%s', async (_name, end) => {
    // Otherwise the cached verdict would let a revoked credential keep working for a while after it was used.
    await world.register();
    const shop = await world.register();
    expect(await statuses(shop.test)).toEqual([200, 200]);
    await end(shop);
    expect(await statuses(shop.test)).toEqual([401, 401]);
  });
});

describe('rotation', () => {
  test('lets old and new pair work until the grace ends, then only the new one; LIVE is untouched', async () => {
    // Otherwise requests would fail while an application deploys its new secret.
    const shop = await world.register();
    const rotated = await rotateCredential({ database }, { applicationId: shop.applicationId, mode: 'TEST' });
    expect(Math.round(((rotated.previousKeyExpiresAt?.getTime() ?? 0) - Date.now()) / 3_600_000)).toBe(24);
    expect(await statuses(shop.test)).toEqual([200, 200]);
    const pair = { apiKey: rotated.apiKey, apiSecret: rotated.apiSecret ?? '' };
    expect(await statuses(pair)).toEqual([200, 200]);
    await world.sql('update credentials set expires_at = now() where expires_at is not null and application_id = ?', [
      shop.applicationId,
    ]);
    expect(await statuses(shop.test)).toEqual([401, 401]);
    expect(await statuses(pair)).toEqual([200, 200]);
    expect(await statuses(shop.live)).toEqual([200, 200]);
  });
});

test('a key or secret with any one character changed is refused', async () => {
  // Keys are looked up by the hash of the whole key, and secrets are compared whole.
  const shop = await world.register();
  const change = (text: string, i: number): string =>
    text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1);
  const { apiKey, apiSecret } = shop.test;
  const guesses = [
    { apiKey: change(apiKey, 8), apiSecret },
    { apiKey: change(apiKey, apiKey.length - 1), apiSecret },
    { apiKey, apiSecret: change(apiSecret, 0) },
    { apiKey, apiSecret: change(apiSecret, apiSecret.length - 1) },
    { apiKey, apiSecret: apiSecret.slice(0, -1) },
    { apiKey, apiSecret: `${apiSecret}A` },
    { apiKey: apiKey.replace('oi_test_', 'oi_live_'), apiSecret },
    { apiKey: apiKey.toUpperCase(), apiSecret },
  ];
  for (const guess of guesses) {
    expect((await me(await world.listen(), guess)).status).toBe(401);
  }
});

test('guessing is stopped after 60 tries a minute with an alert, and the rightful caller of that address is not', async () => {
  // At this limit 10,000 guesses take hours, and the alert tells operators about them.
  const origin = await world.listen();
  const shop = await world.register();
  const guess = { ...shop.test, apiSecret: 'guess' };
  // A merchant's server has one address. Its correct secret is cached and never counted.
  expect((await me(origin, shop.test)).status).toBe(200);
  const started = performance.now();
  const answers = [];
  for (let i = 0; i < 6; i += 1) {
    answers.push(...(await Promise.all(Array.from({ length: 25 }, () => me(origin, guess)))));
  }
  const seconds = (performance.now() - started) / 1_000;
  const stopped = answers.filter(({ status }) => status === 429);
  // One more guess is allowed for each second that passed.
  expect(answers.length - stopped.length).toBeLessThanOrEqual(61 + seconds);
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(answers.length - stopped.length);
  expect(stopped.length).toBeGreaterThan(0);
  expect(Number(stopped[0]?.headers['retry-after'])).toBeGreaterThan(0);
  expect((await me(origin, shop.test)).status).toBe(200);
  expect(world.logLines.some((line) => line.includes('"alert":"credential-guessing"'))).toBe(true);
});

describe('the limit of requests', () => {
  test('is told on every answer, counted for each credential, and ends in 429 with the time to wait', async () => {
    // Otherwise a runaway job would use up the limit of the application's other credentials, or of other applications.
    const origin = await world.listen();
    const shop = await world.register({ rateLimitPerMinute: 3 });
    const answers = [];
    for (let i = 0; i < 4; i += 1) {
      answers.push(await me(origin, shop.test));
    }
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers.map(({ headers }) => headers['x-ratelimit-limit'])).toEqual(['3', '3', '3', '3']);
    expect(answers.map(({ headers }) => headers['x-ratelimit-remaining'])).toEqual(['2', '1', '0', '0']);
    const last = answers[3];
    expect(last?.meta.errorCode).toBe('RATE_LIMITED');
    expect(Number(last?.headers['retry-after'])).toBeGreaterThan(15);
    expect(Number(last?.headers['x-ratelimit-reset'])).toBeLessThanOrEqual(60);
    expect((await me(origin, shop.live)).status).toBe(200);
  });

  test('is 1,000 a minute unless the app says otherwise', async () => {
    const shop = await world.register();
    expect((await me(await world.listen(), shop.test)).headers['x-ratelimit-limit']).toBe('1000');
  });

  test('public checkout reads are limited by address', async () => {
    // Otherwise an attacker could guess references quickly.
    const origin = await world.listen();
    const started = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 450 }, (_, i) => call({ origin, path: `/checkout/pay_${String(i).padStart(22, '0')}` })),
    );
    const seconds = (performance.now() - started) / 1_000;
    const limited = answers.filter(({ status }) => status === 429);
    // Five more requests are allowed for each second that passed.
    expect(answers.length - limited.length).toBeLessThanOrEqual(301 + 5 * seconds);
    expect(answers.length - limited.length).toBeGreaterThanOrEqual(300);
    expect(limited.length).toBeGreaterThan(0);
  });
});
