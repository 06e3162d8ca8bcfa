import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { NativeConnection } from '@temporalio/worker';
import { openDatabase } from '../../database/connection.ts';
import { connectionOptionsOf, temporalServerOf } from '../../runtime/temporal-server.ts';
import { linkTemporal } from '../../temporal/client.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { testServers } from '../support/test-servers.ts';

/**
 * Creates a certificate authority, its server certificate for 127.0.0.1, its client certificate, and an authority that
 * nobody trusts.
 */
function makeCertificates(directory: string): void {
  const openssl = (line: string): void => {
    execFileSync('openssl', line.split(' '), { cwd: directory, stdio: 'ignore' });
  };
  const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  for (const authority of ['ca', 'other']) {
    openssl(`req -x509 ${newKey} -days 2 -subj /CN=${authority} -keyout ${authority}.key -out ${authority}.pem`);
  }
  writeFileSync(join(directory, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  for (const name of ['server', 'client']) {
    openssl(`req ${newKey} -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`);
    openssl(
      `x509 -req -days 2 -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out ${name}.pem`,
    );
  }
}

let directory: string;
const file = (name: string): string => join(directory, name);
const listeners: (Server | Http2SecureServer)[] = [];

async function listen(server: Server | Http2SecureServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  listeners.push(server);
  return (server.address() as AddressInfo).port;
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-tls-'));
  makeCertificates(directory);
});

afterAll(() => {
  listeners.forEach((server) => server.close());
  rmSync(directory, { recursive: true, force: true });
});

describe('Temporal behind TLS', () => {
  let address: string;

  beforeAll(async () => {
    const [host = '', port = ''] = testServers().temporalAddress.split(':');
    const proxy = createTlsServer(
      {
        key: readFileSync(file('server.key')),
        cert: readFileSync(file('server.pem')),
        ca: readFileSync(file('ca.pem')),
        requestCert: true,
        rejectUnauthorized: true,
        ALPNProtocols: ['h2'],
      },
      (socket) => {
        const server = connect(Number(port), host);
        socket.pipe(server).pipe(socket);
        socket.on('error', () => server.destroy());
        server.on('error', () => socket.destroy());
      },
    );
    proxy.on('tlsClientError', () => undefined);
    address = `localhost:${await listen(proxy)}`;
  });

  const settings = (others: Record<string, string>) =>
    temporalServerOf({ TEMPORAL_ADDRESS: address, TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('ca.pem'), ...others });
  const withCertificate = () =>
    settings({ TEMPORAL_TLS_CLIENT_CERT_PATH: file('client.pem'), TEMPORAL_TLS_CLIENT_KEY_PATH: file('client.key') });

  test('is reached with a client certificate, by the api’s connection and by the worker’s', async () => {
    // A Temporal server on another machine is used only over a connection with mutual authentication.
    const link = linkTemporal({ ...withCertificate(), uiUrl: null });
    try {
      const { serverVersion } = await link.connection.workflowService.getSystemInfo({});
      expect(serverVersion).toMatch(/^\d/);
    } finally {
      await link.close();
    }
    const worker = await NativeConnection.connect(connectionOptionsOf(withCertificate()));
    await worker.close();
  });

  test('is not reached without one, nor when its own is of another authority', async () => {
    // A certificate that is not checked protects nothing.
    const strangers = [
      settings({}),
      temporalServerOf({
        TEMPORAL_ADDRESS: address,
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('other.pem'),
        TEMPORAL_TLS_CLIENT_CERT_PATH: file('client.pem'),
        TEMPORAL_TLS_CLIENT_KEY_PATH: file('client.key'),
      }),
    ];
    for (const stranger of strangers) {
      await expect(NativeConnection.connect(connectionOptionsOf(stranger))).rejects.toThrow();
    }
  });
});

test('An API key is sent to Temporal with each call, over TLS', async () => {
  // Temporal Cloud identifies callers by this header. Without TLS, anyone on the network could read it.
  const seen: (string | undefined)[] = [];
  const server = createSecureServer({ key: readFileSync(file('server.key')), cert: readFileSync(file('server.pem')) });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    seen.push(headers.authorization);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.alloc(5));
  });
  const port = await listen(server);
  const link = linkTemporal({
    ...temporalServerOf({
      TEMPORAL_ADDRESS: `localhost:${port}`,
      TEMPORAL_API_KEY: 'canary-key',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('ca.pem'),
    }),
    uiUrl: null,
  });
  try {
    await link.connection.workflowService.getSystemInfo({});
  } finally {
    await link.close();
  }
  expect(new Set(seen)).toEqual(new Set(['Bearer canary-key']));
});

