import { Migration } from '@mikro-orm/migrations';

/** Where payers pay when nobody names a gateway: an operator's setting of the application. */
export class CheckoutGatewaysMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
  }
}

const LOOKUP = `
grant create on schema public to lenden_system;
drop function lenden_find_credential(bytea);
create function lenden_find_credential(hash bytea)
  returns table (credential_id bigint, application_id bigint, mode text, contract text, scopes text[], secret_hash text, usable boolean, name text,
    return_origins text[], expiry_minutes integer, rate_limit_per_minute integer, receipts_enabled boolean, min_amount_minor bigint,
    max_amount_minor bigint, gateways_allowed text[], checkout_gateways text[])
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select c.id, a.id, c.mode, c.contract, c.scopes, c.secret_hash,
      c.status = 'ACTIVE' and (c.expires_at is null or c.expires_at > now()) and a.status = 'ACTIVE',
      a.name, a.return_origins, a.expiry_minutes, a.rate_limit_per_minute, a.receipts_enabled, a.min_amount_minor, a.max_amount_minor,
      a.gateways_allowed, a.checkout_gateways
    from public.credentials c join public.applications a on a.id = c.application_id where c.key_hash = hash $$;
alter function lenden_find_credential(bytea) owner to lenden_system;
revoke create on schema public from lenden_system;
revoke all on function lenden_find_credential(bytea) from public;
grant execute on function lenden_find_credential(bytea) to lenden_app, lenden_system;
`;

const CHANGES = [
  `alter table applications
    -- In the order in which the payer sees them. Null: the default gateway alone.
    add column checkout_gateways text[] check (cardinality(checkout_gateways) between 1 and 20)`,
  LOOKUP,
];
