import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import { createGuardedConnector, type ConnectorOptions } from '../../../runtime/http-client/connector.ts';
import { HttpFailure } from '../../../runtime/http-client/failure.ts';
import { resolvePublicName, resolveSystemName, type ResolvedAddress } from '../../../runtime/http-client/resolve.ts';
import { listenRaw, type Listener } from './listener.ts';
import { until } from '../../support/until.ts';

/** A public address that nobody has: no registry assigns 2e00::/8, so no packet ever arrives. */
const PUBLIC_NOBODY = '2e00::1';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
});

async function listener(onSocket: (socket: Socket) => void = () => undefined): Promise<Listener> {
  const opened = await listenRaw(onSocket);
  closing.push(() => opened.close());
  return opened;
}

interface Opening extends Partial<ConnectorOptions> {
  readonly hostname: string;
  readonly port?: number | '';
  readonly protocol?: 'http:' | 'https:';
  readonly servername?: string;
}

/** Opens a socket as the HTTP client does. */
function open({
  hostname,
  port = '',
  protocol = 'http:',
  servername,
  ...options
}: Opening): Promise<Socket | TLSSocket> {
  const connect = createGuardedConnector({
    guard: 'none',
    allow: parseAllowList(''),
    connectTimeoutMs: 5_000,
    ...options,
  });
  return new Promise((resolve, reject) => {
    const target = { hostname, protocol, port: String(port), ...(servername === undefined ? {} : { servername }) };
    connect(target, (error, socket) => {
      if (socket === null) {
        reject(error ?? new Error('neither a socket nor an error'));
        return;
      }
      closing.push(() => socket.destroy());
      resolve(socket);
    });
  });
}

/** Returns the whole failure. Whether the request may have been sent decides what a caller may do next. */
async function failureOf(work: Promise<unknown>): Promise<Pick<HttpFailure, 'kind' | 'sent' | 'message'>> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof HttpFailure)) {
    throw error;
  }
  return { kind: error.kind, sent: error.sent, message: error.message };
}

const answering =
  (...addresses: string[]) =>
  (): Promise<ResolvedAddress[]> =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));

describe('which address is connected to', () => {
  test.each([
    { protocol: 'http:', port: '', expected: { port: 80 } },
    { protocol: 'https:', port: '', expected: { port: 443 } },
    { protocol: 'http:', port: 8080, expected: { port: 8080 } },
    { protocol: 'https:', port: 8443, expected: { port: 8443 } },
  ] as const)('$protocol with the port "$port" is judged as port $expected.port', async (opening) => {
    // An allow list names ports, and a URL without one still has a default port.
    const asked: unknown[] = [];
    const allow = {
      entries: [],
      allows: (target: unknown): boolean => {
        asked.push(target);
        return false;
      },
    };
    const { expected, ...target } = opening;
    const failure = await failureOf(
      open({ ...target, hostname: 'shop.example', guard: 'public-only', allow, resolve: answering('10.0.0.1') }),
    );
    expect(failure).toEqual({ kind: 'blocked', sent: false, message: 'blocked' });
    expect(asked).toEqual([{ hostname: 'shop.example', ...expected }]);
  });

  test.each(['127.0.0.1', '::1'])('the literal %s is judged itself: no name server is asked', async (hostname) => {
    // A resolver could return another address for it.
    const resolve = (): never => {
      throw new Error('a name server was asked');
    };
    const { port, sockets } = await listener();
    expect(await failureOf(open({ hostname, port, guard: 'public-only', resolve }))).toMatchObject({ kind: 'blocked' });
    expect(sockets.total).toBe(0);
    const socket = await open({ hostname, port, resolve });
    expect(socket.remoteAddress).toBe(hostname);
  });

  test.each([
    ['a literal', { hostname: PUBLIC_NOBODY }],
    ['a name', { hostname: 'shop.example', resolve: answering(PUBLIC_NOBODY) }],
  ])('%s with a public address passes the guard', async (_what, opening) => {
    // A guard that refuses every host would stop all webhooks.
    const { kind, sent } = await failureOf(open({ ...opening, guard: 'public-only', connectTimeoutMs: 300 }));
    expect(['connect', 'timeout']).toContain(kind);
    expect(sent).toBe(false);
  });

  test('a name with one private address among public ones is refused as a whole', async () => {
    // We do not choose which of the addresses the connection uses.
    const { port, sockets } = await listener();
    const resolve = answering(PUBLIC_NOBODY, '127.0.0.1');
    const failure = await failureOf(open({ hostname: 'shop.example', port, guard: 'public-only', resolve }));
    expect(failure).toEqual({ kind: 'blocked', sent: false, message: 'blocked' });
    expect(sockets.total).toBe(0);
  });

  test('a name with a dead address before a live one is reached at the live one', async () => {
    // Many hosts have an IPv6 address where nothing answers.
    const server = createServer();
    closing.push(() => server.close());
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const socket = await open({ hostname: 'shop.example', port, resolve: answering('127.0.0.2', '127.0.0.1') });
    expect(socket.remoteAddress).toBe('127.0.0.1');
  });

  test('a name without an address is told as such', async () => {
    // The owner of an endpoint must be able to recognize a typing error.
    const failure = await failureOf(open({ hostname: 'shop.example', resolve: answering() }));
    expect(failure).toEqual({ kind: 'unresolved', sent: false, message: 'unresolved' });
  });

  test('whatever a resolver throws arrives as a failure', async () => {
    // undici takes null for success.
    // oxlint-disable-next-line prefer-promise-reject-errors -- the point of the test
    const resolve = (): Promise<never> => Promise.reject('a text');
    expect(await failureOf(open({ hostname: 'shop.example', resolve }))).toMatchObject({
      kind: 'unresolved',
      sent: false,
    });
  });
});

