import { Migration } from '@mikro-orm/migrations';

/**
 * Each runtime role becomes a login, so it must own nothing: what the lookups may read before a scope is known belongs to a role that nobody
 * can log in as. The logins' passwords are of the cluster; `prepareLogins` sets them.
 */
export class RuntimeLoginsMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(LOOKUP_ROLE);
    this.addSql(LOOKUP_OWNER);
    this.addSql(GATEWAY_TOKENS);
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
${['applications', 'credentials', 'public_references', 'payment_attempts', 'gateway_configurations']
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
const GATEWAY_TOKENS = `
alter table gateway_tokens enable row level security;
alter table gateway_tokens force row level security;
create policy system on gateway_tokens to lenden_system using (true) with check (true);
create policy operator on gateway_tokens to lenden_operator using (true) with check (true);
grant select, insert, update on gateway_tokens to lenden_operator;
`;
