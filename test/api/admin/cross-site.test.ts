import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WEB_URL } from '../api-world.ts';
import { browserSession, openOperatorWorld, PASSWORD, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let cookie: string;
let csrf: string;
const EMAIL = 'asha@example.com';

beforeAll(async () => {
  world = await openOperatorWorld();
  await world.addOperator({ email: EMAIL });
  const body = { email: EMAIL, password: PASSWORD, cookie: true };
  ({ cookie, csrf } = browserSession(await world.send({ method: 'POST', path: '/auth/login', body })));
});
afterAll(() => world.close());

let made = 0;
function createRole(headers: Record<string, string>, body?: unknown) {
  made += 1;
  return world.send({
    method: 'POST',
    path: '/admin/roles',
    headers: { cookie, ...headers },
    body: body ?? { name: `Role ${made}`, permissions: [] },
  });
}

describe('the cookie', () => {
  test('is bound to this host, hidden from scripts, and never sent from elsewhere', async () => {
    // Otherwise a page on another site could make the browser send the cookie.
    const body = { email: EMAIL, password: PASSWORD, cookie: true };
    const answer = await world.send({ method: 'POST', path: '/auth/login', body });
    const header = answer.headers['set-cookie'] ?? '';
    expect(header).toMatch(/^__Host-lenden-session=ops_[A-Za-z0-9_-]{43}; /);
    expect(
      header
        .split('; ')
        .slice(1)
        .map((part) => part.split('=')[0] ?? '')
        .sort(),
    ).toEqual(['Expires', 'HttpOnly', 'Path', 'SameSite', 'Secure']);
    expect(header).toContain('SameSite=Strict');
    expect(header).toContain('Path=/');
    expect(answer.text).not.toContain('ops_');
  });

  test('is cleared at logout', async () => {
    // Otherwise the browser would keep an ended session.
    const body = { email: EMAIL, password: PASSWORD, cookie: true };
    const session = browserSession(await world.send({ method: 'POST', path: '/auth/login', body }));
    const headers = { cookie: session.cookie, 'x-csrf-token': session.csrf };
    const answer = await world.send({ method: 'POST', path: '/auth/logout', headers });
    expect(answer.headers['set-cookie']).toContain('Max-Age=0');
  });
});

describe('a change by cookie', () => {
  test.each<[string, () => Record<string, string>]>([
    ['without a token', () => ({})],
    ['with an empty token', () => ({ 'x-csrf-token': '' })],
    ["with another session's token", () => ({ 'x-csrf-token': csrf.split('').reverse().join('') })],
    ['from another origin, even with the token', () => ({ 'x-csrf-token': csrf, origin: 'https://evil.example' })],
    ['from an opaque origin', () => ({ 'x-csrf-token': csrf, origin: 'null' })],
    ['that the browser calls cross-site', () => ({ 'x-csrf-token': csrf, 'sec-fetch-site': 'cross-site' })],
    ['that the browser calls same-site only', () => ({ 'x-csrf-token': csrf, 'sec-fetch-site': 'same-site' })],
  ])('%s is refused', async (_name, headers) => {
    // Otherwise a page on another site could make changes in the operator's name.
    expect(await createRole(headers())).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  test('is refused as a form or as plain text, which need no permission of the browser', async () => {
    // Any page can send these content types without a preflight, so they must not be parsed.
    const text = JSON.stringify({ name: 'Planted', permissions: [] });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const answer = await createRole({ 'x-csrf-token': csrf, 'content-type': type }, text);
      expect([type, answer.status]).toEqual([type, 415]);
    }
  });

  test('cannot be smuggled into a GET', async () => {
    // A method in the query or in a header must not count. A query parameter that the operation does not have is refused.
    const headers = { cookie, 'x-http-method-override': 'DELETE' };
    expect((await world.send({ path: '/auth/me?_method=DELETE', headers })).status).toBe(400);
    expect((await world.send({ path: '/auth/me', headers })).status).toBe(200);
    const [before] = await world.api.sql<{ count: string }>('select count(*) from roles');
    await world.send({ path: '/admin/roles?_method=POST&name=Planted', headers });
    expect(await world.api.sql('select count(*) from roles')).toEqual([before]);
  });

  test('with its token from our own page is made', async () => {
    // The dashboard must keep working, also through the pages' port.
    const answers = [
      await createRole({ 'x-csrf-token': csrf }),
      await createRole({ 'x-csrf-token': csrf, origin: WEB_URL, 'sec-fetch-site': 'same-origin' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
  });

  test('needs nothing more by bearer token, which no browser sends by itself', async () => {
    // API clients are not browsers.
    const token = await world.logIn(EMAIL);
    const headers = { authorization: `Bearer ${token}`, cookie: 'x=y' };
    const body = { name: 'By bearer', permissions: [] };
    expect((await world.send({ method: 'POST', path: '/admin/roles', headers, body })).status).toBe(201);
  });
});

test('another page cannot log its visitor in as somebody else', async () => {
  // Login CSRF: otherwise the victim would work in the attacker's session.
  const body = { email: EMAIL, password: PASSWORD, cookie: true };
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
    const answer = await world.send({ method: 'POST', path: '/auth/login', body, headers });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined]);
  }
});
