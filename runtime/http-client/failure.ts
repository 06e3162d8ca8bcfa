/**
 * Why no complete reply came: `blocked` the guard refused the address, `unresolved` the name has no address, `connect` no TCP
 * connection, `tls` the handshake or the certificate, `timeout` a time limit, `reset` the connection ended early, `too-large` the
 * reply exceeds a limit, `protocol` the peer does not speak HTTP.
 */
export type HttpFailureKind =
  'blocked' | 'unresolved' | 'connect' | 'tls' | 'timeout' | 'reset' | 'too-large' | 'protocol';

/** An outgoing request without a usable reply. Its message holds the kind and a system code, never a URL, header or body. */
export class HttpFailure extends Error {
  readonly kind: HttpFailureKind;
  /**
   * False only when not one byte of the request left this process. True means that the peer may have acted on it: the caller must
   * ask what happened, not assume.
   */
  readonly sent: boolean;

  constructor(kind: HttpFailureKind, details: { readonly sent: boolean; readonly code?: string | undefined }) {
    super(details.code === undefined ? kind : `${kind} (${details.code})`);
    this.name = 'HttpFailure';
    this.kind = kind;
    this.sent = details.sent;
  }
}

/** The system's or the library's code of an error, such as ECONNREFUSED; undefined when it has none. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
