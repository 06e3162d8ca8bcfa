/**
 * Why there is no complete reply. `blocked`: the guard refused the address. `unresolved`: the name has no address. `connect`: no TCP connection.
 * `tls`: handshake or certificate. `timeout`: a time limit. `reset`: the connection ended early. `too-large`: the reply exceeds a limit. `protocol`:
 * the peer does not speak HTTP.
 */
export type HttpFailureKind =
  'blocked' | 'unresolved' | 'connect' | 'tls' | 'timeout' | 'reset' | 'too-large' | 'protocol';

/** The error of an outgoing request without a usable reply. Its message contains the kind and a system code, never a URL, header or body. */
export class HttpFailure extends Error {
  readonly kind: HttpFailureKind;
  /**
   * False only if no byte of the request has left this process. True means that the peer may have acted on it: the caller must query the result, not
   * assume it.
   */
  readonly sent: boolean;

  constructor(kind: HttpFailureKind, details: { readonly sent: boolean; readonly code?: string | undefined }) {
    super(details.code === undefined ? kind : `${kind} (${details.code})`);
    this.name = 'HttpFailure';
    this.kind = kind;
    this.sent = details.sent;
  }
}

/** Returns the code that the system or a library gave an error, such as ECONNREFUSED; undefined if there is none. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