test.each([
  [{ TEMPORAL_TLS: 'yes' }, 'TEMPORAL_TLS: must be true or false'],
  [{ TEMPORAL_TLS_CLIENT_CERT_PATH: '/client.pem' }, 'TEMPORAL_TLS_CLIENT_KEY_PATH: set both or neither'],
  [{ TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/nowhere/canary.pem' }, 'a certificate or key file cannot be read'],
  [{ TEMPORAL_TLS: 'false', TEMPORAL_API_KEY: 'canary' }, 'must not be false'],
])('The settings %p of Temporal stop the start', (environment, message) => {
  // With incomplete settings the connection would be unencrypted, or fail at the first payment.
  const read = (): unknown => temporalServerOf(environment);
  expect(read).toThrow(message);
  expect(read).not.toThrow(/canary/);
});

describe('Postgres behind TLS', () => {
  let database: TestDatabase;
  let port: number;

  /** Starts a proxy that answers Postgres' SSLRequest and ends the encryption. It closes connections without one. */
  beforeAll(async () => {
    database = await createEmptyDatabase();
    const real = new URL(database.url);
    const proxy = createServer((socket) => {
      socket.once('data', (request: Buffer) => {
        if (request.length !== 8 || request.readUInt32BE(4) !== 80_877_103) {
          socket.destroy();
          return;
        }
        socket.write('S');
        const secure = new TLSSocket(socket, {
          isServer: true,
          key: readFileSync(file('server.key')),
          cert: readFileSync(file('server.pem')),
        });
        const server = connect(Number(real.port), real.hostname);
        secure.pipe(server).pipe(secure);
        secure.on('error', () => server.destroy());
        server.on('error', () => secure.destroy());
      });
      socket.on('error', () => undefined);
    });
    port = await listen(proxy);
  });

  afterAll(() => database.drop());

  const url = (parameters: string): string => {
    const changed = new URL(database.url);
    changed.port = String(port);
    changed.search = parameters;
    return changed.toString();
  };

  async function ping(parameters: string): Promise<string> {
    try {
      const opened = await openDatabase({ url: url(parameters), poolSize: 1 });
      try {
        await opened.ping();
        return 'reached';
      } finally {
        await opened.close();
      }
    } catch (error) {
      return String(error);
    }
  }

  test('is reached when its certificate is of the given authority', async () => {
    // libpq's option names work, so a provider's connection string can be pasted.
    expect(await ping(`?sslmode=verify-full&sslrootcert=${file('ca.pem')}`)).toBe('reached');
    expect(await ping(`?sslmode=require&sslrootcert=${file('ca.pem')}`)).toBe('reached');
  });

  test('is not reached when its certificate cannot be trusted, nor in plain text', async () => {
    // If `require` accepted any certificate, an attacker on the network could get the password.
    expect(await ping(`?sslmode=require&sslrootcert=${file('other.pem')}`)).toMatch(/certificate/);
    expect(await ping('?sslmode=verify-full')).toMatch(/certificate/);
    expect(await ping('')).not.toBe('reached');
    expect(await ping('?sslmode=prefer')).toMatch(/sslmode must be disable or verify-full/);
  });
});
