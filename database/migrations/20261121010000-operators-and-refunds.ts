import { Migration } from '@mikro-orm/migrations';

/** The people who run the service, what they may do and what they did; refunds, decisions on money, and gateway credentials in rows. */
export class OperatorsAndRefundsMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(ROLE);
    this.addSql(OPERATOR_SCOPE);
    for (const statement of [...CHANGES, ...TABLES]) {
      this.addSql(statement);
    }
    // Before row-level security, which holds for the owner, too.
    this.addSql(SEEDED_ROLES);
    for (const name of OPERATORS_ALONE) {
      this.addSql(protectAlone(name));
    }
    for (const table of TENANT_TABLES) {
      this.addSql(protect(table));
    }
    for (const table of VISIBLE_TO_OPERATORS) {
      this.addSql(show(table));
    }
    this.addSql(APPEND_ONLY);
  }
}

/** What an operator's request runs as: rows of the applications that his grants name, in both modes. */
const ROLE = `
do $$
declare privilege text;
begin
  begin create role lenden_operator nologin; exception when duplicate_object or unique_violation then null; end;
  privilege := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
  if not pg_has_role(current_user, 'lenden_operator', privilege) then execute format('grant lenden_operator to %I', current_user); end if;
end $$;
grant usage on schema public to lenden_operator;
`;

/** `lenden.apps` is '*' for every application, an array of ids otherwise; absent or empty hides every row. */
const OPERATOR_SCOPE = `
create function lenden_sees_every_app() returns boolean language sql stable parallel safe
  as $$ select coalesce(current_setting('lenden.apps', true), '') = '*' $$;
create function lenden_seen_apps() returns bigint[] language sql stable parallel safe
  as $$ select case when coalesce(current_setting('lenden.apps', true), '') in ('', '*') then '{}'::bigint[]
    else current_setting('lenden.apps', true)::bigint[] end $$;
`;

const MODE = `mode text not null check (mode in ('TEST', 'LIVE'))`;
const ID = `id bigint generated always as identity primary key`;
const CREATED = `created_at timestamptz not null default now()`;
const UPDATED = `updated_at timestamptz not null default now()`;
const CURRENCY = `currency text not null check (currency ~ '^[A-Z]{3}$')`;

const CHANGES = [
  `alter table applications
  add column refund_approval_threshold_minor bigint check (refund_approval_threshold_minor >= 0),
  add column gateways_allowed text[]`,
  `alter table unapplied_payments drop constraint unapplied_payments_status_check`,
  `alter table unapplied_payments add constraint unapplied_payments_status_check check (status in ('HELD', 'REFUNDING', 'REFUNDED', 'KEPT'))`,
  `alter table unapplied_payments add unique (id, application_id, mode)`,
  `alter table idempotency_keys add column refund_id bigint`,
  `drop index webhook_events_next_sweep_at_idx`,
  // Whatever is to be looked at: given-up events that are wanted again, too.
  `create index on webhook_events (next_sweep_at) where next_sweep_at is not null`,
  `create index on payments (application_id, mode, id desc)`,
  `create index on payments (created_at desc, id desc)`,
  `create index on gateway_callbacks (created_at desc, id desc)`,
  `create index on webhook_events (created_at desc, id desc)`,
  `create index on unapplied_payments (status, id desc)`,
];

