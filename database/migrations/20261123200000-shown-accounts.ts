import { Migration } from '@mikro-orm/migrations';

/** A second person sees the account that payers are shown. */
export class ShownAccountsMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of STATEMENTS) {
      this.addSql(statement);
    }
  }
}

const STATEMENTS = [
  // What is kept for a store at `manual` is no secret: payers read it. No operator's request reads what is kept for a store at any other gateway.
  `create function lenden_shown_account(wanted bigint) returns text
    language sql stable security definer set search_path = pg_catalog, public
    as $$ select key::text || ':' || store_secret from public.gateway_configurations where id = wanted and gateway = 'manual' $$`,
  'grant create on schema public to lenden_lookup',
  'alter function lenden_shown_account(bigint) owner to lenden_lookup',
  'revoke create on schema public from lenden_lookup',
  'revoke all on function lenden_shown_account(bigint) from public',
  'grant execute on function lenden_shown_account(bigint) to lenden_operator',
];
