import { Migration } from '@mikro-orm/migrations';

/** Several published contracts over the one core: which of them a credential, a payment and an event speak. */
export class ContractsMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
    this.addSql(LOOKUP);
  }
}

const CONTRACT = `contract text not null default 'native' check (contract in ('native', 'ownpay', 'shadhinpay'))`;

const CHANGES = [
  `alter table payments
    add column ${CONTRACT},
    -- The merchant's own number of the order; what OwnPay calls order_id. It need not be unique.
    add column merchant_reference text,
    add column cancel_url text,
    -- JSON as it was sent, numbers to the digit, which jsonb would not take whatever they are.
    add column metadata text check (octet_length(metadata) <= 65536)`,
  `alter table credentials
    add column ${CONTRACT},
    add column label text,
    -- What of a key may be shown.
    add column prefix text,
    -- Null: the contract knows no scopes.
    add column scopes text[]`,
  // A key with enough randomness of its own needs no secret beside it.
  `alter table credentials alter column secret_hash drop not null`,
  `alter table credentials add constraint credentials_secret_check check (contract <> 'native' or secret_hash is not null)`,
  `alter table webhook_events add column ${CONTRACT}`,
];

const LOOKUP = `
grant create on schema public to lenden_system;
drop function lenden_find_credential(bytea);
create function lenden_find_credential(hash bytea)
  returns table (credential_id bigint, application_id bigint, mode text, contract text, scopes text[], secret_hash text, usable boolean, name text,
    return_origins text[], expiry_minutes integer, rate_limit_per_minute integer, receipts_enabled boolean, min_amount_minor bigint,
    max_amount_minor bigint, gateways_allowed text[])
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select c.id, a.id, c.mode, c.contract, c.scopes, c.secret_hash,
      c.status = 'ACTIVE' and (c.expires_at is null or c.expires_at > now()) and a.status = 'ACTIVE',
      a.name, a.return_origins, a.expiry_minutes, a.rate_limit_per_minute, a.receipts_enabled, a.min_amount_minor, a.max_amount_minor,
      a.gateways_allowed
    from public.credentials c join public.applications a on a.id = c.application_id where c.key_hash = hash $$;
alter function lenden_find_credential(bytea) owner to lenden_system;
revoke create on schema public from lenden_system;
revoke all on function lenden_find_credential(bytea) from public;
grant execute on function lenden_find_credential(bytea) to lenden_app, lenden_system;
`;
