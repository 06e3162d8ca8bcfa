import { hostname } from 'node:os';
import type { Config } from '../runtime/config.ts';
import type { RuntimeRole } from '../runtime/database-roles.ts';
import type { Logger } from '../runtime/logger.ts';
import { openDatabase, type PooledDatabase } from './connection.ts';
import { requireDurability } from './durability.ts';
import { requireOwnLogins } from './own-logins.ts';
import { announceProcess, type Presence } from './presence.ts';

const POOL_SIZE = 20;

export interface DatabaseOfProcess {
  readonly config: Pick<Config, 'databaseUrls' | 'environment'>;
  readonly roles: readonly RuntimeRole[];
  readonly log: Logger;
  /** `api` or `worker`, in the name that `npm run restore` shows. */
  readonly name: string;
}

/**
 * Opens the database of a process that serves or works: checks its logins and the server's durability, and shows `npm run restore` that the process
 * is running. A restore that starts later stops the process, which knows only the lost state.
 */
export async function openProcessDatabase({
  config,
  roles,
  log,
  name,
}: DatabaseOfProcess): Promise<{ database: PooledDatabase; presence: Presence }> {
  const database = await openDatabase({
    url: config.databaseUrls,
    poolSize: POOL_SIZE,
    onRetry: (sqlState) => log.warn({ sqlState }, 'transaction retried'),
  });
  await requireOwnLogins({ database, roles, log });
  await requireDurability({ database, environment: config.environment, log });
  const presence = await announceProcess({
    database,
    name: `${name} ${process.pid}@${hostname()}`,
    log,
    onRestore() {
      log.fatal(
        { alert: 'restore-while-running' },
        'npm run restore is running on this database; stopping this process',
      );
      process.exit(1);
    },
  });
  return { database, presence };
}
