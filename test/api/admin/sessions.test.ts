import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  bearer,
  browserSession,
  openOperatorWorld,
  PASSWORD,
  tokenOf,
  type Answer,
  type OperatorWorld,
} from './operator-world.ts';

let world: OperatorWorld;
const EMAIL = 'asha@example.com';

beforeAll(async () => {
  world = await openOperatorWorld();
  await world.addOperator({ email: EMAIL });
});
afterAll(() => world.close());
beforeEach(() => world.api.sql('delete from login_throttles'));

function logIn(body: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Answer> {
  return world.send({
    method: 'POST',
    path: '/auth/login',
    body: { email: EMAIL, password: PASSWORD, ...body },
    headers,
  });
}

function me(token: string): Promise<Answer> {
  return world.send({ path: '/auth/me', headers: bearer(token) });
}

describe('a login', () => {
  test('opens a session whose token is stored only as its hash', async () => {
    // Otherwise a copy of the database could be used to open a session.
    const answer = await logIn();
    const token = tokenOf(answer);
    expect(answer).toMatchObject({ status: 200, code: null });
    expect(token).toMatch(/^ops_[A-Za-z0-9_-]{43}$/);
    expect((await me(token)).data).toMatchObject({ operator: { email: EMAIL }, csrfToken: null });
    const stored = await world.api.sql<{ row: unknown }>('select to_jsonb(s) as row from operator_sessions s');
    expect(JSON.stringify(stored)).not.toContain(token.slice(4));
  });

  test('takes the address however it is typed', async () => {
    // An address in other letters belongs to the same person.
    expect((await logIn({ email: 'Asha@Example.COM' })).status).toBe(200);
  });

  test('answers an unknown address, a wrong password and a disabled operator alike', async () => {
    // Otherwise a stranger could find out who is an operator.
    await world.addOperator({ email: 'gone@example.com', role: 'Viewer' });
    await world.api.sql(`update operators set status = 'DISABLED' where email = 'gone@example.com'`);
    const answers = [
      await logIn({ email: 'nobody@example.com' }),
      await logIn({ password: 'not the password' }),
      await logIn({ email: 'gone@example.com' }),
    ];
    const told = answers.map(({ status, text, headers }) => ({
      status,
      text: text.replace(/"timestamp":"[^"]+"/, ''),
      names: Object.keys(headers).sort(),
    }));
    expect(told[0]).toMatchObject({ status: 401, text: expect.stringContaining('INVALID_CREDENTIALS') });
    expect(new Set(told.map((each) => JSON.stringify(each))).size).toBe(1);
  });

  test('leaves the session that the browser had before, and never takes over a token from outside', async () => {
    // Session fixation: an attacker who plants a cookie before the login must not have a valid session after it.
    const first = browserSession(await logIn({ cookie: true }));
    const second = browserSession(await logIn({ cookie: true }, { cookie: first.cookie }));
    expect(second.cookie).not.toBe(first.cookie);
    expect((await world.send({ path: '/auth/me', headers: { cookie: first.cookie } })).code).toBe('SESSION_EXPIRED');
    expect((await world.send({ path: '/auth/me', headers: { cookie: second.cookie } })).status).toBe(200);
    const planted = `__Host-lenden-session=ops_${'A'.repeat(43)}`;
    const third = browserSession(await logIn({ cookie: true }, { cookie: planted }));
    expect(third.cookie).not.toBe(planted);
    expect((await world.send({ path: '/auth/me', headers: { cookie: planted } })).code).toBe('UNAUTHORIZED');
  });

  test('with a password that somebody else chose opens the way to an own one, and only for three days', async () => {
    // A password that was sent in a chat must not protect money.
    await world.addOperator({ email: 'new@example.com', passwordTemporary: true });
    const token = await world.logIn('new@example.com');
    const users = { path: '/admin/users', headers: bearer(token) };
    expect(await world.send(users)).toMatchObject({ status: 401, code: 'PASSWORD_CHANGE_REQUIRED' });
    const body = { password: PASSWORD, newPassword: 'four loud geese on a roof' };
    const changed = await world.send({ method: 'POST', path: '/auth/password', headers: bearer(token), body });
    expect(changed.status).toBe(200);
    expect((await world.send({ ...users, headers: bearer(tokenOf(changed)) })).status).toBe(200);
    await world.addOperator({ email: 'late@example.com', passwordTemporary: true });
    await world.api.sql(
      `update operators set password_changed_at = now() - interval '73 hours' where email = 'late@example.com'`,
    );
    expect((await logIn({ email: 'late@example.com' })).code).toBe('INVALID_CREDENTIALS');
  });
});

test('a password of 128 characters works, whatever they are', async () => {
  // A password that may be chosen must also work: characters are counted, not bytes.
  await world.addOperator({ email: 'long@example.com' });
  const token = await world.logIn('long@example.com');
  const newPassword = Array.from({ length: 128 }, (_, index) =>
    String.fromCodePoint(0x1f400 + ((index * 7) % 60)),
  ).join('');
  const body = { password: PASSWORD, newPassword };
  const change = await world.send({ method: 'POST', path: '/auth/password', headers: bearer(token), body });
  expect(change.status).toBe(200);
  expect((await logIn({ email: 'long@example.com', password: newPassword })).status).toBe(200);
  // The same characters in another Unicode form, as another keyboard sends them.
  const e = { password: newPassword, newPassword: 'caf\u00e9 under the banyan' };
  const again = await world.send({ method: 'POST', path: '/auth/password', headers: bearer(tokenOf(change)), body: e });
  expect(again.status).toBe(200);
  expect((await logIn({ email: 'long@example.com', password: 'cafe\u0301 under the banyan' })).status).toBe(200);
});

test('neither passwords nor tokens nor addresses reach the log', async () => {
  // Many people and systems can read logs.
  const session = browserSession(await logIn({ cookie: true }));
  await logIn({ password: 'typed-by-mistake' });
  const lines = world.api.logLines.join('');
  expect(lines).toContain('/auth/login');
  for (const secret of [PASSWORD, 'typed-by-mistake', EMAIL, session.csrf, session.cookie.split('=')[1] ?? '']) {
    expect(lines).not.toContain(secret);
  }
});

describe('a session', () => {
  test('is over at once after logout', async () => {
    // The server must end the session; it is not enough that the client forgets the token.
    const token = await world.logIn(EMAIL);
    expect((await world.send({ method: 'POST', path: '/auth/logout', headers: bearer(token) })).status).toBe(200);
    expect(await me(token)).toMatchObject({ status: 401, code: 'SESSION_EXPIRED' });
  });

  test('ends when nobody used it for half an hour, also by a request that comes later', async () => {
    // Otherwise somebody could use an unattended screen.
    const token = await world.logIn(EMAIL);
    await world.api.sql(
      `update operator_sessions set last_seen_at = now() - interval '29 minutes' where ended_at is null`,
    );
    expect((await me(token)).status).toBe(200);
    await world.api.sql(
      `update operator_sessions set last_seen_at = now() - interval '31 minutes' where ended_at is null`,
    );
    expect((await me(token)).code).toBe('SESSION_EXPIRED');
    await world.api.sql('update operator_sessions set last_seen_at = now()');
    expect((await me(token)).code).toBe('SESSION_EXPIRED');
  });

  test('ends at its greatest age, however busy it is', async () => {
    // Otherwise a stolen token that is used regularly would work for ever.
    const token = await world.logIn(EMAIL);
    const [row] = await world.api.sql<{ hours: number }>(
      `select extract(epoch from expires_at - created_at) / 3600 as hours from operator_sessions order by id desc limit 1`,
    );
    expect(Number(row?.hours)).toBeCloseTo(8, 1);
    await world.api.sql('update operator_sessions set expires_at = now() where ended_at is null');
    expect(await me(token)).toMatchObject({ status: 401, code: 'TOKEN_EXPIRED' });
  });

  test('is listed to its operator, who can end it, but nobody else’s', async () => {
    // An operator who lost a laptop must be able to end its session from another one.
    await world.addOperator({ email: 'other@example.com' });
    const [mine, lost, foreign] = [
      await world.logIn(EMAIL),
      await world.logIn(EMAIL),
      await world.logIn('other@example.com'),
    ];
    const list = await world.send({ path: '/auth/sessions', headers: bearer(mine) });
    const sessions = z.array(z.object({ id: z.int(), current: z.boolean() })).parse(list.data);
    expect(sessions.filter(({ current }) => current).length).toBe(1);
    expect(list.text).not.toMatch(/ops_|hash/i);
    const target = sessions.find(({ current }) => !current)?.id;
    const end = (token: string) =>
      world.send({ method: 'DELETE', path: `/auth/sessions/${target}`, headers: bearer(token) });
    expect((await end(foreign)).status).toBe(404);
    expect((await me(lost)).status).toBe(200);
    expect((await end(mine)).status).toBe(200);
    expect((await me(lost)).code).toBe('SESSION_EXPIRED');
    expect((await end(mine)).status).toBe(404);
  });

  test('ends with the password that opened it, except where it was changed', async () => {
    // Otherwise a thief of the old password would stay logged in.
    await world.addOperator({ email: 'changing@example.com' });
    const [here, elsewhere] = [await world.logIn('changing@example.com'), await world.logIn('changing@example.com')];
    const change = (newPassword: string, password = PASSWORD) =>
      world.send({ method: 'POST', path: '/auth/password', headers: bearer(here), body: { password, newPassword } });
    expect((await change('another long sentence', 'wrong')).code).toBe('INVALID_CREDENTIALS');
    for (const weak of ['short', 'changing@example.com', 'password1234', 'aaaaaaaaaaaaaa', PASSWORD]) {
      expect([weak, (await change(weak)).data]).toEqual([weak, { newPassword: expect.any(String) }]);
    }
    const changed = await change('another long sentence');
    expect(changed.status).toBe(200);
    expect((await me(elsewhere)).code).toBe('SESSION_EXPIRED');
    expect((await me(here)).code).toBe('UNAUTHORIZED');
    expect((await me(tokenOf(changed))).status).toBe(200);
    expect((await logIn({ email: 'changing@example.com' })).code).toBe('INVALID_CREDENTIALS');
  });

  test.each([
    ['no token', {}],
    ['garbage', { authorization: 'Bearer garbage' }],
    ['another scheme', { authorization: 'Basic b3BzOng=' }],
    ['a token nobody has', { authorization: `Bearer ops_${'x'.repeat(43)}` }],
    ['an API key', { 'x-api-key': 'oi_test_aaaaaaaaaaaa', 'x-api-secret': 'x' }],
  ])('is not opened by %s', async (_name, headers) => {
    // A stranger gets only 401 and the way to log in.
    const answer = await world.send({ path: '/auth/me', headers });
    expect(answer).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  test('by cookie is none as a bearer token, and the other way round', async () => {
    // Otherwise an attacker could avoid the cookie's protection by moving its value to another header.
    const { cookie } = browserSession(await logIn({ cookie: true }));
    const value = cookie.split('=')[1] ?? '';
    expect((await me(value)).code).toBe('UNAUTHORIZED');
    const token = await world.logIn(EMAIL);
    const headers = { cookie: `__Host-lenden-session=${token}` };
    expect((await world.send({ path: '/auth/me', headers })).code).toBe('UNAUTHORIZED');
  });
});

describe('step-up', () => {
  const role = { name: 'Night shift', permissions: ['payment:read'] };

  test('is demanded five minutes after the password, and met by showing it again under a new token', async () => {
    // A stolen token alone must not be enough for sensitive actions.
    const token = await world.logIn(EMAIL);
    const create = (with_: string) =>
      world.send({ method: 'POST', path: '/admin/roles', headers: bearer(with_), body: role });
    await world.makeStale();
    expect(await create(token)).toMatchObject({ status: 401, code: 'REAUTH_REQUIRED' });
    const reauth = (password: string) =>
      world.send({ method: 'POST', path: '/auth/reauth', headers: bearer(token), body: { password } });
    expect((await reauth('wrong')).code).toBe('INVALID_CREDENTIALS');
    expect((await create(token)).code).toBe('REAUTH_REQUIRED');
    const renewed = await reauth(PASSWORD);
    expect(renewed.status).toBe(200);
    expect(tokenOf(renewed)).not.toBe(token);
    expect((await me(token)).code).toBe('UNAUTHORIZED');
    expect((await create(tokenOf(renewed))).status).toBe(201);
  });

  test('slows guesses by whoever holds a session', async () => {
    // Otherwise the thief of a session could guess the password with it.
    await world.addOperator({ email: 'held@example.com' });
    const token = await world.logIn('held@example.com');
    const codes = [];
    for (let guess = 0; guess < 8; guess += 1) {
      const body = { password: `guess ${guess}` };
      codes.push((await world.send({ method: 'POST', path: '/auth/reauth', headers: bearer(token), body })).code);
      await world.drawOutWaits();
    }
    expect(codes).toEqual([...Array.from({ length: 6 }, () => 'INVALID_CREDENTIALS'), 'RATE_LIMITED', 'RATE_LIMITED']);
  });
});