const TABLES = [
  `create table operators (
    ${ID},
    -- Lower case: an address is one person, however it is typed.
    email text not null unique check (email = lower(email) and length(email) between 3 and 254),
    name text not null check (length(name) between 1 and 120),
    password_hash text not null,
    password_changed_at timestamptz not null default now(),
    -- Given by somebody else: it opens nothing but the way to an own one, and only for some days.
    password_temporary boolean not null default false,
    status text not null default 'ACTIVE' check (status in ('ACTIVE', 'DISABLED')),
    -- Sealed. Set when a second factor is being set up, confirmed by its first right code.
    totp_secret text,
    totp_confirmed_at timestamptz,
    -- The time step of the last code that was taken: none is taken twice.
    totp_last_step bigint,
    last_login_at timestamptz,
    ${CREATED}, ${UPDATED}
  )`,
  `create table operator_recovery_codes (
    ${ID},
    operator_id bigint not null references operators,
    salt bytea not null check (octet_length(salt) = 16),
    code_hash bytea not null check (octet_length(code_hash) = 32),
    used_at timestamptz,
    ${CREATED},
    unique (operator_id, code_hash)
  )`,
  `create table operator_sessions (
    ${ID},
    operator_id bigint not null references operators,
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    kind text not null check (kind in ('BEARER', 'COOKIE')),
    address text,
    user_agent text check (length(user_agent) <= 256),
    reauthenticated_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    ended_reason text,
    ${CREATED}
  )`,
  `create index on operator_sessions (operator_id, address)`,
  `create table login_throttles (
    -- A hash of what is throttled, an account or an address: the table tells nobody's address.
    subject bytea primary key check (octet_length(subject) = 32),
    failures integer not null check (failures > 0),
    blocked_until timestamptz,
    last_failure_at timestamptz not null
  )`,
  `create table roles (
    ${ID},
    name text not null unique check (length(name) between 1 and 60),
    description text not null default '' check (length(description) <= 300),
    seeded boolean not null default false,
    -- Skips the permission check, whatever permissions exist: the Super Admin's role only.
    everything boolean not null default false,
    permissions text[] not null default '{}',
    ${CREATED}, ${UPDATED}
  )`,
  `create table operator_grants (
    ${ID},
    operator_id bigint not null references operators,
    role_id bigint not null references roles,
    -- Null: in every application.
    application_id bigint references applications,
    ${CREATED},
    unique nulls not distinct (operator_id, role_id, application_id)
  )`,
  `create index on operator_grants (role_id)`,
  `create table settings (
    name text primary key,
    value jsonb not null,
    ${UPDATED}
  )`,
  `create table gateway_configurations (
    ${ID},
    -- Null: for every application that has none of its own.
    application_id bigint references applications,
    ${MODE},
    gateway text not null,
    store_id text not null check (length(store_id) between 1 and 120),
    -- Sealed; it never comes back.
    store_secret text not null,
    ${CREATED}, ${UPDATED},
    unique nulls not distinct (application_id, mode, gateway)
  )`,
  `create table audit_logs (
    ${ID},
    actor_type text not null check (actor_type in ('USER', 'APP', 'SYSTEM')),
    actor_id bigint,
    -- How the actor was called then: an address, an application's name, a process.
    actor text not null,
    action text not null check (action ~ '^[a-z-]+(\\.[a-z-]+)+$'),
    target_type text not null,
    target_id text not null,
    application_id bigint,
    mode text check (mode in ('TEST', 'LIVE')),
    address text,
    request_id text,
    -- {before?, after?, reason?}: never a secret.
    details jsonb not null default '{}',
    ${CREATED}
  )`,
  `create index on audit_logs (target_type, target_id, id desc)`,
  `create index on audit_logs (actor_type, actor_id, id desc)`,
  `create index on audit_logs (application_id, id desc)`,
  `create table refunds (
    ${ID},
    application_id bigint not null, ${MODE},
    payment_id bigint not null,
    -- Set when money is given back that came late: it was never the payment's.
    unapplied_payment_id bigint,
    reference text not null unique check (reference ~ '^ref_[0-9A-Za-z]{22}$'),
    status text not null check (status in ('AWAITING_APPROVAL', 'PENDING', 'SUCCEEDED', 'FAILED', 'REJECTED')),
    amount_minor bigint not null check (amount_minor > 0),
    ${CURRENCY},
    reason text check (length(reason) <= 500),
    gateway text not null,
    store_id text not null,
    -- The charge that is given back, in the gateway's words.
    gateway_txn_id text not null,
    gateway_refund_id text,
    -- Whether the gateway was ever asked to refund, and whether it said that it had understood.
    queried_at timestamptz, accepted_at timestamptz,
    -- An answer was lost or unclear once: from then on no refusal is believed by itself.
    doubtful boolean not null default false,
    evidence text,
    failure_code text,
    review_reason text,
    review_since timestamptz,
    created_by_type text not null check (created_by_type in ('APP', 'USER', 'SYSTEM')),
    created_by_operator_id bigint references operators,
    approved_by_operator_id bigint references operators,
    approval_due_at timestamptz,
    next_sweep_at timestamptz not null default now() + interval '30 seconds',
    ended_at timestamptz,
    ${CREATED}, ${UPDATED},
    unique (id, application_id, mode),
    foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
    foreign key (unapplied_payment_id, application_id, mode) references unapplied_payments (id, application_id, mode),
    check ((ended_at is null) = (status in ('AWAITING_APPROVAL', 'PENDING'))),
    check ((review_reason is null) = (review_since is null)),
    check ((created_by_type = 'USER') = (created_by_operator_id is not null)),
    -- Four eyes: not even a mistake in the code lets one person ask and approve.
    check (approved_by_operator_id is null or approved_by_operator_id is distinct from created_by_operator_id)
  )`,
  `create index on refunds (payment_id)`,
  `create index on refunds (unapplied_payment_id) where unapplied_payment_id is not null`,
  `create index on refunds (next_sweep_at) where status in ('AWAITING_APPROVAL', 'PENDING')`,
  `create index on refunds (created_at desc, id desc)`,
  `create table decisions (
    ${ID},
    application_id bigint not null, ${MODE},
    kind text not null check (kind in ('refund', 'review', 'unapplied-payment')),
    payment_id bigint not null,
    refund_id bigint,
    unapplied_payment_id bigint,
    decision text not null check (decision in ('approve', 'reject', 'accept', 'refund', 'keep')),
    reason text check (length(reason) <= 500),
    operator_id bigint not null references operators,
    -- Above the threshold a second person must say the same; until then nothing follows from the row.
    needs_second boolean not null default false,
    second_operator_id bigint references operators,
    seconded_at timestamptz,
    consumed_at timestamptz,
    outcome text,
    next_sweep_at timestamptz not null default now() + interval '30 seconds',
    ${CREATED},
    foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
    foreign key (refund_id, application_id, mode) references refunds (id, application_id, mode),
    foreign key (unapplied_payment_id, application_id, mode) references unapplied_payments (id, application_id, mode),
    check ((kind = 'refund') = (refund_id is not null)),
    check ((kind = 'unapplied-payment') = (unapplied_payment_id is not null)),
    check (second_operator_id is null or second_operator_id <> operator_id)
  )`,
  `create unique index on decisions (refund_id) where refund_id is not null and consumed_at is null`,
  `create unique index on decisions (unapplied_payment_id) where unapplied_payment_id is not null and consumed_at is null`,
  `create unique index on decisions (payment_id) where kind = 'review' and consumed_at is null`,
  `create index on decisions (next_sweep_at) where consumed_at is null`,
];

