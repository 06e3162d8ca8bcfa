import type { RuntimeRole } from '../runtime/database-roles.ts';
import { describeError, type Logger } from '../runtime/logger.ts';
import { sqlStateOf, type Database, type EntityManager } from './connection.ts';
import { LOGIN_REFUSED } from './logins.ts';

export interface LoginCheck {
  readonly database: Database;
  readonly roles: readonly RuntimeRole[];
  readonly log: Logger;
}

interface Session {
  readonly name: string;
  readonly mighty: boolean;
  readonly member: boolean;
  readonly owner: boolean;
}

/**
 * Refuses to run with a login that has more rights than its role. A superuser, an owner or a member of another role could see every application's
 * rows, whatever the policies say. If the database is unreachable, the check is left to the next start.
 * @throws Error that names the login.
 */
export async function requireOwnLogins({ database, roles, log }: LoginCheck): Promise<void> {
  for (const role of roles) {
    const session = await sessionOf(database, role).catch((error: unknown) => {
      // A retry would not help: the setting or the role's password is wrong.
      if (LOGIN_REFUSED.has(sqlStateOf(error) ?? '')) {
        throw error;
      }
      log.warn({ error: describeError(error), role }, 'the database login could not be checked');
      return undefined;
    });
    if (session === undefined) {
      continue;
    }
    if (session.name !== role) {
      throw new Error(`Lenden logged in to the database as ${session.name} instead of ${role}`);
    }
    if (session.mighty || session.member || session.owner) {
      const why = session.mighty
        ? 'has administrator attributes'
        : session.member
          ? 'is a member of other roles'
          : 'owns objects';
      throw new Error(
        `Lenden does not run as ${role} because the role ${why} in this database; run the migration to restrict it`,
      );
    }
  }
}

const SESSION = `select r.rolname::text as name, rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as mighty,
    exists (select from pg_auth_members m where m.member = r.oid) as member,
    exists (select from pg_class c where c.relowner = r.oid) or exists (select from pg_proc p where p.proowner = r.oid) as owner
  from pg_roles r where r.rolname = session_user`;

async function sessionOf(database: Database, role: RuntimeRole): Promise<Session | undefined> {
  const ask = async (em: EntityManager): Promise<Session[]> => em.execute<Session[]>(SESSION);
  const rows = {
    lenden_app: () => database.lookup<Session>(SESSION, []),
    lenden_operator: () => database.withOperator([], ask),
    lenden_system: () => database.withSystem(ask),
  };
  return (await rows[role]())[0];
}
