import { isIP, connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import { isPublicAddress, type AllowList } from '../../domain/outbound-url.ts';
import { errorCodeOf, HttpFailure } from './failure.ts';
import { resolvePublicName, resolveSystemName, type ResolvedAddress, type ResolveHost } from './resolve.ts';

/** `public-only` for URLs that applications choose; `none` for hosts that the operator configured. */
export type OutboundGuard = 'public-only' | 'none';

export interface ConnectorOptions {
  readonly guard: OutboundGuard;
  readonly allow: AllowList;
  /** The limit for DNS, TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** PEM certificates trusted in place of the system's. */
  readonly ca?: string | undefined;
  /** Replaces both resolvers. */
  readonly resolve?: ResolveHost | undefined;
}

/**
 * Returns the function that opens the HTTP client's sockets. It connects to the addresses that it has checked, so a name that changes its answer in
 * between gains nothing. A name with even one forbidden address is refused.
 */
export function createGuardedConnector(options: ConnectorOptions): buildConnector.connector {
  return ({ hostname, protocol, port }, callback) => {
    const target = { hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80), tls: protocol === 'https:' };
    // oxlint-disable promise/no-callback-in-promise -- undici's connector is a callback interface
    openSocket(target, options).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error('connect'), null),
    );
    // oxlint-enable promise/no-callback-in-promise
  };
}

interface Target {
  readonly hostname: string;
  readonly port: number;
  readonly tls: boolean;
}

async function openSocket(target: Target, options: ConnectorOptions): Promise<Socket | TLSSocket> {
  const deadline = AbortSignal.timeout(options.connectTimeoutMs);
  const addresses = await judgedAddresses(target, options, deadline);
  const tcp = await openTcp(target, addresses, deadline);
  return target.tls ? await openTls(target, { tcp, ca: options.ca, deadline }) : tcp;
}

async function judgedAddresses(
  target: Target,
  { guard, allow, resolve }: ConnectorOptions,
  deadline: AbortSignal,
): Promise<readonly ResolvedAddress[]> {
  const trusted = guard === 'none' || allow.allows(target);
  const family = isIP(target.hostname);
  const ask = resolve ?? (trusted ? resolveSystemName : resolvePublicName);
  const addresses =
    family === 0
      ? await before(deadline, ask(target.hostname))
      : [{ address: target.hostname, family: family === 6 ? (6 as const) : (4 as const) }];
  if (addresses.length === 0) {
    throw new HttpFailure('unresolved', { sent: false });
  }
  if (!trusted && !addresses.every(({ address }) => isPublicAddress(address))) {
    throw new HttpFailure('blocked', { sent: false });
  }
  return addresses;
}

function openTcp(target: Target, addresses: readonly ResolvedAddress[], deadline: AbortSignal): Promise<Socket> {
  const socket = connectTcp({
    host: target.hostname,
    port: target.port,
    autoSelectFamily: true,
    noDelay: true,
    // Called for names only; a literal address has been checked above and is used unchanged.
    lookup: (_hostname, _options, callback) => callback(null, [...addresses]),
  });
  return opened(socket, { event: 'connect', failure: 'connect', deadline });
}

interface TlsOptions {
  readonly tcp: Socket;
  readonly ca: string | undefined;
  readonly deadline: AbortSignal;
}

function openTls(target: Target, { tcp, ca, deadline }: TlsOptions): Promise<TLSSocket> {
  const socket = connectTls({
    socket: tcp,
    host: target.hostname,
    servername: isIP(target.hostname) === 0 ? target.hostname.replace(/\.$/, '') : '',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
  });
  return opened(socket, { event: 'secureConnect', failure: 'tls', deadline });
}

interface OpeningStep {
  readonly event: 'connect' | 'secureConnect';
  readonly failure: 'connect' | 'tls';
  readonly deadline: AbortSignal;
}

function opened<S extends Socket>(socket: S, { event, failure, deadline }: OpeningStep): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      socket.off(event, onOpen);
      socket.off('error', onError);
      socket.off('close', onClose);
      deadline.removeEventListener('abort', onDeadline);
      finish();
    };
    const fail = (error: HttpFailure): void => {
      settle(() => {
        // A destroyed socket can still emit an error, which would be unhandled.
        socket.on('error', () => undefined);
        socket.destroy();
        reject(error);
      });
    };
    const onOpen = (): void => settle(() => resolve(socket));
    const onError = (error: Error): void => fail(new HttpFailure(failure, { sent: false, code: errorCodeOf(error) }));
    const onClose = (): void => fail(new HttpFailure(failure, { sent: false }));
    const onDeadline = (): void => fail(new HttpFailure('timeout', { sent: false }));
    socket.on(event, onOpen);
    socket.on('error', onError);
    socket.on('close', onClose);
    deadline.addEventListener('abort', onDeadline);
    if (deadline.aborted) {
      onDeadline();
    }
  });
}

function before<T>(deadline: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onDeadline = (): void => reject(new HttpFailure('timeout', { sent: false }));
    deadline.addEventListener('abort', onDeadline, { once: true });
    work.then(resolve, reject).finally(() => deadline.removeEventListener('abort', onDeadline));
    if (deadline.aborted) {
      onDeadline();
    }
  });
}