describe('an opening that fails', () => {
  test('at the connection says so, and that nothing was sent', async () => {
    // The caller may then safely do something else.
    const gone = await listenRaw(() => undefined);
    await gone.close();
    const failure = await failureOf(open({ hostname: '127.0.0.1', port: gone.port }));
    expect(failure).toMatchObject({ kind: 'connect', sent: false });
  });

  test('because the name servers are silent ends at its limit', async () => {
    // Name servers that do not answer must not hold up a delivery.
    const resolve = (): Promise<never> => new Promise(() => undefined);
    const failure = await failureOf(open({ hostname: 'shop.example', resolve, connectTimeoutMs: 50 }));
    expect(failure).toEqual({ kind: 'timeout', sent: false, message: 'timeout' });
  });

  test('because the peer never answers the handshake ends at its limit, and its connection with it', async () => {
    // The limit covers name resolution, TCP and TLS together. Otherwise the peer could keep a socket open.
    const { port, sockets } = await listener((socket) => socket.resume());
    const failure = await failureOf(open({ hostname: '127.0.0.1', port, protocol: 'https:', connectTimeoutMs: 1_500 }));
    expect(failure).toEqual({ kind: 'timeout', sent: false, message: 'timeout' });
    await until(() => sockets.total === 1 && sockets.open === 0);
  });

  test('because the peer hangs up in the handshake is a failure of TLS', async () => {
    // No byte of the request was written.
    const { port } = await listener((socket) => socket.end());
    const failure = await failureOf(open({ hostname: '127.0.0.1', port, protocol: 'https:' }));
    expect(failure).toMatchObject({ kind: 'tls', sent: false });
  });
});

describe('a socket that opened', () => {
  test('is not closed by its own limit later', async () => {
    // A request may take longer than connecting.
    const { port, sockets } = await listener();
    const limited = await open({ hostname: '127.0.0.1', port, connectTimeoutMs: 1_500 });
    await new Promise((resolve) => {
      setTimeout(resolve, 2_000);
    });
    expect(limited.destroyed).toBe(false);
    expect(sockets.open).toBe(1);
  });
});

