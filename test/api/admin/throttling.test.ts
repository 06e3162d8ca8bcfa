import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../../database/connection.ts';
import {
  accountSubject,
  addressSubject,
  release,
  pairSubject,
  takeAttempts,
  type ThrottleSubject,
} from '../../../core/operators/store/throttles.ts';
import { DomainError } from '../../../domain/errors.ts';
import { openOperatorWorld, PASSWORD, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let database: Database;
const EMAIL = 'asha@example.com';

beforeAll(async () => {
  world = await openOperatorWorld();
  ({ database } = world);
  await world.addOperator({ email: EMAIL });
});
afterAll(() => world.close());
beforeEach(() => world.api.sql('delete from login_throttles'));

function logIn(password: string, email = EMAIL) {
  return world.send({ method: 'POST', path: '/auth/login', body: { email, password } });
}

function attempt(...subjects: ThrottleSubject[]) {
  return database.withOperator([], (em) => takeAttempts(em, subjects));
}

async function isBlocked(...subjects: ThrottleSubject[]): Promise<number> {
  return attempt(...subjects).then(
    () => 0,
    (error: unknown) => (error instanceof DomainError ? (error.retryAfterSeconds ?? -1) : -1),
  );
}

describe('wrong passwords', () => {
  test('make the next attempt wait, longer each time, also for the right one', async () => {
    // Guessing must become hopeless, but the owner of the password must wait only for seconds.
    const statuses = [];
    for (let guess = 0; guess < 6; guess += 1) {
      statuses.push((await logIn(`guess ${guess}`)).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 401]);
    expect(await world.drawOutWaits()).toBeGreaterThan(0);
    const refused = await logIn(PASSWORD);
    expect(refused).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    await world.api.sql(`update login_throttles set blocked_until = now() - interval '1 second'`);
    expect((await logIn(PASSWORD)).status).toBe(200);
    expect((await logIn('wrong again')).status).toBe(401);
  });

  test('at an address that nobody has are slowed alike', async () => {
    // Otherwise the limit would reveal which addresses exist.
    for (let guess = 0; guess < 6; guess += 1) {
      await logIn(`guess ${guess}`, 'nobody@example.com');
    }
    expect(await world.drawOutWaits()).toBeGreaterThan(0);
    expect((await logIn('guess 6', 'nobody@example.com')).status).toBe(429);
  });

  test('that come at once are each counted before any is judged', async () => {
    // A hundred parallel guesses must count as a hundred.
    await logIn('guess');
    // The next failure then causes a wait of minutes.
    await world.api.sql('update login_throttles set failures = 14, blocked_until = null');
    const answers = await Promise.all(Array.from({ length: 20 }, (_, guess) => logIn(`guess ${guess}`)));
    expect(answers.filter(({ status }) => status === 401).length).toBe(1);
    expect(answers.filter(({ status }) => status === 429).length).toBe(19);
  });

  test('are written down, and so is the beginning of a wait, never what was typed', async () => {
    // An attack must be visible afterwards, but the log must not contain passwords.
    await world.api.sql('alter table audit_logs disable trigger append_only');
    await world.api.sql('delete from audit_logs');
    for (let guess = 0; guess < 7; guess += 1) {
      await logIn(`typed-secret-${guess}`);
      await logIn(`typed-secret-${guess}`, 'typed-by-mistake@example.com');
      await world.drawOutWaits();
    }
    const rows = await world.api.sql<{ action: string; target_id: string; row: unknown }>(
      'select action, target_id, to_jsonb(a) as row from audit_logs a order by id',
    );
    const count = (action: string) => rows.filter((row) => row.action === action).length;
    expect([count('session.login-failed'), count('session.login-throttled')]).toEqual([12, 2]);
    expect(JSON.stringify(rows)).not.toContain('typed-');
    expect(rows.some(({ target_id: target }) => target === 'unknown')).toBe(true);
  });
});

describe('an account', () => {
  test('is slowed for a thousand addresses together, but not for its owner where he is known', async () => {
    // A botnet must be able neither to guess the password nor to lock the owner out.
    expect((await logIn(PASSWORD)).status).toBe(200);
    for (let guess = 0; guess < 12; guess += 1) {
      await attempt(pairSubject(EMAIL, `198.51.100.${guess}`), accountSubject(EMAIL)).catch(() => undefined);
    }
    await world.drawOutWaits();
    expect(await isBlocked(pairSubject(EMAIL, '203.0.113.9'), accountSubject(EMAIL))).toBeGreaterThan(0);
    expect((await logIn(PASSWORD)).status).toBe(200);
  });
});

describe('a count', () => {
  test('doubles the wait up to fifteen minutes and begins anew after a quiet day', async () => {
    // Otherwise an attacker could lock an operator out for ever.
    const subject = pairSubject('grow@example.com', '192.0.2.1');
    const waits = [];
    for (let failure = 1; failure <= 20; failure += 1) {
      const [taken] = await attempt(subject);
      waits.push(taken?.delaySeconds);
      await world.api.sql(
        `update login_throttles set blocked_until = now() - interval '1 second' where blocked_until is not null`,
      );
    }
    expect(waits.slice(0, 10)).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16]);
    expect(Math.max(...waits.map(Number))).toBe(900);
    expect(waits.at(-1)).toBe(900);
    await world.api.sql(`update login_throttles set last_failure_at = now() - interval '25 hours'`);
    expect((await attempt(subject))[0]).toMatchObject({ failures: 1, delaySeconds: 0 });
  });

  test('is given back whole, or not at all', async () => {
    // An attempt that one limit blocks must not count in the others, and a correct one must leave no count.
    const [pair, address] = [pairSubject('a@example.com', '192.0.2.2'), addressSubject('192.0.2.2')];
    for (let failure = 0; failure < 6; failure += 1) {
      await attempt(pair);
    }
    await world.drawOutWaits();
    expect(await isBlocked(address, pair)).toBeGreaterThan(0);
    const taken = await attempt(address);
    expect(taken[0]).toMatchObject({ failures: 1 });
    await database.withOperator([], (em) => release(em, taken));
    expect((await attempt(address))[0]).toMatchObject({ failures: 1 });
  });

  test('keeps a wait that somebody else has caused meanwhile', async () => {
    // A correct password in one place must not allow guesses in another.
    const subject = { ...accountSubject('b@example.com'), free: 1 };
    const mine = await attempt(subject);
    await attempt(subject);
    await world.drawOutWaits();
    await database.withOperator([], (em) => release(em, mine));
    expect(await isBlocked(subject)).toBeGreaterThan(0);
  });
});

test('the table of counts tells nobody’s address', async () => {
  // Otherwise a reader of the table would learn who logs in and from where.
  await logIn('wrong');
  const rows = await world.api.sql<object>('select to_jsonb(t) from login_throttles t');
  expect(rows.length).toBeGreaterThan(0);
  expect(JSON.stringify(rows)).not.toMatch(/asha|127\.0\.0\.1/);
});
