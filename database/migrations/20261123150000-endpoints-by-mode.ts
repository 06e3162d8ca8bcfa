import { Migration } from '@mikro-orm/migrations';

/**
 * A webhook endpoint belongs to an application and a mode, and so do its secrets: nothing of TEST is signed as LIVE, and a TEST receiver that is
 * gone disables nothing of LIVE. Secrets have rows of their own, so that each lasts as long as it was promised.
 */
export class EndpointsByModeMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
  }
}

const SCOPED = `application_id = (select lenden_scope_app()) and mode = (select lenden_scope_mode())`;
const SEEN = `(select lenden_sees_every_app()) or application_id = any((select lenden_seen_apps())::bigint[])`;

const CHANGES = [
  `alter table webhook_endpoints
    drop constraint webhook_endpoints_pkey,
    drop column signing_secret,
    drop column previous_signing_secret,
    drop column previous_secret_expires_at,
    add column mode text not null check (mode in ('TEST', 'LIVE')),
    -- TEST is sent to LIVE's URL until it has one of its own.
    add column follows_live boolean not null default false check (mode = 'TEST' or not follows_live),
    add primary key (application_id, mode)`,
  `create table webhook_signing_secrets (
    id bigint generated always as identity primary key,
    application_id bigint not null,
    mode text not null,
    -- Null once it has expired.
    sealed text,
    -- SHA-256 of the secret. One that served a mode never serves another, and never comes back.
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    -- Null: the one that is current. A former one signs until then.
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    check (sealed is not null or expires_at is not null),
    unique (application_id, fingerprint),
    foreign key (application_id, mode) references webhook_endpoints (application_id, mode)
  )`,
  `create unique index webhook_signing_secrets_current on webhook_signing_secrets (application_id, mode) where expires_at is null`,
  `create index on webhook_signing_secrets (application_id, mode, expires_at)`,
  `drop policy scope on webhook_endpoints`,
  `create policy scope on webhook_endpoints to lenden_app using (${SCOPED}) with check (${SCOPED})`,
  `alter table webhook_signing_secrets enable row level security`,
  `alter table webhook_signing_secrets force row level security`,
  `create policy system on webhook_signing_secrets to lenden_system using (true) with check (true)`,
  `grant select, insert, update on webhook_signing_secrets to lenden_system`,
  `create policy scope on webhook_signing_secrets to lenden_app using (${SCOPED}) with check (${SCOPED})`,
  `grant select on webhook_signing_secrets to lenden_app`,
  `create policy operator on webhook_signing_secrets to lenden_operator using (${SEEN}) with check (${SEEN})`,
  `grant select, insert, update on webhook_signing_secrets to lenden_operator`,
];
