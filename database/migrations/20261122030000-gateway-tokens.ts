import { Migration } from '@mikro-orm/migrations';

/** Tokens that a gateway gives only a few of an hour: one for all processes, and one of them at a time fetches the next. */
export class GatewayTokensMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(TABLE);
    this.addSql('grant select, insert, update on gateway_tokens to lenden_system');
  }
}

const TABLE = `create table gateway_tokens (
  id bigint generated always as identity primary key,
  -- A digest of the account's address and credentials.
  account text not null unique check (length(account) between 1 and 200),
  -- The token and the calls of the last hour; null until the first one.
  sealed text check (octet_length(sealed) <= 65536),
  taken_by uuid,
  taken_until timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check ((taken_by is null) = (taken_until is null))
)`;
