import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { z } from 'zod';
import { createDispatcher } from '../../api/http/dispatch.ts';
import { route } from '../../api/http/route.ts';
import { createListener } from '../../api/http/server.ts';
import { surface, type AnySurface } from '../../api/http/surface.ts';
import { DomainError } from '../../domain/errors.ts';
import { createLogger } from '../../runtime/logger.ts';

const log = createLogger({ service: 'test', level: 'silent' });

interface Sketch {
  readonly name: string;
  readonly accepts: AnySurface['accepts'];
  readonly methods: readonly ('GET' | 'POST')[];
}

/** A minimal contract with its own format for successes and failures on `/payments/{id}`. */
function contract({ name, accepts, methods }: Sketch): AnySurface {
  return surface<null>({
    name,
    prefix: '/api/v1',
    bodyBytesMax: 1_000,
    accepts,
    admit: () => undefined,
    authenticate: () => Promise.resolve(null),
    render: ({ data }) => JSON.stringify({ [name]: data }),
    renderError: (error) => ({
      status: error.code === 'METHOD_NOT_ALLOWED' ? 405 : 404,
      text: `${name}: ${error.code}`,
    }),
    routes: methods.map((method) =>
      route({
        method,
        path: '/payments/{id}',
        operationId: `${name}${method}`,
        tag: 'Payments',
        summary: name,
        auth: 'credential',
        params: z.object({ id: z.string() }),
        response: { status: 200, schema: z.string() },
        errors: [],
        handler: ({ params }: { params: { id: string } }) => {
          if (params.id === 'gone') {
            throw new DomainError('RESOURCE_NOT_FOUND', 'gone');
          }
          return Promise.resolve({ status: 200, data: params.id });
        },
      }),
    ),
  });
}

let server: Server;
let url: string;

beforeAll(async () => {
  const other = contract({
    name: 'other',
    accepts: (context) => context.get('business-id') !== '',
    methods: ['GET', 'POST'],
  });
  const native = contract({ name: 'native', accepts: () => true, methods: ['GET'] });
  const listener = createListener({
    log,
    handlers: [createDispatcher([other, native], log)],
    trustedProxies: 0,
    https: false,
  });
  server = createServer(listener.callback()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/api/v1`;
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

async function call(
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; text: string; allow: string | null }> {
  const answer = await fetch(`${url}${path}`, init);
  return { status: answer.status, text: await answer.text(), allow: answer.headers.get('allow') };
}

describe('two contracts on one path', () => {
  const headers = { 'business-id': 'HB_1' };

  test('each request is answered by the contract that it means', async () => {
    // Otherwise a client of one contract would get an answer in another contract's format.
    expect((await call('/payments/7')).text).toBe('{"native":"7"}');
    expect((await call('/payments/7', { headers })).text).toBe('{"other":"7"}');
  });

  test('failures, unknown paths and methods are answered in the shape of the chosen contract', async () => {
    // Otherwise a 404 or 405 would have another contract's format, or list another contract's methods.
    expect(await call('/payments/gone', { headers })).toMatchObject({
      status: 404,
      text: 'other: RESOURCE_NOT_FOUND',
    });
    expect(await call('/nothing')).toMatchObject({ status: 404, text: 'native: RESOURCE_NOT_FOUND' });
    expect(await call('/payments/7', { method: 'POST' })).toMatchObject({ status: 405, allow: 'GET, HEAD' });
    expect(await call('/payments/7', { method: 'DELETE', headers })).toMatchObject({
      status: 405,
      allow: 'GET, HEAD, POST',
    });
  });
});
