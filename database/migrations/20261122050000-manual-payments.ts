import { Migration } from '@mikro-orm/migrations';

/** Payments without a gateway: what payers write of their transactions, and which of these operators have found to be money. */
export class ManualPaymentsMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
  }
}

const OWNED = `application_id bigint not null, mode text not null check (mode in ('TEST', 'LIVE'))`;

const TABLES = [
  // A correction is one more row; the newest counts.
  `create table manual_submissions (
    id bigint generated always as identity primary key,
    ${OWNED},
    payment_id bigint not null,
    attempt_id bigint not null,
    -- As the payer wrote it.
    transaction text not null check (length(transaction) between 4 and 64),
    -- As it is compared.
    normalized text not null check (length(normalized) between 4 and 64),
    sender text check (length(sender) between 1 and 120),
    created_at timestamptz not null default now(),
    unique (id, application_id, mode),
    foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
    foreign key (attempt_id, application_id, mode) references payment_attempts (id, application_id, mode)
  )`,
  `create index on manual_submissions (attempt_id, id desc)`,
  `create index on manual_submissions (mode, normalized)`,
  `create index on manual_submissions (created_at desc, id desc)`,
  `alter table decisions
    add column manual_submission_id bigint,
    add foreign key (manual_submission_id, application_id, mode) references manual_submissions (id, application_id, mode),
    drop constraint decisions_kind_check,
    add constraint decisions_kind_check check (kind in ('refund', 'review', 'unapplied-payment', 'manual')),
    add check ((kind = 'manual') = (manual_submission_id is not null))`,
  `create index on decisions (manual_submission_id) where manual_submission_id is not null`,
  `create unique index on decisions (manual_submission_id) where manual_submission_id is not null and consumed_at is null`,
  // One transaction into one account pays for one thing, whoever decides at the same moment.
  `create table manual_confirmations (
    ${OWNED},
    store_id text not null,
    normalized text not null,
    submission_id bigint not null unique,
    decision_id bigint not null references decisions,
    created_at timestamptz not null default now(),
    primary key (mode, store_id, normalized),
    foreign key (submission_id, application_id, mode) references manual_submissions (id, application_id, mode)
  )`,
];

const SCOPE = `application_id = (select lenden_scope_app()) and mode = (select lenden_scope_mode())`;
const SEEN = `(select lenden_sees_every_app()) or application_id = any((select lenden_seen_apps())::bigint[])`;

/** What was written stays: not even the owner changes a row. */
function protect(name: string): string {
  return [
    `alter table ${name} enable row level security`,
    `alter table ${name} force row level security`,
    `create policy system on ${name} to lenden_system using (true) with check (true)`,
    `grant select on ${name} to lenden_system`,
    `create policy scope on ${name} to lenden_app using (${SCOPE}) with check (${SCOPE})`,
    `grant select, insert on ${name} to lenden_app`,
    `create policy operator on ${name} to lenden_operator using (${SEEN}) with check (${SEEN})`,
    `grant select on ${name} to lenden_operator`,
    `create trigger append_only before update or delete or truncate on ${name}
      for each statement execute function lenden_refuse_rewriting()`,
  ].join(';\n');
}

const CHANGES = [...TABLES, protect('manual_submissions'), protect('manual_confirmations')];
