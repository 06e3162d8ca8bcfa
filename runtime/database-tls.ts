import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';

const OFF: ReadonlySet<string> = new Set(['', 'disable']);
/** libpq skips checks in some of these modes. Here all of them check the certificate and the host name. */
const ON: ReadonlySet<string> = new Set(['require', 'verify-ca', 'verify-full']);

/**
 * Returns the TLS options of a database URL by libpq's parameters: `sslmode`, `sslrootcert` (a file; the system's authorities by default), and
 * `sslcert` with `sslkey` for a client certificate. Undefined: no encryption.
 * @throws Error for a mode that may fall back to plain text, or a file that cannot be read; names no value
 */
export function tlsOf(databaseUrl: string): ConnectionOptions | undefined {
  const parameters = new URL(databaseUrl).searchParams;
  const mode = parameters.get('sslmode') ?? '';
  if (OFF.has(mode)) {
    return undefined;
  }
  if (!ON.has(mode)) {
    throw new Error('sslmode must be disable or verify-full: other modes may fall back to plain text');
  }
  if (parameters.has('sslcert') !== parameters.has('sslkey')) {
    throw new Error('sslcert and sslkey: set both or neither');
  }
  const file = (name: string): string | undefined => {
    const path = parameters.get(name);
    try {
      return path === null ? undefined : readFileSync(path, 'utf8');
    } catch {
      throw new Error(`the file of ${name} cannot be read`);
    }
  };
  const [ca, cert, key] = [file('sslrootcert'), file('sslcert'), file('sslkey')];
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}
