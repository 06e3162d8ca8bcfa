import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openOperatorWorld, PASSWORD, type OperatorWorld } from './admin/operator-world.ts';
import { launchBrowser } from '../support/browser.ts';
import { httpCall } from './http-call.ts';
import { PATIENCE_MS } from '../support/until.ts';

const EMAIL = 'asha@example.com';
let world: OperatorWorld;
/** The listener that serves the payers' pages and the dashboard. */
let pages: string;
beforeAll(async () => {
  world = await openOperatorWorld();
  await world.addOperator({ email: EMAIL });
  pages = await world.api.listen({ pages: true });
});
afterAll(() => world.close());

describe("the operators' API", () => {
  test("answers on the API's port and on the pages' port alike", async () => {
    // The dashboard calls the API at its own origin, so operators could not log in if only the API's port answered.
    for (const origin of [world.origin, pages]) {
      const body = { email: EMAIL, password: PASSWORD };
      const login = await httpCall({ origin, method: 'POST', path: '/api/v1/auth/login', body });
      const { data } = JSON.parse(login.text) as { data: { token: string } };
      const headers = { authorization: `Bearer ${data.token}` };
      const users = await httpCall({ origin, path: '/api/v1/admin/users', headers });
      expect([login.status, users.status]).toEqual([200, 200]);
      expect(users.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
      const absent = await httpCall({ origin, path: '/api/v1/admin/nothing', headers });
      expect([absent.status, JSON.parse(absent.text)]).toMatchObject([
        404,
        { meta: { errorCode: 'RESOURCE_NOT_FOUND' } },
      ]);
    }
  });

  test("leaves the pages' port without what applications call", async () => {
    // Otherwise applications' keys could be sent to the listener that browsers use.
    const answer = await httpCall({ origin: pages, path: '/api/v1/app/me' });
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
  });

  test('is called by no other origin: no CORS, whatever is asked', async () => {
    // Otherwise a script on another site could read or prepare an operator's requests.
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const preflight = await httpCall({ origin: pages, method: 'OPTIONS', path: '/api/v1/admin/roles', headers });
    expect(preflight.status).toBe(405);
    expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

test('in Chromium the cookie works on plain http at localhost, is hidden from scripts, and helps no other site', async () => {
  // A test in a real browser, because only a browser applies the cookie's prefix, its flags and the token check.
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext();
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const own = pages.replace('127.0.0.1', 'localhost');
    await page.goto(`${own}/api/v1/auth/me`);
    const seen = await page.evaluate(
      async ({ email, password }) => {
        const post = (path: string, headers: Record<string, string>, body: unknown) =>
          fetch(path, {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
            body: JSON.stringify(body),
          });
        const login = await post('/api/v1/auth/login', {}, { email, password, cookie: true });
        const answer = (await login.json()) as { data: { csrfToken: string } | null };
        const me = await fetch('/api/v1/auth/me');
        const without = await post('/api/v1/admin/roles', {}, { name: 'Without', permissions: [] });
        const csrf = { 'x-csrf-token': answer.data?.csrfToken ?? '' };
        const role = await post('/api/v1/admin/roles', csrf, { name: 'With', permissions: [] });
        return [login.status, me.status, without.status, role.status];
      },
      { email: EMAIL, password: PASSWORD },
    );
    expect(seen).toEqual([200, 200, 403, 201]);
    expect(await page.evaluate('document.cookie')).toBe('');
    // The same server under another host name counts as another site.
    const other = await context.newPage();
    await other.goto(`${pages}/api/v1/auth/me`);
    await other.evaluate(
      (target) =>
        fetch(target, { method: 'POST', mode: 'no-cors', credentials: 'include' }).then(
          () => undefined,
          () => undefined,
        ),
      `${own}/api/v1/auth/logout`,
    );
    expect(await page.evaluate(async () => (await fetch('/api/v1/auth/me')).status)).toBe(200);
  } finally {
    await browser.close();
  }
});
