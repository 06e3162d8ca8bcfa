import { openOrm } from '../../database/connection.ts';
import { RUNTIME_ROLES } from '../../runtime/database-roles.ts';
import { runtimeLogins } from '../../scripts/shared/runtime-logins.ts';

/** Statements by which a session may try to gain more rights than its login has. */
const WAYS_OUT = [
  'set role postgres',
  'set role lenden_system',
  'set role lenden_operator',
  'set role lenden_app',
  'set role lenden_lookup',
  'set role pg_read_all_data',
  'set session authorization postgres',
  'reset role',
  'set role none',
  'set local role none',
  'reset session authorization',
  'reset all',
];

/** Returns every statement by which a login of the database became another role. The result should be empty. */
export async function waysOut(ownerUrl: string): Promise<string[]> {
  const found: string[] = [];
  for (const role of RUNTIME_ROLES) {
    const orm = await openOrm({ url: runtimeLogins(ownerUrl)[role], role, session: 'login', poolSize: 1 });
    for (const way of WAYS_OUT.filter((statement) => statement !== `set role ${role}`)) {
      const became = await orm.em
        .fork()
        .transactional(async (em) => {
          await em.execute(way);
          return em.execute<{ role: string }[]>('select current_user::text as role');
        })
        .catch(() => []);
      found.push(...became.filter((now) => now.role !== role).map((now) => `${role}: ${way}: ${now.role}`));
    }
    await orm.close();
  }
  return found;
}

/** Returns the logins of the processes connected to the database, with the role in their application name. */
export async function sessionsOf(ownerUrl: string): Promise<{ login: string; name: string }[]> {
  const orm = await openOrm({ url: ownerUrl, role: 'owner', poolSize: 1 });
  try {
    return await orm.em.fork().execute<{ login: string; name: string }[]>(
      `select distinct usename::text as login, application_name as name from pg_stat_activity
       where datname = current_database() and application_name like 'lenden lenden\\_%' order by 1`,
    );
  } finally {
    await orm.close();
  }
}
