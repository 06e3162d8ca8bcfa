/**
 * The database roles. Roles belong to the cluster, not to the database, so they may already exist. The runtime roles own nothing:
 *
 * - `lenden_app` runs the requests and activities of one application;
 * - `lenden_operator` runs an operator's request, and sees the applications that the operator's grants name;
 * - `lenden_system` sees every application: sweeper, sealing, retention, verify;
 * - `lenden_lookup` owns the functions that read across applications. It cannot log in.
 */
export const ROLES = [
  `do $$
declare role_name text; privilege text;
begin
  -- Since PostgreSQL 16 whoever creates a role may administer it, but not act as it until that is granted, too.
  privilege := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
  foreach role_name in array array['lenden_app', 'lenden_operator', 'lenden_system', 'lenden_lookup'] loop
    begin execute format('create role %I nologin', role_name); exception when duplicate_object or unique_violation then null; end;
    if not pg_has_role(current_user, role_name, privilege) then execute format('grant %I to %I', role_name, current_user); end if;
  end loop;
end $$`,
  `grant usage on schema public to lenden_app, lenden_operator, lenden_system, lenden_lookup`,
];

/**
 * Functions that return whose rows a transaction sees. `lenden.app` and `lenden.mode` name one application and mode. `lenden.apps` is '*' for every
 * application, or an array of ids. If a setting is absent or empty, every row is hidden. On a pooled connection a setting reads as '' after the
 * first transaction, hence `nullif`.
 */
export const SCOPES = [
  `create function lenden_scope_app() returns bigint language sql stable parallel safe
  as $$ select nullif(current_setting('lenden.app', true), '')::bigint $$`,
  `create function lenden_scope_mode() returns text language sql stable parallel safe
  as $$ select nullif(current_setting('lenden.mode', true), '') $$`,
  `create function lenden_sees_every_app() returns boolean language sql stable parallel safe
  as $$ select coalesce(current_setting('lenden.apps', true), '') = '*' $$`,
  `create function lenden_seen_apps() returns bigint[] language sql stable parallel safe
  as $$ select case when coalesce(current_setting('lenden.apps', true), '') in ('', '*') then '{}'::bigint[]
    else current_setting('lenden.apps', true)::bigint[] end $$`,
  // Returns the current time for a row: the database's time plus the offset of the row's test clock.
  `create function lenden_now(clock_offset interval) returns timestamptz language sql stable parallel safe
  as $$ select now() + clock_offset $$`,
  // Corrections are new rows. Even the owner can change a row only after disabling the trigger, and the ledger's seals would reveal that.
  `create function lenden_refuse_change() returns trigger language plpgsql
  as $$ begin raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation'; end $$`,
];

/** An owner that is not a superuser can transfer a function only to a role that may create functions in the schema. */
export const FUNCTION_OWNER_MAY_CREATE = `grant create on schema public to lenden_lookup`;
export const FUNCTION_OWNER_MAY_NOT_CREATE = `revoke create on schema public from lenden_lookup`;

/** Returns the statements that make a `security definer` function run as `lenden_lookup`, and only for the named role. */
export function ownedByLookup(signature: string, caller: 'lenden_app' | 'lenden_operator' | null): string[] {
  return [
    `alter function ${signature} owner to lenden_lookup`,
    `revoke all on function ${signature} from public`,
    ...(caller === null ? [] : [`grant execute on function ${signature} to ${caller}`]),
  ];
}
