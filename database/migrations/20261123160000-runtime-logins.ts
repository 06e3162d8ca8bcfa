import { Migration } from '@mikro-orm/migrations';

/**
 * Each runtime role becomes a login, so it must own nothing: what the lookups may read before a scope is known belongs to a role that nobody
 * can log in as. The logins' passwords are of the cluster; `prepareLogins` sets them.
 */
export class RuntimeLoginsMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(LOOKUP_ROLE);
    this.addSql(LOOKUP_OWNER);
    for (const statement of GATEWAY_TOKENS) {
      this.addSql(statement);
    }
    for (const statement of STORE_KEYS) {
      this.addSql(statement);
    }
  }
}

const LOOKUP_ROLE = `
do $$
declare privilege text;
begin
  begin create role lenden_lookup nologin; exception when duplicate_object or unique_violation then null; end;
  privilege := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
  if not pg_has_role(current_user, 'lenden_lookup', privilege) then execute format('grant lenden_lookup to %I', current_user); end if;
end $$;
grant usage on schema public to lenden_lookup;
${['applications', 'credentials', 'public_references', 'payment_attempts', 'gateway_configurations', 'pending_changes']
  .map(
    (table) => `create policy lookup on ${table} for select to lenden_lookup using (true);
grant select on ${table} to lenden_lookup;`,
  )
  .join('\n')}
`;

/** All of them, however many there are by now. */
const LOOKUP_OWNER = `
grant create on schema public to lenden_lookup;
do $$
declare lookup regprocedure;
begin
  for lookup in select oid from pg_proc where pronamespace = 'public'::regnamespace and proowner = 'lenden_system'::regrole loop
    execute format('alter function %s owner to lenden_lookup', lookup);
  end loop;
end $$;
revoke create on schema public from lenden_lookup;
`;

/** An operator's request that tries a store's credentials keeps the token that it got, so the api needs no login that sees every application. */
const GATEWAY_TOKENS = [
  'alter table gateway_tokens enable row level security',
  'alter table gateway_tokens force row level security',
  'create policy system on gateway_tokens to lenden_system using (true) with check (true)',
  'create policy operator on gateway_tokens to lenden_operator using (true) with check (true)',
  'grant select, insert, update on gateway_tokens to lenden_operator',
];

/** A store's secret is sealed for its row, by a key that is drawn before the row is written and that no operator's request may change. */
const STORE_KEYS = [
  'alter table gateway_configurations add column key uuid not null default gen_random_uuid()',
  'create unique index on gateway_configurations (key)',
  'grant select (key) on gateway_configurations to lenden_operator',
  `create or replace function lenden_store_secret(for_application bigint, in_mode text, at_gateway text, at_store text) returns text
  language sql stable set search_path = pg_catalog, public
  as $$ select key::text || ':' || store_secret from public.gateway_configurations
    where (application_id = for_application or application_id is null) and mode = in_mode and gateway = at_gateway and store_id = at_store
    order by application_id nulls last limit 1 $$`,
];