/** Rows of no application: only operators' requests and the system's own work see them. */
const OPERATORS_ALONE = [
  'operators',
  'operator_recovery_codes',
  'operator_sessions',
  'login_throttles',
  'roles',
  'operator_grants',
  'settings',
] as const;

function protectAlone(name: string): string {
  return [
    `alter table ${name} enable row level security`,
    `alter table ${name} force row level security`,
    `create policy operator on ${name} to lenden_operator using (true) with check (true)`,
    `create policy system on ${name} to lenden_system using (true) with check (true)`,
    `grant select, insert, update, delete on ${name} to lenden_operator, lenden_system`,
  ].join(';\n');
}

const BY_APP_AND_MODE = `application_id = (select lenden_scope_app()) and mode = (select lenden_scope_mode())`;
const SEEN = `(select lenden_sees_every_app()) or application_id = any((select lenden_seen_apps())::bigint[])`;

interface TenantTable {
  readonly name: string;
  readonly privileges: string;
  /** What an application's own requests and activities may see. Empty: nothing. */
  readonly scope: string;
}

const TENANT_TABLES: readonly TenantTable[] = [
  { name: 'refunds', privileges: 'select, insert, update', scope: BY_APP_AND_MODE },
  { name: 'decisions', privileges: 'select, insert, update', scope: BY_APP_AND_MODE },
  // A payment through the installation's own store must find its credentials, too.
  {
    name: 'gateway_configurations',
    privileges: 'select',
    scope: `(application_id is null or application_id = (select lenden_scope_app())) and mode = (select lenden_scope_mode())`,
  },
  { name: 'audit_logs', privileges: 'insert', scope: `application_id = (select lenden_scope_app())` },
];