describe('TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lenden-connector-'));
  const file = (name: string): string => join(directory, name);
  beforeAll(() => {
    const names = 'subjectAltName=DNS:localhost,DNS:pay.shop.example,IP:127.0.0.1';
    const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost';
    execFileSync(
      'openssl',
      [...request.split(' '), '-addext', names, '-keyout', file('key.pem'), '-out', file('certificate.pem')],
      { stdio: 'ignore' },
    );
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** Starts a server that also offers HTTP/2, and records the names that clients request. */
  async function tlsServer() {
    const names: (string | false | null)[] = [];
    const server = createTlsServer(
      {
        key: readFileSync(file('key.pem')),
        cert: readFileSync(file('certificate.pem')),
        ALPNProtocols: ['h2', 'http/1.1'],
      },
      (socket) => {
        names.push(socket.servername);
        socket.on('error', () => undefined);
      },
    );
    const open = new Set<Socket>();
    server.on('connection', (socket: Socket) => open.add(socket));
    closing.push(() => {
      open.forEach((socket) => socket.destroy());
      server.close();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return { port: (server.address() as AddressInfo).port, names, ca: readFileSync(file('certificate.pem'), 'utf8') };
  }

  test.each([
    ['pay.shop.example', 'pay.shop.example'],
    ['pay.shop.example.', 'pay.shop.example'],
    ['localhost', 'localhost'],
    ['127.0.0.1', false],
  ])('a server at %s is asked for %p, and speaks HTTP/1.1', async (hostname, name) => {
    // A host with many names presents the certificate of the requested one. An address is not a name (RFC 6066, 3).
    const { port, names, ca } = await tlsServer();
    const socket = await open({ hostname, port, protocol: 'https:', ca, resolve: answering('127.0.0.1') });
    await until(() => names.length === 1);
    expect(names).toEqual([name]);
    expect(socket).toBeInstanceOf(TLSSocket);
    expect(socket).toMatchObject({ alpnProtocol: 'http/1.1', authorized: true });
    expect(socket.listenerCount('secureConnect')).toBe(0);
  });

  test('a certificate of another name is refused before anything is sent', async () => {
    // A signed event must not go to another server at the same address.
    const { port, ca } = await tlsServer();
    const failure = await failureOf(
      open({ hostname: 'other.example', port, protocol: 'https:', ca, resolve: answering('127.0.0.1') }),
    );
    expect(failure).toMatchObject({ kind: 'tls', sent: false });
  });

  test('a certificate is compared with the host of the URL, whatever name a Host header gives', async () => {
    // undici would take the name from the header, and a header must not choose the certificate.
    const { port, names, ca } = await tlsServer();
    const failure = await failureOf(
      open({
        hostname: 'other.example',
        servername: 'localhost',
        port,
        protocol: 'https:',
        ca,
        resolve: answering('127.0.0.1'),
      }),
    );
    expect(failure).toMatchObject({ kind: 'tls', sent: false });
    expect(names).not.toContain('localhost');
  });

  test('a certificate of an issuer that nobody trusts is refused', async () => {
    // Only the system's certificates are trusted, or those given instead.
    const { port } = await tlsServer();
    const failure = await failureOf(open({ hostname: 'localhost', port, protocol: 'https:' }));
    expect(failure).toMatchObject({ kind: 'tls', sent: false });
  });
});

describe('names', () => {
  const answers = (four: string[] | Error, six: string[] | Error): void => {
    const say = <T>(answer: T | Error): Promise<T> =>
      answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    jest.spyOn(Resolver.prototype, 'resolve4').mockImplementation(() => say(four));
    jest.spyOn(Resolver.prototype, 'resolve6').mockImplementation(() => say(six));
    closing.push(() => jest.restoreAllMocks());
  };

  test.each([
    ['both families', ['192.0.2.1', '192.0.2.2'], ['2001:db8::1']],
    ['IPv4 only', ['192.0.2.1'], new Error('ENODATA')],
    ['IPv6 only', new Error('ENODATA'), ['2001:db8::1']],
    ['neither', new Error('ENOTFOUND'), new Error('ENOTFOUND')],
  ])('of public hosts have all their addresses: %s', async (_which, four, six) => {
    // The guard cannot check an address that it does not see.
    answers(four, six);
    expect(await resolvePublicName('shop.example')).toEqual([
      ...(four instanceof Error ? [] : four.map((address) => ({ address, family: 4 }))),
      ...(six instanceof Error ? [] : six.map((address) => ({ address, family: 6 }))),
    ]);
  });

  test('that an operator configured are resolved as the system does', async () => {
    // A gateway inside the operator's network may be only in the hosts file.
    expect(await resolveSystemName('127.0.0.1')).toEqual([{ address: '127.0.0.1', family: 4 }]);
    expect(await resolveSystemName('::1')).toEqual([{ address: '::1', family: 6 }]);
    expect((await resolveSystemName('localhost')).length).toBeGreaterThan(0);
  });

  test('that no system can resolve have no address', async () => {
    // A label has at most 63 octets (RFC 1035), so no name server is queried.
    expect(await resolveSystemName(`${'a'.repeat(64)}.invalid`)).toEqual([]);
  });
});
