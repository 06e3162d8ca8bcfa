import { Migration } from '@mikro-orm/migrations';

/**
 * Stores at gateways are kept when they are replaced: payments that were begun there are asked about, and refunded, with their credentials.
 */
export class GatewayStoresMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
    this.addSql(STORES);
    this.addSql(LOOKUPS);
  }
}

const CHANGES = [
  `alter table gateway_configurations drop constraint gateway_configurations_application_id_mode_gateway_key`,
  `alter table gateway_configurations add column retired_at timestamptz`,
  `alter table gateway_configurations add unique nulls not distinct (application_id, mode, gateway, store_id)`,
  // One of them opens new checkouts.
  `create unique index on gateway_configurations (application_id, mode, gateway) nulls not distinct where retired_at is null`,
  // A secret goes in and never comes back: operators' requests cannot read the column.
  `revoke select, update, delete on gateway_configurations from lenden_operator`,
  `grant select (id, application_id, mode, gateway, store_id, retired_at, created_at, updated_at),
     update (store_secret, retired_at, updated_at) on gateway_configurations to lenden_operator`,
  // Which store the installation uses may be known to whoever sees an application; only who sees all of them changes it.
  `create policy installation on gateway_configurations for select to lenden_operator using (application_id is null)`,
];

/** An application's own store goes before the installation's. Row-level security decides what the caller sees of them. */
const STORES = `
create function lenden_store_for(for_application bigint, in_mode text, at_gateway text) returns text
  language sql stable set search_path = pg_catalog, public
  as $$ select store_id from public.gateway_configurations
    where (application_id = for_application or application_id is null) and mode = in_mode and gateway = at_gateway and retired_at is null
    order by application_id nulls last limit 1 $$;
create function lenden_store_secret(for_application bigint, in_mode text, at_gateway text, at_store text) returns text
  language sql stable set search_path = pg_catalog, public
  as $$ select store_secret from public.gateway_configurations
    where (application_id = for_application or application_id is null) and mode = in_mode and gateway = at_gateway and store_id = at_store
    order by application_id nulls last limit 1 $$;
`;

/** A callback is checked before its scope is known, by the secret of the store that its attempt was opened at: sealed, so of use to nobody else. */
const LOOKUPS = `
grant create on schema public to lenden_system;
drop function lenden_find_attempt(text, text);
create function lenden_find_attempt(at_gateway text, wanted text)
  returns table (attempt_id bigint, payment_id bigint, application_id bigint, mode text, store_id text, store_secret text)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select a.id, a.payment_id, a.application_id, a.mode, a.store_id,
      lenden_store_secret(a.application_id, a.mode, a.gateway, a.store_id)
    from public.payment_attempts a where a.reference = wanted and a.gateway = at_gateway $$;
drop function lenden_find_credential(bytea);
create function lenden_find_credential(hash bytea)
  returns table (credential_id bigint, application_id bigint, mode text, secret_hash text, usable boolean, name text, return_origins text[],
    expiry_minutes integer, rate_limit_per_minute integer, receipts_enabled boolean, min_amount_minor bigint, max_amount_minor bigint,
    gateways_allowed text[])
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select c.id, a.id, c.mode, c.secret_hash,
      c.status = 'ACTIVE' and (c.expires_at is null or c.expires_at > now()) and a.status = 'ACTIVE',
      a.name, a.return_origins, a.expiry_minutes, a.rate_limit_per_minute, a.receipts_enabled, a.min_amount_minor, a.max_amount_minor,
      a.gateways_allowed
    from public.credentials c join public.applications a on a.id = c.application_id where c.key_hash = hash $$;
alter function lenden_find_credential(bytea) owner to lenden_system;
alter function lenden_find_attempt(text, text) owner to lenden_system;
revoke create on schema public from lenden_system;
revoke all on function lenden_find_credential(bytea), lenden_find_attempt(text, text) from public;
grant execute on function lenden_find_credential(bytea), lenden_find_attempt(text, text) to lenden_app, lenden_system;
`;
