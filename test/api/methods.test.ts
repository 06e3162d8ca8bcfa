import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call, documentedMethods, documentedOperations } from './contract-client.ts';
import { httpCall } from './http-call.ts';

let world: ApiWorld;
let origin: string;

beforeAll(async () => {
  world = await openApiWorld();
  origin = await world.listen();
});
afterAll(() => world.close());

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'];
const documentedPaths = [...new Set(documentedOperations.map(({ path }) => path))];

test.each(documentedPaths)('%s answers 405 with the right Allow to every method it does not have', async (path) => {
  // Clients read from Allow what a path accepts, and TRACE and OPTIONS must not reveal anything.
  const documented = documentedMethods(path);
  const allowed = documented.includes('GET') ? [...documented, 'HEAD'] : documented;
  const asked = METHODS.filter((method) => !allowed.includes(method));
  for (const method of asked) {
    const answer = await call({ origin, method, path: path.replace(/\{\w+\}/g, '1') });
    expect([method, answer.status]).toEqual([method, 405]);
    expect(answer.headers['allow']?.split(', ').sort()).toEqual([...allowed].sort());
    if (method !== 'HEAD') {
      expect(answer.meta.errorCode).toBe('METHOD_NOT_ALLOWED');
    }
  }
  expect(asked.length + allowed.length).toBe(METHODS.length);
});

test.each([
  ['/openapi.json', 'GET, HEAD'],
  ['/docs', 'GET, HEAD'],
  ['/health', 'GET, HEAD'],
  ['/ready', 'GET, HEAD'],
  ['/gateway/sslcommerz/test/ipn', 'POST'],
])('%s takes %s only', async (path, allowed) => {
  // The paths outside the API follow the same rule.
  for (const method of METHODS.filter((method) => !allowed.split(', ').includes(method))) {
    const answer = await httpCall({ origin, method, path });
    expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, allowed]);
  }
});

test('HEAD answers as GET does, without the body', async () => {
  // RFC 9110, 9.3.2. Monitors and link checkers send HEAD, which must not open the checkout.
  for (const path of ['/health', '/openapi.json', '/docs', '/api/v1/app/me']) {
    const [get, head] = await Promise.all(['GET', 'HEAD'].map((method) => httpCall({ origin, method, path })));
    expect([path, head?.status, head?.headers['content-type']]).toEqual([
      path,
      get?.status,
      get?.headers['content-type'],
    ]);
    expect([head?.headers['content-length'], head?.text]).toEqual([get?.headers['content-length'], '']);
  }
});

test.each(['/nothing', '/payments/1/nothing', '/payments/', '/app', '/', '', '//payments', '/PAYMENTS'])(
  'the path %p is 404 in the envelope, with or without a credential',
  async (path) => {
    // Unknown paths must not require a credential, and clients parse every failure in the same format.
    const answer = await call({ origin, path });
    expect(answer.meta).toMatchObject({ success: false, errorCode: 'RESOURCE_NOT_FOUND' });
  },
);

test('no answer allows another site to read it', async () => {
  // Otherwise a browser on another origin could use an application's key.
  const answer = await httpCall({ origin, path: '/api/v1/app/me', headers: { origin: 'https://evil.example' } });
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
});

test('a callback body that is too large is refused as such, not as our error', async () => {
  // A gateway would repeat a callback for ever after a 500.
  const path = '/gateway/sslcommerz/test/ipn';
  const answer = await httpCall({ origin, method: 'POST', path, body: 'x'.repeat(1_100_000) });
  expect(answer.status).toBe(413);
  expect((await httpCall({ origin, method: 'POST', path, body: 'a=\0' })).status).toBe(400);
});
