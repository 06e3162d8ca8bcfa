import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import { createHttpClient, type HttpClient, type HttpReply, type HttpRequest } from '../../../runtime/http-client.ts';
import { HttpFailure } from '../../../runtime/http-client/failure.ts';
import type { ResolvedAddress } from '../../../runtime/http-client/resolve.ts';
import { PRIVATE_HOSTS } from './addresses.ts';
import { listenHttp, listenRaw, type Listener } from './listener.ts';
import { until } from '../../support/until.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
});
const closeLater = <T extends Pick<Listener | HttpClient, 'close'>>(thing: T): T => {
  closing.push(() => thing.close());
  return thing;
};

const open = (): HttpClient =>
  closeLater(createHttpClient({ guard: 'public-only', allow: parseAllowList('127.0.0.1:*,localhost:*') }));

type Limits = Partial<Omit<HttpRequest, 'url'>>;

function send(client: HttpClient, url: string, limits: Limits = {}): Promise<HttpReply> {
  return client.send({
    method: 'POST',
    url,
    headers: {},
    body: 'x',
    // Generous defaults. Tests of limits set their own, with peers that do not end the request sooner.
    connectTimeoutMs: 30_000,
    totalTimeoutMs: 30_000,
    maxBodyBytes: 65_536,
    onTooLarge: 'fail',
    ...limits,
  });
}

async function failureOf(work: Promise<unknown>): Promise<Pick<HttpFailure, 'kind' | 'sent'>> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof HttpFailure)) {
    throw error;
  }
  return { kind: error.kind, sent: error.sent };
}

