import { openOrm } from './connection.ts';
import { prepareLogins } from './logins.ts';
import { RUNTIME_ROLES, RUNTIME_URL_VARIABLES, type RuntimeUrls } from '../runtime/database-roles.ts';

export interface Migrated {
  readonly migrations: string[];
  /** What the owner could not do, for whoever administers the server. */
  readonly notices: string[];
}

/**
 * Brings the schema to the newest migration, as the owner, and prepares the logins of the processes. Safe to run from several processes: one
 * migrates, the others wait.
 */
export async function migrate(url: string, logins: RuntimeUrls = {}): Promise<Migrated> {
  const orm = await openOrm({ url, role: 'owner', poolSize: 2 });
  try {
    const migrations = await orm.em.fork().transactional(async (em) => {
      await em.execute('select pg_advisory_xact_lock(7016402)');
      const done = await orm.migrator.up();
      return done.map(({ name }) => name);
    });
    return { migrations, notices: await prepareLogins(orm.em.fork(), logins) };
  } finally {
    await orm.close();
  }
}

/** A role whose variable is not set keeps its login as it is. */
function loginsOf(environment: NodeJS.ProcessEnv): RuntimeUrls {
  const given = RUNTIME_ROLES.map((role) => [role, environment[RUNTIME_URL_VARIABLES[role]]] as const);
  return Object.fromEntries(given.filter(([, url]) => url !== undefined && url !== ''));
}

if (import.meta.main) {
  const url = process.env['DATABASE_URL'];
  if (url === undefined || url === '') {
    console.error('DATABASE_URL is not set: the owner URL of the PostgreSQL database to migrate');
    process.exit(1);
  }
  const { migrations, notices } = await migrate(url, loginsOf(process.env));
  for (const notice of notices) {
    console.error(JSON.stringify({ level: 'warn', msg: notice }));
  }
  console.log(JSON.stringify({ msg: 'database migrated', migrations }));
}