function protect({ name, privileges, scope }: TenantTable): string {
  const everything = name === 'audit_logs' ? 'select, insert' : 'select, insert, update';
  return [
    `alter table ${name} enable row level security`,
    `alter table ${name} force row level security`,
    `create policy system on ${name} to lenden_system using (true) with check (true)`,
    `grant ${everything} on ${name} to lenden_system`,
    `create policy scope on ${name} to lenden_app using (${scope}) with check (${scope})`,
    `grant ${privileges} on ${name} to lenden_app`,
  ].join(';\n');
}

interface VisibleTable {
  readonly name: string;
  readonly privileges: string;
  readonly seen?: string;
}

const VISIBLE_TO_OPERATORS: readonly VisibleTable[] = [
  {
    name: 'applications',
    privileges: 'select, insert, update',
    seen: `(select lenden_sees_every_app()) or id = any((select lenden_seen_apps())::bigint[])`,
  },
  { name: 'credentials', privileges: 'select, insert, update' },
  { name: 'webhook_endpoints', privileges: 'select, insert, update' },
  { name: 'gateway_configurations', privileges: 'select, insert, update, delete' },
  { name: 'payments', privileges: 'select' },
  { name: 'payment_attempts', privileges: 'select' },
  { name: 'gateway_callbacks', privileges: 'select' },
  { name: 'unapplied_payments', privileges: 'select' },
  { name: 'refunds', privileges: 'select' },
  { name: 'decisions', privileges: 'select' },
  { name: 'webhook_events', privileges: 'select, update' },
  { name: 'webhook_attempts', privileges: 'select' },
  { name: 'ledger_accounts', privileges: 'select' },
  { name: 'ledger_transactions', privileges: 'select' },
  { name: 'ledger_postings', privileges: 'select' },
  { name: 'audit_logs', privileges: 'select, insert' },
];

function show({ name, privileges, seen = SEEN }: VisibleTable): string {
  return [
    `create policy operator on ${name} to lenden_operator using (${seen}) with check (${seen})`,
    `grant ${privileges} on ${name} to lenden_operator`,
  ].join(';\n');
}

/** What was done stays written: nobody changes or removes a row of the log, the owner included. */
const APPEND_ONLY = `
create function lenden_refuse_rewriting() returns trigger language plpgsql
  as $$ begin raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation'; end $$;
create trigger append_only before update or delete or truncate on audit_logs
  for each statement execute function lenden_refuse_rewriting();
-- Whoever acts in no application's name (a login, a role) is still written down.
create policy anybody on audit_logs for insert to lenden_operator with check (true);
`;

const SEEDED_ROLES = `
insert into roles (name, description, seeded, everything, permissions) values
  ('Super Admin', 'Owns the platform; skips the permission check', true, true, '{}'),
  ('Admin', 'Heads operations: applications, operators, refunds', true, false,
   '{app:read,app:manage,user:read,user:manage,payment:read,payment:export,payment:review,refund:read,refund:create,refund:approve,report:read,audit:read}'),
  ('Finance', 'Approves refunds, decides on money, reports and reconciles', true, false,
   '{app:read,payment:read,payment:export,payment:review,refund:read,refund:approve,report:read}'),
  ('Support', 'Helps payers: sees payments and refunds, starts refunds', true, false,
   '{app:read,payment:read,refund:read,refund:create}'),
  ('Viewer', 'Looks on', true, false, '{app:read,payment:read,report:read}');
`;
