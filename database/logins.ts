import { setTimeout as sleep } from 'node:timers/promises';
import { openOrm, sqlStateOf, type EntityManager } from './connection.ts';
import { RUNTIME_ROLES, type RuntimeRole, type RuntimeUrls } from '../runtime/database-roles.ts';
import { scramVerifier } from './scram.ts';

/** Owns what the lookups read before a scope is known. It has no login. */
const LOOKUP_ROLE = 'lenden_lookup';
/** All roles that a dump of the database mentions. A dump of one database does not contain them. */
export const CLUSTER_ROLES = [...RUNTIME_ROLES, LOOKUP_ROLE] as const;

/** What the owner has no right to do, in words for the server's administrator. */
export type LoginNotice = string;

/**
 * With these settings a failed statement is logged without its row and values, which may be a payer's data. The first two need a superuser, or an
 * owner who was granted the right to set them.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  search_path: 'pg_catalog, public, pg_temp',
};

const INSUFFICIENT_PRIVILEGE = '42501';
/** Wrong password, or a role that cannot log in. */
export const LOGIN_REFUSED: ReadonlySet<string> = new Set(['28P01', '28000']);
/** The server's internal error code when another database of the cluster changes the same role concurrently. */
const CHANGED_AT_ONCE = 'XX000';
const TRIES_MAX = 8;

/**
 * Creates the roles that are missing in this cluster and lets the owner act as them, like the migrations do. Needed before a dump is restored,
 * because its policies and grants name them. Runs in the caller's transaction.
 */
export async function makeRoles(em: EntityManager): Promise<void> {
  for (const role of CLUSTER_ROLES) {
    await em.execute(`do $$
      declare privilege text;
      begin
        begin create role ${role} nologin; exception when duplicate_object or unique_violation then null; end;
        privilege := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
        if not pg_has_role(current_user, '${role}', privilege) then execute format('grant ${role} to %I', current_user); end if;
      end $$`);
  }
}

/**
 * Gives each runtime role the login of its URL, and removes every right beyond that role. Changes only what differs, so it can run at each deployment
 * and from several processes. A role without a URL keeps the login that the server's administrator set.
 *
 * @param em - a session of the owner, outside of a transaction
 */
export async function prepareLogins(em: EntityManager, urls: RuntimeUrls): Promise<LoginNotice[]> {
  await protectDatabase(em);
  const notices: LoginNotice[] = [];
  for (const role of RUNTIME_ROLES) {
    await confine(em, role);
    notices.push(...(await applySettings(em, role)));
    const url = urls[role];
    if (url !== undefined) {
      await givePassword(em, { role, url });
    }
  }
  return notices;
}

/** By default anyone who can connect to the server may create temporary tables in the database, and before PostgreSQL 15 also tables. */
async function protectDatabase(em: EntityManager): Promise<void> {
  await alone(
    em,
    `do $$ begin
    execute format('revoke temporary on database %I from public', current_database());
    execute format('grant connect on database %I to ${RUNTIME_ROLES.join(', ')}', current_database());
    revoke create on schema public from public;
  end $$`,
  );
}

interface RoleState {
  readonly mighty: boolean;
  readonly memberOf: string[];
  readonly settings: string[];
}

async function stateOf(em: EntityManager, role: RuntimeRole): Promise<RoleState> {
  const [state] = await em.execute<RoleState[]>(
    `select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as mighty,
       array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid) as "memberOf",
       array(select unnest(setconfig) from pg_db_role_setting s where s.setrole = r.oid and s.setdatabase = 0) as settings
     from pg_roles r where r.rolname = ?`,
    [role],
  );
  if (state === undefined) {
    throw new Error(`the database has no role ${role}`);
  }
  return state;
}

async function confine(em: EntityManager, role: RuntimeRole): Promise<void> {
  const { mighty, memberOf } = await stateOf(em, role);
  if (mighty) {
    await alone(em, `alter role ${role} nosuperuser nocreaterole nocreatedb noreplication nobypassrls`);
  }
  for (const group of memberOf) {
    await alone(em, `revoke "${group.replaceAll('"', '""')}" from ${role}`);
  }
}

async function applySettings(em: EntityManager, role: RuntimeRole): Promise<LoginNotice[]> {
  const { settings } = await stateOf(em, role);
  const notices: LoginNotice[] = [];
  for (const [name, value] of Object.entries(SETTINGS)) {
    const statement = `alter role ${role} set ${name} = ${value}`;
    if (settings.some((setting) => setting === `${name}=${value}`)) {
      continue;
    }
    try {
      await alone(em, statement);
    } catch (error) {
      if (sqlStateOf(error) !== INSUFFICIENT_PRIVILEGE) {
        throw error;
      }
      notices.push(`a superuser must run: ${statement}`);
    }
  }
  return notices;
}

/** The verifier is passed as a parameter: anyone who reads it in a statement log could use it to guess the password offline. */
async function givePassword(em: EntityManager, { role, url }: { role: RuntimeRole; url: string }): Promise<void> {
  if (await canLogIn(role, url)) {
    return;
  }
  const password = decodeURIComponent(new URL(url).password);
  await repeated(() =>
    em.transactional(async (within) => {
      await within.execute(`select set_config('lenden.verifier', ?, true)`, [
        password === '' ? '' : scramVerifier(password),
      ]);
      await within.execute(`do $$ begin
        execute format('alter role ${role} login password %L', nullif(current_setting('lenden.verifier'), ''));
      end $$`);
    }),
  );
  if (!(await canLogIn(role, url))) {
    throw new Error(`${role} cannot log in with the URL given for it`);
  }
}

async function canLogIn(role: RuntimeRole, url: string): Promise<boolean> {
  const orm = await openOrm({ url, role, session: 'login', poolSize: 1 });
  try {
    const [session] = await orm.em.fork().execute<{ name: string }[]>('select session_user::text as name');
    return session?.name === role;
  } catch (error) {
    if (LOGIN_REFUSED.has(sqlStateOf(error) ?? '')) {
      return false;
    }
    throw error;
  } finally {
    await orm.close();
  }
}

function alone(em: EntityManager, statement: string): Promise<unknown> {
  return repeated(() => em.execute(statement));
}

/** Roles belong to the cluster, so another database in it may change the same one at the same time. */
async function repeated<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (sqlStateOf(error) !== CHANGED_AT_ONCE || tries === TRIES_MAX) {
        throw error;
      }
      await sleep(20 * 2 ** tries * Math.random());
    }
  }
}
