import { describeError, type Logger } from '../runtime/logger.ts';
import type { Database } from './connection.ts';

const NEEDED: Readonly<Record<string, ReadonlySet<string>>> = {
  fsync: new Set(['on']),
  full_page_writes: new Set(['on']),
  synchronous_commit: new Set(['on', 'remote_apply', 'remote_write']),
};

export interface DurabilityCheck {
  readonly database: Database;
  readonly environment: 'development' | 'production';
  readonly log: Logger;
}

/**
 * Refuses to run in production on a server that could lose acknowledged data: with `synchronous_commit=off` the last transactions can vanish, with
 * `fsync=off` the whole cluster can be corrupted. If the database is unreachable, the check is left to the next start.
 * @throws Error that names the settings.
 */
export async function requireDurability({ database, environment, log }: DurabilityCheck): Promise<void> {
  const weak = await weakSettings(database).catch((error: unknown) => {
    log.warn({ error: describeError(error) }, 'the durability settings of the database could not be read');
    return [];
  });
  if (weak.length > 0 && environment === 'production') {
    throw new Error(`Lenden does not run on this database because it could lose payments (${weak.join(', ')})`);
  }
  if (weak.length > 0) {
    log.warn({ weak }, 'this database could lose payments');
  }
}

async function weakSettings(database: Database): Promise<string[]> {
  const rows = await database.lookup<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit')`,
    [],
  );
  return rows
    .filter(({ name, setting }) => NEEDED[name]?.has(setting) !== true)
    .map(({ name, setting }) => `${name}=${setting}`);
}
