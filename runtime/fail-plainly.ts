import { SettingsError } from './config.ts';

/** Messages for faults outside of the program, by system and Postgres error codes. */
const FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program is already listening on this address',
  EACCES: 'this account may not listen on this address',
  EADDRNOTAVAIL: 'this machine does not have this address',
  ECONNREFUSED: 'nothing answers at a required address',
  '28P01': 'the database refuses the password',
  '28000': 'the database refuses the login',
  '3D000': 'the database server has no such database',
};

/** Returns one line without a stack for a fault outside of the program; undefined for a fault of ours. */
export function plainFault(error: unknown): string | undefined {
  if (error instanceof SettingsError) {
    return error.message;
  }
  if (!Error.isError(error) || !('code' in error) || typeof error.code !== 'string') {
    return undefined;
  }
  const fault = FAULTS[error.code];
  const address = 'port' in error && 'address' in error ? ` (${String(error.address)}:${String(error.port)})` : '';
  return fault === undefined ? undefined : `Lenden cannot start: ${fault}${address}`;
}

/** From now on prints errors that end the process as one line and exits with code 1. */
export function failPlainly(): void {
  process.on('uncaughtException', (error) => {
    console.error(plainFault(error) ?? error);
    process.exit(1);
  });
}
