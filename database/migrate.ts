import { parseArgs } from 'node:util';
import { ADVISORY_LOCKS } from './advisory-locks.ts';
import { openOrm, type EntityManager } from './connection.ts';
import { makeRoles, prepareLogins } from './logins.ts';
import { requireWhole } from './restored-whole.ts';
import { RUNTIME_ROLES, RUNTIME_URL_VARIABLES, type RuntimeUrls } from '../runtime/database-roles.ts';

export interface Migrated {
  readonly migrations: string[];
  /** What the owner could not do, for the server's administrator. */
  readonly notices: string[];
}

/**
 * Migrates the schema to the newest version, as the owner, and prepares the logins of the processes. Safe to run from several processes: one
 * migrates, the others wait.
 */
export async function migrate(url: string, logins: RuntimeUrls = {}): Promise<Migrated> {
  const orm = await openOrm({ url, role: 'owner', poolSize: 2 });
  try {
    const migrations = await orm.em.fork().transactional(async (em) => {
      await oneAtATime(em);
      const executed = await orm.migrator.getExecuted();
      if (executed.length > 0) {
        await requireWhole(em);
      }
      const done = await orm.migrator.up();
      return done.map(({ name }) => name);
    });
    return { migrations, notices: await prepareLogins(orm.em.fork(), logins) };
  } finally {
    await orm.close();
  }
}

/**
 * Creates the roles and logins of the cluster and nothing else: what a dump needs before it can be restored in a cluster where Lenden has never run.
 * The database may be empty.
 */
export async function prepareRoles(url: string, logins: RuntimeUrls = {}): Promise<Pick<Migrated, 'notices'>> {
  const orm = await openOrm({ url, role: 'owner', poolSize: 2 });
  try {
    await orm.em.fork().transactional(async (em) => {
      await oneAtATime(em);
      await makeRoles(em);
    });
    return { notices: await prepareLogins(orm.em.fork(), logins) };
  } finally {
    await orm.close();
  }
}

async function oneAtATime(em: EntityManager): Promise<void> {
  await em.execute(`select pg_advisory_xact_lock(${ADVISORY_LOCKS.migration})`);
}

/** A role whose variable is not set keeps its login. */
function loginsOf(environment: NodeJS.ProcessEnv): RuntimeUrls {
  const given = RUNTIME_ROLES.map((role) => [role, environment[RUNTIME_URL_VARIABLES[role]]] as const);
  return Object.fromEntries(given.filter(([, url]) => url !== undefined && url !== ''));
}

const USAGE = `node database/migrate.ts [--roles-only]

Migrates the database of DATABASE_URL to this version's schema and prepares the logins of the processes.
  --roles-only   only creates the roles and logins of the cluster; needed before a dump is restored in a cluster without them`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { 'roles-only': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const url = process.env['DATABASE_URL'];
  if (url === undefined || url === '') {
    throw new Error('DATABASE_URL is not set. Set it to the owner URL of the PostgreSQL database to migrate');
  }
  const logins = loginsOf(process.env);
  const { notices, ...done } = values['roles-only'] ? await prepareRoles(url, logins) : await migrate(url, logins);
  for (const notice of notices) {
    console.error(JSON.stringify({ level: 'warn', msg: notice }));
  }
  console.log(
    JSON.stringify({ msg: values['roles-only'] ? 'the roles of the cluster are ready' : 'database migrated', ...done }),
  );
  return 0;
}

if (import.meta.main) {
  process.exitCode = await main().catch((error: unknown) => {
    console.error(`The database was not migrated: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  });
}
