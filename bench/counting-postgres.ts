import { join } from 'node:path';
import pg from 'pg';
import type { Child } from '../scripts/shared/child.ts';
import { findFreePort } from '../scripts/shared/ports.ts';
import { startPostgres, type PostgresSettings } from '../scripts/development/postgres.ts';

/** Starts the launcher's Postgres with `pg_stat_statements` and with the settings that a measurement needs. */
export async function startCountingPostgres({
  directory,
  settings = {},
}: {
  directory: string;
  /** May include settings that need a restart, because the server is restarted anyway. */
  settings?: Readonly<Record<string, string>> | undefined;
}): Promise<{ child: Child; url: string; port: number }> {
  const where: PostgresSettings = {
    directory: join(directory, 'postgres'),
    port: await findFreePort([]),
    database: 'lenden',
    logFile: join(directory, 'logs', 'postgres.log'),
  };
  // The launcher's server preloads no libraries, and they are read only at start, so the server is started twice.
  const first = await startPostgres(where);
  try {
    const client = new pg.Client({ connectionString: first.url });
    await client.connect();
    const all = { shared_preload_libraries: 'pg_stat_statements', ...settings };
    for (const [name, value] of Object.entries(all)) {
      await client.query(`alter system set ${name} = ${pg.escapeLiteral(value)}`);
    }
    await client.query('create extension pg_stat_statements');
    await client.end();
  } finally {
    await first.child.stop();
  }
  return startPostgres(where);
}