describe('the guard at connect time', () => {
  test(`${PRIVATE_HOSTS.length} spellings of private hosts cause no connection`, async () => {
    // Even if a URL passed the check at registration, no host in the operator's network may be contacted.
    expect(PRIVATE_HOSTS.length).toBeGreaterThanOrEqual(40);
    const canary = closeLater(await listenRaw((socket) => socket.destroy()));
    // Resolves every name to loopback, as a hostile name server would.
    const resolve = (): Promise<ResolvedAddress[]> => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    const client = closeLater(createHttpClient({ guard: 'public-only', allow: parseAllowList(''), resolve }));
    for (const host of PRIVATE_HOSTS) {
      expect([host, await failureOf(send(client, `http://${host}:${canary.port}/`))]).toEqual([
        host,
        { kind: 'blocked', sent: false },
      ]);
    }
    expect(canary.sockets.total).toBe(0);
  });

  test('the canary would hear a connection', async () => {
    // Shows that the canary would notice a connection.
    const canary = closeLater(await listenRaw((socket) => socket.destroy()));
    const client = closeLater(createHttpClient({ guard: 'none', allow: parseAllowList('') }));
    for (const host of ['127.1', '2130706433', 'localhost']) {
      await failureOf(send(client, `http://${host}:${canary.port}/`));
    }
    expect(canary.sockets.total).toBe(3);
  });

  test.each([
    ['to loopback', ['127.0.0.1']],
    ['to a public and a private address', ['93.184.216.34', '127.0.0.1']],
    ['to a private IPv6 address beside a public IPv4 one', ['93.184.216.34', '::1']],
    ['to metadata written as mapped IPv6', ['::ffff:169.254.169.254']],
  ])('a name that resolves %s is refused as a whole', async (_case, addresses) => {
    // The guard checks the address that would be connected to, not the name.
    const canary = closeLater(await listenRaw((socket) => socket.destroy()));
    const resolved = addresses.map((address): ResolvedAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
    const client = closeLater(
      createHttpClient({ guard: 'public-only', allow: parseAllowList(''), resolve: () => Promise.resolve(resolved) }),
    );
    const failure = await failureOf(send(client, `http://shop.example.com:${canary.port}/`));
    expect(failure).toEqual({ kind: 'blocked', sent: false });
    expect(canary.sockets.total).toBe(0);
  });

  test('a name without an address is told apart from a refused one', async () => {
    // The endpoint's owner must be able to recognize a typing error.
    const resolve = (): Promise<ResolvedAddress[]> => Promise.resolve([]);
    const client = closeLater(createHttpClient({ guard: 'public-only', allow: parseAllowList(''), resolve }));
    expect(await failureOf(send(client, 'https://shop.example.com/'))).toEqual({ kind: 'unresolved', sent: false });
  });

  test('a name that changes to a private address between two requests is refused at the second', async () => {
    // DNS rebinding: an earlier public address does not make the next one acceptable.
    const receiver = closeLater(await listenHttp((response) => response.writeHead(200, { connection: 'close' }).end()));
    let asked = 0;
    const resolve = (): Promise<ResolvedAddress[]> => {
      asked += 1;
      return Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    };
    const allowed = closeLater(
      createHttpClient({ guard: 'public-only', allow: parseAllowList('shop.example.com:*'), resolve }),
    );
    await send(allowed, `http://shop.example.com:${receiver.port}/`);
    await send(allowed, `http://shop.example.com:${receiver.port}/`);
    expect(asked).toBe(2);
    const guarded = closeLater(createHttpClient({ guard: 'public-only', allow: parseAllowList(''), resolve }));
    expect(await failureOf(send(guarded, `http://shop.example.com:${receiver.port}/`))).toMatchObject({
      kind: 'blocked',
    });
    expect(receiver.sockets.total).toBe(2);
  });

  test('a name server that never answers ends at the connect time-out', async () => {
    // A name server that hangs must not hold up an attempt longer than a receiver could.
    const client = closeLater(
      createHttpClient({
        guard: 'public-only',
        allow: parseAllowList(''),
        resolve: () => new Promise(() => undefined),
        socketOpenTimeoutMs: 300,
      }),
    );
    const failure = await failureOf(send(client, 'https://shop.example.com/', { connectTimeoutMs: 200 }));
    expect(failure).toEqual({ kind: 'timeout', sent: false });
  });

  test.each([302, 307])('a %i to the metadata service is a reply, not a journey', async (status) => {
    // A redirect would bypass every check of the URL.
    const canary = closeLater(await listenRaw((socket) => socket.destroy()));
    const receiver = closeLater(
      await listenHttp((response) =>
        response.writeHead(status, { location: `http://127.0.0.1:${canary.port}/latest/meta-data` }).end('body'),
      ),
    );
    expect((await send(open(), receiver.url)).status).toBe(status);
    expect(canary.sockets.total).toBe(0);
  });

  test('proxy variables change nothing', async () => {
    // A proxy would connect in our place and bypass the guard.
    const canary = closeLater(await listenRaw((socket) => socket.destroy()));
    const receiver = closeLater(await listenHttp((response) => response.end()));
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${canary.port}`;
    process.env['NODE_USE_ENV_PROXY'] = '1';
    try {
      expect((await send(open(), receiver.url)).status).toBe(200);
    } finally {
      delete process.env['HTTP_PROXY'];
      delete process.env['NODE_USE_ENV_PROXY'];
    }
    expect(canary.sockets.total).toBe(0);
  });
});

describe('what the peer is told', () => {
  test('the user agent is ours whatever the caller sets, and no cookie comes back', async () => {
    // Receivers and gateways must recognize us, and one endpoint's cookies must not be sent to another.
    const receiver = closeLater(await listenHttp((response) => response.writeHead(200, { 'set-cookie': 'a=1' }).end()));
    const client = open();
    await send(client, receiver.url, { headers: { 'User-Agent': 'other', 'X-Own': 'kept' } });
    await send(client, receiver.url);
    const [first, second] = receiver.received;
    expect(first?.headers).toMatchObject({
      'user-agent': 'Lenden/0.1',
      'accept-encoding': 'identity',
      'x-own': 'kept',
    });
    expect(second?.headers.cookie).toBeUndefined();
  });

  test('no more sockets than allowed open to one origin', async () => {
    // One slow receiver must not use all sockets of the process.
    const receiver = closeLater(await listenHttp((response) => setTimeout(() => response.end(), 20)));
    const client = closeLater(createHttpClient({ guard: 'none', allow: parseAllowList(''), socketsPerOrigin: 3 }));
    const replies = await Promise.all(Array.from({ length: 30 }, () => send(client, receiver.url)));
    expect(replies.every(({ status }) => status === 200)).toBe(true);
    expect(receiver.sockets.mostOpen).toBe(3);
  });
});

describe('a peer that misbehaves', () => {
  test('silence ends at the total time-out and may have been received', async () => {
    // The caller must know that the receiver may have acted on the request.
    const receiver = closeLater(await listenHttp(() => undefined));
    expect(await failureOf(send(open(), receiver.url, { totalTimeoutMs: 2_000 }))).toEqual({
      kind: 'timeout',
      sent: true,
    });
  });

  test('the first byte has a limit of its own', async () => {
    // A caller may give up sooner when nothing arrives than during a long reply.
    const receiver = closeLater(await listenHttp(() => undefined));
    const failure = await failureOf(send(open(), receiver.url, { totalTimeoutMs: 600_000, firstByteTimeoutMs: 2_000 }));
    expect(failure).toEqual({ kind: 'timeout', sent: true });
  });

  test('one header byte at a time ends at the time-out', async () => {
    // Slow loris: a peer must not get more time by sending slowly.
    const peer = closeLater(
      await listenRaw((socket) => {
        const timer = setInterval(() => socket.write('H'), 50);
        socket.write('HTTP/1.1 200 OK\r\nX-');
        socket.on('close', () => clearInterval(timer));
      }),
    );
    const failure = await failureOf(send(open(), peer.url, { totalTimeoutMs: 2_000, onTooLarge: 'truncate' }));
    expect(failure).toEqual({ kind: 'timeout', sent: true });
    await until(() => peer.sockets.open === 0);
  });

  test('one body byte at a time ends at the time-out, and the status counts for a caller that only needs it', async () => {
    // The receiver has acknowledged the event, so the rest of the reply is irrelevant.
    const receiver = closeLater(
      await listenHttp((response) => {
        const timer = setInterval(() => response.write('x'), 50);
        response.on('close', () => clearInterval(timer));
      }),
    );
    expect(await failureOf(send(open(), receiver.url, { totalTimeoutMs: 2_000 }))).toEqual({
      kind: 'timeout',
      sent: true,
    });
    const reply = await send(open(), receiver.url, { totalTimeoutMs: 2_000, onTooLarge: 'truncate' });
    expect(reply).toMatchObject({ status: 200, truncated: true });
    await until(() => receiver.sockets.open === 0);
  });

  test('a reply of a gigabyte is read up to the limit and costs no memory', async () => {
    // A hostile receiver must not be able to fill the worker's memory.
    let written = 0;
    const receiver = closeLater(
      await listenHttp((response) => {
        const block = Buffer.alloc(1 << 20, 'x');
        response.writeHead(200, { 'content-length': 1 << 30 });
        const pump = (): void => {
          do {
            written += block.length;
          } while (written < 1 << 30 && response.write(block));
        };
        response.on('drain', pump);
        pump();
      }),
    );
    const before = process.memoryUsage().rss;
    const reply = await send(open(), receiver.url, { onTooLarge: 'truncate' });
    expect(reply.body.length).toBe(65_536);
    expect(reply.truncated).toBe(true);
    await until(() => receiver.sockets.open === 0);
    expect(written).toBeLessThan(1 << 27);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 << 20);
    expect(await failureOf(send(open(), receiver.url))).toEqual({ kind: 'too-large', sent: true });
  });

  test('a gzip bomb stays packed', async () => {
    // A reply of a few kilobytes must not become a gigabyte in memory.
    const bomb = gzipSync(Buffer.alloc(32 << 20));
    const receiver = closeLater(
      await listenHttp((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)),
    );
    const reply = await send(open(), receiver.url);
    expect(reply.body.equals(bomb)).toBe(true);
  });

  test('endless headers end at the header limit', async () => {
    // Headers use memory too.
    const peer = closeLater(
      await listenRaw((socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        const line = `X-Padding: ${'y'.repeat(1_000)}\r\n`;
        const timer = setInterval(() => socket.write(line.repeat(4)), 5);
        socket.on('close', () => clearInterval(timer));
      }),
    );
    expect(await failureOf(send(open(), peer.url))).toEqual({ kind: 'too-large', sent: true });
    await until(() => peer.sockets.open === 0);
  });

  test('endless interim replies end at the time-out', async () => {
    // 1xx replies must not keep an attempt alive forever.
    const peer = closeLater(
      await listenRaw((socket) => {
        const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 10);
        socket.on('close', () => clearInterval(timer));
      }),
    );
    const failure = await failureOf(send(open(), peer.url, { totalTimeoutMs: 2_000, onTooLarge: 'truncate' }));
    expect(failure).toEqual({ kind: 'timeout', sent: true });
  });

  test.each([
    ['closes without a word', (port: number) => `http://127.0.0.1:${port}/`, '', { kind: 'reset', sent: true }],
    [
      'speaks something else',
      (port: number) => `http://127.0.0.1:${port}/`,
      'SSH-2.0-x\r\n',
      { kind: 'protocol', sent: true },
    ],
    ['has no TLS', (port: number) => `https://127.0.0.1:${port}/`, 'nonsense\r\n', { kind: 'tls', sent: false }],
  ])('a peer that %s is told apart', async (_case, urlOf, words, expected) => {
    // Whether the request may have been received decides what the caller may do next.
    const peer = closeLater(
      await listenRaw((socket) => {
        socket.once('data', () => socket.end(words));
      }),
    );
    expect(await failureOf(send(open(), urlOf(peer.port)))).toEqual(expected);
  });

  test('a refused connection was certainly not received', async () => {
    // The caller may then safely do something else.
    const peer = await listenRaw(() => undefined);
    await peer.close();
    expect(await failureOf(send(open(), peer.url))).toEqual({ kind: 'connect', sent: false });
  });
});

describe('TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lenden-tls-'));
  const file = (name: string): string => join(directory, name);
  beforeAll(() => {
    const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost';
    const names = [
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      file('key.pem'),
      '-out',
      file('certificate.pem'),
    ];
    execFileSync('openssl', request.split(' ').concat(names), { stdio: 'ignore' });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('an unknown issuer and a wrong name are refused before anything is sent; the right one is accepted', async () => {
    // A signed event must not go to another server at the same address.
    const ca = readFileSync(file('certificate.pem'), 'utf8');
    let requests = 0;
    const server = createTlsServer({ key: readFileSync(file('key.pem')), cert: ca }, (_request, response) => {
      requests += 1;
      response.end('ok');
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    closing.push(
      () =>
        new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        }),
    );
    const { port } = server.address() as AddressInfo;
    const trusting = closeLater(createHttpClient({ guard: 'none', allow: parseAllowList(''), ca }));
    expect(await failureOf(send(open(), `https://localhost:${port}/`))).toEqual({ kind: 'tls', sent: false });
    expect(await failureOf(send(trusting, `https://127.0.0.1:${port}/`))).toEqual({ kind: 'tls', sent: false });
    expect(requests).toBe(0);
    expect((await send(trusting, `https://localhost:${port}/`)).body.toString()).toBe('ok');
  });
});
