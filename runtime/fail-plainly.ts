import { SettingsError } from './config.ts';

/** Faults of the surroundings, by the codes of the system and of Postgres, in words for whoever starts the process. */
const FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens on this address already',
  EACCES: 'this account may not listen on this address',
  EADDRNOTAVAIL: 'this machine does not have this address',
  ECONNREFUSED: 'nothing answers at an address that it needs',
  '28P01': 'the database refuses the password',
  '28000': 'the database refuses the login',
  '3D000': 'the database server has no such database',
};

/** One line without a stack for what is wrong outside of this program; undefined for a fault of ours. */
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

/** From here on a fault that ends the start is said plainly, with exit code 1. */
export function failPlainly(): void {
  process.on('uncaughtException', (error) => {
    console.error(plainFault(error) ?? error);
    process.exit(1);
  });
}
