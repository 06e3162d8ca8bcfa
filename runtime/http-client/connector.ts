import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { isPublicAddress, type AllowList } from '../../domain/outbound-url.ts';
import { errorCodeOf, HttpFailure } from './failure.ts';
import { resolvePublicName, resolveSystemName, type ResolveHost } from './resolve.ts';

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
 * Returns the function that opens the HTTP client's sockets: undici's own, with lookups that check what they return. The socket connects to the
 * checked addresses, so a name that changes its answer in between gains nothing. A name with even one forbidden address is refused.
 */
export function createGuardedConnector(options: ConnectorOptions): buildConnector.connector {
  const { guard, allow, connectTimeoutMs, ca, resolve } = options;
  const opening = (lookup: LookupFunction): buildConnector.connector =>
    buildConnector({
      lookup,
      timeout: connectTimeoutMs,
      autoSelectFamily: true,
      allowH2: false,
      // Every connection verifies the certificate anew.
      maxCachedSessions: 0,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? {} : { ca }),
    });
  const toAny = opening(checkedLookup(resolve ?? resolveSystemName, () => true));
  const toPublic = opening(checkedLookup(resolve ?? resolvePublicName, isPublicAddress));
  return ({ hostname, protocol, port }, callback) => {
    const tls = protocol === 'https:';
    const trusted = guard === 'none' || allow.allows({ hostname, port: Number(port) || (tls ? 443 : 80) });
    const isLiteral = isIP(hostname) !== 0;
    if (isLiteral && !trusted && !isPublicAddress(hostname)) {
      // A literal address needs no lookup, so it is checked here.
      queueMicrotask(() => callback(new HttpFailure('blocked', { sent: false }), null));
      return;
    }
    // undici would take the name from a `Host` header. The certificate must be that of the URL's host.
    const servername = tls && !isLiteral ? { servername: hostname.replace(/\.$/, '') } : {};
    const connect = trusted ? toAny : toPublic;
    connect({ hostname, protocol, port, ...servername }, (error, socket) =>
      error === null ? callback(null, socket) : callback(failureOf(error, tls), null),
    );
  };
}

/** Returns a lookup that fails unless every address of the name is allowed: we do not choose which of them the socket connects to. */
function checkedLookup(resolve: ResolveHost, isAllowed: (address: string) => boolean): LookupFunction {
  const addressesOf = async (hostname: string) => {
    const addresses = await resolve(hostname).catch(() => []);
    if (addresses.length === 0) {
      throw new HttpFailure('unresolved', { sent: false });
    }
    if (!addresses.every(({ address }) => isAllowed(address))) {
      throw new HttpFailure('blocked', { sent: false });
    }
    return addresses;
  };
  return (hostname, _options, callback) => {
    // oxlint-disable promise/no-callback-in-promise -- a lookup is a callback interface
    addressesOf(hostname).then(
      (addresses) => callback(null, [...addresses]),
      (error: HttpFailure) => callback(error, []),
    );
    // oxlint-enable promise/no-callback-in-promise
  };
}

function failureOf(error: Error, tls: boolean): HttpFailure {
  if (error instanceof HttpFailure) {
    return error;
  }
  const code = errorCodeOf(error);
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    return new HttpFailure('timeout', { sent: false });
  }
  // The system's error of an attempt to connect, or one for all addresses that were tried. Whatever else fails on the way to TLS is its handshake.
  const isTcp = !tls || error instanceof AggregateError || ('syscall' in error && error.syscall === 'connect');
  return new HttpFailure(isTcp ? 'connect' : 'tls', { sent: false, code });
}
