import { Migration } from '@mikro-orm/migrations';

/** What keeps one person from defeating the second: thresholds per currency, sums per person, changes that wait, and links that set passwords. */
export class FourEyesMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of STATEMENTS) {
      this.addSql(statement);
    }
  }
}

const SCOPE = `application_id = (select lenden_scope_app()) and mode = (select lenden_scope_mode())`;
const SEEN = `(select lenden_sees_every_app()) or application_id = any((select lenden_seen_apps())::bigint[])`;

const STATEMENTS = [
  `alter table applications
    -- Minor units by currency; BDT has a column of its own.
    add column refund_approval_thresholds jsonb not null default '{}'`,
  `alter table decisions
    -- How much money the operator decided on; null where the word moves none of its own.
    add column amount_minor bigint check (amount_minor > 0),
    add column currency text,
    add check ((amount_minor is null) = (currency is null))`,
  `create index on refunds (application_id, mode, created_by_operator_id, created_at) where created_by_operator_id is not null`,
  `create index on decisions (application_id, mode, operator_id, created_at)`,

  // Locked while an operator's sum is read and added to, so that two requests at once do not both stay below the threshold.
  `create table acting_operators (
    application_id bigint not null references applications,
    mode text not null check (mode in ('TEST', 'LIVE')),
    operator_id bigint not null references operators,
    acted_at timestamptz not null default now(),
    primary key (application_id, mode, operator_id)
  )`,
  `alter table acting_operators enable row level security`,
  `alter table acting_operators force row level security`,
  `create policy scope on acting_operators to lenden_app using (${SCOPE}) with check (${SCOPE})`,
  `grant select, insert, update on acting_operators to lenden_app`,

  `create table pending_changes (
    id bigint generated always as identity primary key,
    -- Null: the installation's.
    application_id bigint references applications,
    mode text check (mode in ('TEST', 'LIVE')),
    kind text not null check (kind in ('application-settings', 'gateway-store', 'gateway-store-retirement', 'operator-roles', 'operator-access',
      'operator-enabling', 'role')),
    target_type text not null,
    target_id text not null,
    -- What people compare; never a secret.
    before jsonb not null,
    after jsonb not null,
    -- What the target was when the change was proposed, where before does not tell it all.
    fingerprint text,
    -- Sealed; taken away when the change is decided.
    secret text,
    status text not null default 'PENDING' check (status in ('PENDING', 'CONFIRMED', 'REJECTED', 'WITHDRAWN')),
    proposed_by_operator_id bigint not null references operators,
    decided_by_operator_id bigint references operators,
    reason text check (length(reason) <= 500),
    expires_at timestamptz not null default now() + interval '7 days',
    decided_at timestamptz,
    created_at timestamptz not null default now(),
    check ((status = 'PENDING') = (decided_at is null)),
    check ((decided_by_operator_id is null) = (decided_at is null)),
    -- Four eyes: not even a mistake in the code lets one person propose and confirm.
    check (status <> 'CONFIRMED' or decided_by_operator_id <> proposed_by_operator_id),
    check (secret is null or status = 'PENDING')
  )`,
  `create index on pending_changes (target_type, target_id) where status = 'PENDING'`,
  `create index on pending_changes (created_at desc, id desc)`,
  `alter table pending_changes enable row level security`,
  `alter table pending_changes force row level security`,
  `create policy system on pending_changes to lenden_system using (true) with check (true)`,
  `grant select, update on pending_changes to lenden_system`,
  `create policy operator on pending_changes to lenden_operator using (${SEEN}) with check (${SEEN})`,
  // A secret goes in and never comes back: operators' requests cannot read the column.
  `grant select (id, application_id, mode, kind, target_type, target_id, before, after, fingerprint, status, proposed_by_operator_id,
      decided_by_operator_id, reason, expires_at, decided_at, created_at),
    insert, update (secret, status, decided_by_operator_id, reason, decided_at) on pending_changes to lenden_operator`,
  `grant create on schema public to lenden_system`,
  `create function lenden_pending_secret(wanted bigint) returns text
    language sql stable security definer set search_path = pg_catalog, public
    as $$ select secret from public.pending_changes where id = wanted and status = 'PENDING' and expires_at > now() $$`,
  `alter function lenden_pending_secret(bigint) owner to lenden_system`,
  `revoke create on schema public from lenden_system`,
  `revoke all on function lenden_pending_secret(bigint) from public`,
  `grant execute on function lenden_pending_secret(bigint) to lenden_app`,

  // An operator has none before the first link is used.
  `alter table operators alter column password_hash drop not null`,
  `create table operator_links (
    operator_id bigint primary key references operators,
    -- Of the link that was shown or sent last; null before the first one.
    token_hash bytea unique check (octet_length(token_hash) = 32),
    expires_at timestamptz,
    -- Null: no mail is to be sent.
    email_due_at timestamptz,
    email_tries integer not null default 0,
    created_at timestamptz not null default now(),
    check ((token_hash is null) = (expires_at is null))
  )`,
  `create index on operator_links (email_due_at) where email_due_at is not null`,
  `alter table operator_links enable row level security`,
  `alter table operator_links force row level security`,
  `create policy operator on operator_links to lenden_operator using (true) with check (true)`,
  `create policy system on operator_links to lenden_system using (true) with check (true)`,
  `grant select, insert, update, delete on operator_links to lenden_operator, lenden_system`,
];
