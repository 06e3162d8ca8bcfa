import type { EntityManager } from './connection.ts';
import { CLUSTER_ROLES } from './logins.ts';

const EXAMPLES_MAX = 3;

const LACKING = `
  select 'the role ' || wanted as what from unnest(string_to_array(?, ',')) as wanted
    where not exists (select from pg_roles where rolname = wanted)
  union all
  select 'every policy of ' || r.rolname from pg_roles r where r.rolname = any(string_to_array(?, ','))
    and not exists (select from pg_policy p join pg_class c on c.oid = p.polrelid
      where c.relnamespace = 'public'::regnamespace and r.oid = any(p.polroles))
  union all
  select 'every grant to ' || r.rolname from pg_roles r where r.rolname = any(string_to_array(?, ','))
    and not exists (select from pg_class c, aclexplode(c.relacl) g
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and g.grantee = r.oid)
  union all
  select 'every policy of the table ' || c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relrowsecurity
      and not exists (select from pg_policy p where p.polrelid = c.oid)
  union all
  select 'the owner of the function ' || p.proname from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.prosecdef and p.proowner::regrole::text <> 'lenden_lookup'`;

/**
 * Checks that a restored dump is complete. A dump mentions roles that it does not contain. If they were missing when it was restored, its tables lack
 * the policies and grants that separate applications, and no migration creates those again.
 *
 * @throws Error that says what is missing and how to restore the dump completely.
 */
export async function requireWhole(em: EntityManager): Promise<void> {
  const roles = CLUSTER_ROLES.join(',');
  const rows = await em.execute<{ what: string }[]>(LACKING, [roles, roles, roles]);
  if (rows.length === 0) {
    return;
  }
  const examples = rows.slice(0, EXAMPLES_MAX).map(({ what }) => what);
  const more = rows.length > EXAMPLES_MAX ? ` and ${rows.length - EXAMPLES_MAX} more` : '';
  throw new Error(
    `the database was restored without the roles that its policies and grants need: it lacks ${examples.join(', ')}${more}. ` +
      'Nothing was changed. Drop the database and create it empty, run `node database/migrate.ts --roles-only`, restore the dump, then migrate (docs/restore.md)',
  );
}
