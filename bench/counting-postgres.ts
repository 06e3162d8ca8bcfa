import { join } from 'node:path';
import pg from 'pg';
import type { Child } from '../scripts/child.ts';
import { findFreePort } from '../scripts/ports.ts';
import { startPostgres, type PostgresSettings } from '../scripts/postgres.ts';

/** The launcher's Postgres with `pg_stat_statements`, and with whatever else a measurement asks for. */
export async function startCountingPostgres({
  directory,
  settings = {},
}: {
  directory: string;
  /** Some take a restart. */
  settings?: Readonly<Record<string, string>> | undefined;
}): Promise<{ child: Child; url: string; port: number }> {
  const where: PostgresSettings = {
    directory: join(directory, 'postgres'),
    port: await findFreePort([]),
    database: 'lenden',
    logFile: join(directory, 'logs', 'postgres.log'),
  };
  // Preloaded libraries are read at start, and the launcher's server has none: hence the second start.
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
