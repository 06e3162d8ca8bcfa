import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openApiWorld, type ApiWorld } from './api-world.ts';

let world: ApiWorld;
let pages: string;

beforeAll(async () => {
  world = await openApiWorld();
  pages = await world.listen({ pages: true });
});
afterAll(() => world.close());

describe('the dashboard', () => {
  test.each(['/admin', '/admin/', '/admin/live/payments', '/admin/test/payments/7?find=x'])(
    '%s is its page',
    async (path) => {
      // Every path below /admin is the page's own, so that an address can be sent to a colleague.
      const response = await fetch(pages + path);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await response.text()).toContain('<div id="dashboard">');
    },
  );

  test('permits its style sheets by a nonce of each response', async () => {
    // A nonce that repeats could be used by injected markup.
    const [first, second] = [await fetch(`${pages}/admin`), await fetch(`${pages}/admin`)];
    const nonces = [first, second].map(
      ({ headers }) =>
        /style-src 'self' 'nonce-([\w+/=]+)'/.exec(headers.get('content-security-policy') ?? '')?.[1] ?? '',
    );
    expect(nonces[0]).toMatch(/^[\w+/=]{24}$/);
    expect(nonces[0]).not.toBe(nonces[1]);
    const text = await first.text();
    expect(text).toContain(`nonce="${nonces[0]}"`);
    expect(text).not.toContain('__');
  });

  test('allows no inline script, no other origin and no markup made from text', async () => {
    const { headers } = await fetch(`${pages}/admin`);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy.split('; ')).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        'trusted-types default',
      ]),
    );
    expect(policy).not.toMatch(/unsafe|data:|blob:|\*/);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('its files are cached forever and sent compressed to whoever accepts that', async () => {
    const page = await (await fetch(`${pages}/admin`)).text();
    const path = /src="(\/admin\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? '';
    const plain = await fetch(pages + path, { headers: { 'accept-encoding': 'identity' } });
    const zipped = await fetch(pages + path, { headers: { 'accept-encoding': 'gzip' } });
    expect(plain.headers.get('cache-control')).toContain('immutable');
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await zipped.text()).toBe(await plain.text());
  });

  test.each(['none.js', 'built-from', '..%2findex.html', '..%2fbuilt-from'])('%s is not a file of it', async (name) => {
    expect((await fetch(`${pages}/admin/assets/${name}`)).status).toBe(404);
  });

  test('takes no change', async () => {
    const response = await fetch(`${pages}/admin`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('is not on the port of the API', async () => {
    expect((await fetch(`${await world.listen()}/admin`)).status).toBe(404);
  });

  test('says whether the request carried a session’s cookie, and never which', async () => {
    // The page asks who is logged in only then.
    const token = `ops_${'a'.repeat(43)}`;
    const without = await (await fetch(`${pages}/admin`)).text();
    const withCookie = await (
      await fetch(`${pages}/admin`, { headers: { cookie: `__Host-lenden-session=${token}` } })
    ).text();
    expect(without).toContain('name="session" content="none"');
    expect(withCookie).toContain('name="session" content="cookie"');
    expect(withCookie).not.toContain(token);
  });
});
