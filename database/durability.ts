import type { Database } from './connection.ts';

const NEEDED: Readonly<Record<string, ReadonlySet<string>>> = {
  fsync: new Set(['on']),
  full_page_writes: new Set(['on']),
  synchronous_commit: new Set(['on', 'remote_apply', 'remote_write']),
};

/**
 * Which settings of the server could lose or corrupt what was acknowledged, as `name=value`; empty when none does. With
 * `synchronous_commit=off` the last transactions can vanish, with `fsync=off` the whole cluster can.
 */
export async function weakDurabilitySettings(database: Database): Promise<string[]> {
  const rows = await database.lookup<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit')`,
    [],
  );
  return rows
    .filter(({ name, setting }) => NEEDED[name]?.has(setting) !== true)
    .map(({ name, setting }) => `${name}=${setting}`);
}
