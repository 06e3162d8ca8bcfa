import { Migration } from '@mikro-orm/migrations';

/** Everything that a payment needs: applications, credentials, payments, evidence, ledger, webhooks, idempotency. */
export class InitialMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(ROLES);
    this.addSql(SCOPE_FUNCTIONS);
    for (const table of TABLES) {
      this.addSql(table);
    }
    for (const { name, privileges, scope } of TENANT_TABLES) {
      this.addSql(protect({ name, privileges, scope }));
    }
    this.addSql(LOOKUPS);
    this.addSql(APPEND_ONLY);
  }
}

/**
 * Roles belong to the cluster, not to the database, so they may exist already. `lenden_app` is what every request and
 * activity runs as; `lenden_system` sees all applications and is used by the sweeper, sealing and verify only.
 */
const ROLES = `
do $$
declare privilege text;
begin
  begin create role lenden_app nologin; exception when duplicate_object or unique_violation then null; end;
  begin create role lenden_system nologin; exception when duplicate_object or unique_violation then null; end;
  -- Since PostgreSQL 16 whoever creates a role may administer it, but not act as it until that is granted, too.
  privilege := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
  if not pg_has_role(current_user, 'lenden_app', privilege) then execute format('grant lenden_app to %I', current_user); end if;
  if not pg_has_role(current_user, 'lenden_system', privilege) then execute format('grant lenden_system to %I', current_user); end if;
end $$;
grant usage on schema public to lenden_app, lenden_system;
`;

/** A pooled connection answers '' after its first transaction, hence nullif; stable functions in a sub-select run once a statement. */
const SCOPE_FUNCTIONS = `
create function lenden_scope_app() returns bigint language sql stable parallel safe
  as $$ select nullif(current_setting('lenden.app', true), '')::bigint $$;
create function lenden_scope_mode() returns text language sql stable parallel safe
  as $$ select nullif(current_setting('lenden.mode', true), '') $$;
`;

const MODE = `mode text not null check (mode in ('TEST', 'LIVE'))`;
const ID = `id bigint generated always as identity primary key`;
const CREATED = `created_at timestamptz not null default now()`;
const UPDATED = `updated_at timestamptz not null default now()`;
const CURRENCY = `currency text not null check (currency ~ '^[A-Z]{3}$')`;

const TABLES = [
  `create table applications (
    ${ID},
    name text not null check (length(name) between 1 and 120),
    status text not null default 'ACTIVE' check (status in ('ACTIVE', 'DISABLED')),
    return_origins text[] not null default '{}',
    expiry_minutes integer not null default 30 check (expiry_minutes between 1 and 10080),
    rate_limit_per_minute integer not null default 1000 check (rate_limit_per_minute > 0),
    receipts_enabled boolean not null default false,
    min_amount_minor bigint check (min_amount_minor > 0),
    max_amount_minor bigint check (max_amount_minor > 0),
    unapplied_payment_policy text not null default 'REVIEW' check (unapplied_payment_policy in ('REVIEW', 'REFUND')),
    customer_defaults jsonb not null default '{}',
    ${CREATED}, ${UPDATED}
  )`,
  `create table credentials (
    ${ID},
    application_id bigint not null references applications,
    ${MODE},
    key_hash bytea not null unique check (octet_length(key_hash) = 32),
    secret_hash text not null,
    status text not null default 'ACTIVE' check (status in ('ACTIVE', 'REVOKED')),
    expires_at timestamptz,
    last_used_at timestamptz,
    ${CREATED}
  )`,
  `create index on credentials (application_id, mode)`,
  `create table webhook_endpoints (
    application_id bigint primary key references applications,
    url text check (length(url) <= 2048),
    signing_secret text not null,
    previous_signing_secret text,
    previous_secret_expires_at timestamptz,
    disabled_at timestamptz,
    disabled_reason text,
    failing_since timestamptz,
    consecutive_failures integer not null default 0,
    circuit_open_until timestamptz,
    ${CREATED}, ${UPDATED}
  )`,
  `create table payments (
    ${ID},
    application_id bigint not null references applications,
    ${MODE},
    reference text not null unique,
    status text not null default 'CREATED' check (status in
      ('CREATED', 'PENDING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED', 'PARTIALLY_REFUNDED', 'REFUNDED')),
    amount_minor bigint not null check (amount_minor > 0 and amount_minor <= 9007199254740991),
    ${CURRENCY},
    customer_reference text not null,
    customer_email text, customer_phone text, customer_name text,
    product_name text,
    return_url text,
    gateway text not null,
    gateway_txn_id text,
    gateway_redirect_url text,
    invoice_id bigint,
    failure_code text,
    review_reason text,
    review_since timestamptz,
    cancel_requested_at timestamptz,
    expires_at timestamptz not null,
    paid_at timestamptz,
    ended_at timestamptz,
    fee_minor bigint check (fee_minor >= 0),
    event_sequence integer not null default 0,
    callback_signalled_at timestamptz,
    last_signalled_at timestamptz,
    last_unsigned_signalled_at timestamptz,
    next_sweep_at timestamptz not null,
    ${CREATED}, ${UPDATED},
    unique (id, application_id, mode),
    check ((review_reason is null) = (review_since is null)),
    check ((paid_at is not null) = (status in ('SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED'))),
    check ((ended_at is null) = (status in ('CREATED', 'PENDING')))
  )`,
  `create index on payments (application_id, mode, customer_reference, id desc)`,
  `create index on payments (next_sweep_at) where status in ('CREATED', 'PENDING')`,
  `create table payment_attempts (
    ${ID},
    application_id bigint not null, ${MODE},
    payment_id bigint not null,
    number integer not null check (number > 0),
    reference text not null unique check (reference ~ '^[0-9A-Za-z]{20}$'),
    gateway text not null,
    store_id text not null,
    status text not null default 'CREATED' check (status in
      ('CREATED', 'OPEN', 'REFUSED', 'CONFIRMED', 'FAILED', 'CANCELLED', 'CLOSED', 'UNKNOWN')),
    session_key text,
    gateway_url text,
    failure_code text,
    validation_id text,
    gateway_txn_id text,
    gross_minor bigint check (gross_minor > 0),
    fee_minor bigint check (fee_minor >= 0),
    net_text text,
    evidence text,
    opened_at timestamptz, confirmed_at timestamptz,
    ${CREATED}, ${UPDATED},
    unique (payment_id, number),
    unique (id, application_id, mode),
    foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
    check (status <> 'CONFIRMED' or (gross_minor is not null and fee_minor is not null and evidence is not null))
  )`,
  // One charge at the gateway settles one attempt: a validation id that is shown twice is an attack or an error.
  `create unique index payment_attempts_validation_id on payment_attempts (gateway, store_id, validation_id) where validation_id is not null`,
  `create table gateway_callbacks (
    ${ID},
    application_id bigint references applications, ${MODE},
    payment_id bigint, attempt_id bigint,
    gateway text not null,
    reference text,
    kind text not null check (kind in ('ipn', 'success', 'fail', 'cancel')),
    signature_valid boolean not null,
    outcome text not null default 'RECEIVED' check (outcome in
      ('RECEIVED', 'ACCEPTED', 'DUPLICATE', 'FORGED', 'UNMATCHED', 'MISMATCH', 'LATE', 'IGNORED')),
    note text,
    raw_payload text not null check (octet_length(raw_payload) <= 131072),
    digest bytea not null,
    repeats integer not null default 0,
    consumed_at timestamptz,
    sweeps integer not null default 0,
    next_sweep_at timestamptz not null default now() + interval '30 seconds',
    ${CREATED},
    unique (gateway, mode, kind, digest),
    foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
    foreign key (attempt_id, application_id, mode) references payment_attempts (id, application_id, mode)
  )`,
  `create index on gateway_callbacks (payment_id)`,
  `create index on gateway_callbacks (attempt_id) where consumed_at is null`,
  `create index on gateway_callbacks (next_sweep_at) where consumed_at is null`,
  `create table unapplied_payments (
    ${ID},
    application_id bigint not null, ${MODE},
    payment_id bigint not null,
    attempt_id bigint not null,
    gateway text not null,
    validation_id text not null,
    gateway_txn_id text not null,
    evidence text not null,
    gross_minor bigint not null check (gross_minor > 0),
    fee_minor bigint not null check (fee_minor >= 0),
    ${CURRENCY},
    status text not null default 'HELD' check (status in ('HELD', 'REFUNDED', 'KEPT')),
    ${CREATED}, ${UPDATED},
    unique (attempt_id, validation_id),
    foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
    foreign key (attempt_id, application_id, mode) references payment_attempts (id, application_id, mode)
  )`,
  `create index on unapplied_payments (payment_id)`,
  `create table public_references (
    reference text primary key,
    kind text not null check (kind in ('payment')),
    target_id bigint not null,
    application_id bigint not null references applications, ${MODE}
  )`,
  `create table idempotency_keys (
    application_id bigint not null references applications, ${MODE},
    operation text not null,
    key text not null check (length(key) between 1 and 255),
    fingerprint bytea not null,
    payment_id bigint,
    lease_until timestamptz not null,
    response_status integer,
    response_body text,
    ${CREATED},
    expires_at timestamptz not null,
    primary key (application_id, mode, operation, key),
    check ((response_status is null) = (response_body is null))
  )`,
  `create index on idempotency_keys (expires_at)`,
  `create table webhook_events (
    ${ID},
    event_id text not null unique check (position('.' in event_id) = 0),
    application_id bigint not null references applications, ${MODE},
    payment_id bigint,
    type text not null,
    schema_version integer not null,
    sequence integer not null check (sequence > 0),
    payload text not null,
    delivery_status text not null default 'PENDING' check (delivery_status in ('PENDING', 'RETRYING', 'DELIVERED', 'PARKED')),
    attempts integer not null default 0,
    last_response_status integer,
    last_error text,
    next_attempt_at timestamptz, last_attempt_at timestamptz, delivered_at timestamptz,
    next_sweep_at timestamptz,
    ${CREATED}, ${UPDATED},
    unique (payment_id, sequence),
    foreign key (payment_id, application_id, mode) references payments (id, application_id, mode)
  )`,
  `create index on webhook_events (application_id, mode, id desc)`,
  `create index on webhook_events (next_sweep_at) where delivery_status in ('PENDING', 'RETRYING')`,
  `create table webhook_attempts (
    ${ID},
    webhook_event_id bigint not null references webhook_events,
    application_id bigint not null references applications, ${MODE},
    number integer not null check (number > 0),
    response_status integer,
    error text,
    response_excerpt text check (length(response_excerpt) <= 1024),
    duration_ms integer not null,
    ${CREATED},
    unique (webhook_event_id, number)
  )`,
  `create table ledger_accounts (
    ${ID},
    application_id bigint not null references applications, ${MODE},
    ${CURRENCY},
    name text not null check (name ~ '^[a-z]+(:[a-z0-9-]+)*$'),
    normal_side text not null check (normal_side in ('debit', 'credit')),
    ${CREATED},
    unique (application_id, mode, currency, name),
    unique (id, application_id, mode, currency)
  )`,
  `create table ledger_transactions (
    ${ID},
    application_id bigint not null references applications, ${MODE},
    ${CURRENCY},
    cause_type text not null, cause_id text not null, kind text not null,
    reverses_id bigint,
    -- The database's own number of the writing transaction: what sealing orders by, since ids may commit out of order.
    xid xid8 not null default pg_current_xact_id(),
    ${CREATED},
    unique (cause_type, cause_id, kind),
    unique (id, application_id, mode, currency),
    foreign key (reverses_id, application_id, mode, currency) references ledger_transactions (id, application_id, mode, currency)
  )`,
  `create index on ledger_transactions (xid, id)`,
  `create index on ledger_transactions (reverses_id) where reverses_id is not null`,
  `create table ledger_postings (
    ${ID},
    transaction_id bigint not null,
    application_id bigint not null, ${MODE},
    ${CURRENCY},
    debit_account_id bigint not null, credit_account_id bigint not null,
    amount_minor bigint not null check (amount_minor > 0),
    ${CREATED},
    check (debit_account_id <> credit_account_id),
    foreign key (transaction_id, application_id, mode, currency) references ledger_transactions (id, application_id, mode, currency),
    foreign key (debit_account_id, application_id, mode, currency) references ledger_accounts (id, application_id, mode, currency),
    foreign key (credit_account_id, application_id, mode, currency) references ledger_accounts (id, application_id, mode, currency)
  )`,
  `create index on ledger_postings (transaction_id)`,
  `create index on ledger_postings (debit_account_id) include (amount_minor)`,
  `create index on ledger_postings (credit_account_id) include (amount_minor)`,
  `create table ledger_seals (
    id bigint primary key check (id > 0),
    encoding smallint not null check (encoding > 0),
    -- Transaction numbers are one cluster's own: after a restore into another one they mean nothing.
    cluster text not null,
    through_xid xid8 not null,
    through_id bigint not null check (through_id >= 0),
    transactions integer not null check (transactions > 0),
    total_transactions bigint not null check (total_transactions >= transactions),
    row_count integer not null check (row_count > 0),
    previous_hash bytea not null unique check (octet_length(previous_hash) = 32),
    hash bytea not null unique check (octet_length(hash) = 32),
    ${CREATED}
  )`,
  `create table ledger_sealed_rows (
    seal_id bigint not null references ledger_seals,
    position integer not null check (position > 0),
    table_name text not null check (table_name in ('ledger_accounts', 'ledger_transactions', 'ledger_postings')),
    row_id bigint not null,
    digest bytea not null check (octet_length(digest) = 32),
    primary key (seal_id, position),
    unique (table_name, row_id)
  )`,
];

interface TenantTable {
  readonly name: string;
  /** What the runtime roles may do; nobody but `lenden_system` deletes, and only where rows expire. */
  readonly privileges: string;
  readonly scope: string;
}

const BY_APP_AND_MODE = `application_id = (select lenden_scope_app()) and mode = (select lenden_scope_mode())`;
const BY_APP = `application_id = (select lenden_scope_app())`;

/** Nobody chooses a ledger row's id, time or transaction number: sealing relies on them. */
const LEDGER_PRIVILEGES = {
  ledger_accounts: 'select, insert (application_id, mode, currency, name, normal_side)',
  ledger_transactions: 'select, insert (application_id, mode, currency, cause_type, cause_id, kind, reverses_id)',
  ledger_postings:
    'select, insert (transaction_id, application_id, mode, currency, debit_account_id, credit_account_id, amount_minor)',
} as const;

const TENANT_TABLES: readonly TenantTable[] = [
  { name: 'applications', privileges: 'select', scope: `id = (select lenden_scope_app())` },
  { name: 'credentials', privileges: 'select, update (last_used_at)', scope: BY_APP_AND_MODE },
  { name: 'webhook_endpoints', privileges: 'select, update', scope: BY_APP },
  { name: 'payments', privileges: 'select, insert, update', scope: BY_APP_AND_MODE },
  { name: 'payment_attempts', privileges: 'select, insert, update', scope: BY_APP_AND_MODE },
  { name: 'gateway_callbacks', privileges: 'select, insert, update', scope: BY_APP_AND_MODE },
  { name: 'unapplied_payments', privileges: 'select, insert, update', scope: BY_APP_AND_MODE },
  { name: 'public_references', privileges: 'select, insert', scope: BY_APP_AND_MODE },
  { name: 'idempotency_keys', privileges: 'select, insert, update', scope: BY_APP_AND_MODE },
  { name: 'webhook_events', privileges: 'select, insert, update', scope: BY_APP_AND_MODE },
  { name: 'webhook_attempts', privileges: 'select, insert', scope: BY_APP_AND_MODE },
  { name: 'ledger_accounts', privileges: LEDGER_PRIVILEGES.ledger_accounts, scope: BY_APP_AND_MODE },
  { name: 'ledger_transactions', privileges: LEDGER_PRIVILEGES.ledger_transactions, scope: BY_APP_AND_MODE },
  { name: 'ledger_postings', privileges: LEDGER_PRIVILEGES.ledger_postings, scope: BY_APP_AND_MODE },
  { name: 'ledger_seals', privileges: '', scope: 'false' },
  { name: 'ledger_sealed_rows', privileges: '', scope: 'false' },
];

const SYSTEM_PRIVILEGES: Readonly<Record<string, string>> = {
  applications: 'select, insert, update',
  credentials: 'select, insert, update',
  webhook_endpoints: 'select, insert, update',
  idempotency_keys: 'select, insert, update, delete',
  ...LEDGER_PRIVILEGES,
  ledger_seals: 'select, insert',
  ledger_sealed_rows: 'select, insert',
};

function protect({ name, privileges, scope }: TenantTable): string {
  const statements = [
    `alter table ${name} enable row level security`,
    `alter table ${name} force row level security`,
    `create policy system on ${name} to lenden_system using (true) with check (true)`,
    `grant ${SYSTEM_PRIVILEGES[name] ?? 'select, insert, update'} on ${name} to lenden_system`,
  ];
  if (privileges !== '') {
    statements.push(`create policy scope on ${name} to lenden_app using (${scope}) with check (${scope})`);
    statements.push(`grant ${privileges} on ${name} to lenden_app`);
  }
  if (name === 'gateway_callbacks') {
    // A callback that belongs to nobody is kept as evidence, but no application ever reads it.
    statements.push(
      `create policy unmatched on ${name} for insert to lenden_app with check (application_id is null and payment_id is null and attempt_id is null)`,
    );
  }
  return statements.join(';\n');
}

/**
 * Resolve a secret-like handle before any scope is known. References answer ids only. A credential answers what authentication needs in
 * one round trip: whoever knows the hash of an API key learns its application's settings, but not its payments.
 */
const LOOKUPS = `
grant create on schema public to lenden_system;
create function lenden_find_credential(hash bytea)
  returns table (credential_id bigint, application_id bigint, mode text, secret_hash text, usable boolean, name text, return_origins text[],
    expiry_minutes integer, rate_limit_per_minute integer, receipts_enabled boolean, min_amount_minor bigint, max_amount_minor bigint)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select c.id, a.id, c.mode, c.secret_hash,
      c.status = 'ACTIVE' and (c.expires_at is null or c.expires_at > now()) and a.status = 'ACTIVE',
      a.name, a.return_origins, a.expiry_minutes, a.rate_limit_per_minute, a.receipts_enabled, a.min_amount_minor, a.max_amount_minor
    from public.credentials c join public.applications a on a.id = c.application_id where c.key_hash = hash $$;
create function lenden_find_reference(wanted text)
  returns table (kind text, target_id bigint, application_id bigint, mode text)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select r.kind, r.target_id, r.application_id, r.mode from public.public_references r where reference = wanted $$;
create function lenden_find_attempt(at_gateway text, wanted text)
  returns table (attempt_id bigint, payment_id bigint, application_id bigint, mode text)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select id, a.payment_id, a.application_id, a.mode from public.payment_attempts a where reference = wanted and gateway = at_gateway $$;
alter function lenden_find_credential(bytea) owner to lenden_system;
alter function lenden_find_reference(text) owner to lenden_system;
alter function lenden_find_attempt(text, text) owner to lenden_system;
revoke create on schema public from lenden_system;
revoke all on function lenden_find_credential(bytea), lenden_find_reference(text), lenden_find_attempt(text, text) from public;
grant execute on function lenden_find_credential(bytea), lenden_find_reference(text), lenden_find_attempt(text, text) to lenden_app, lenden_system;
-- A payment and the key that made it are written in one statement, so the id is drawn first.
grant usage on sequence payments_id_seq to lenden_app;
`;

/** Corrections are reversals: not even the owner changes a row without switching the trigger off, and the seal chain shows that. */
const APPEND_ONLY = `
create function lenden_refuse_change() returns trigger language plpgsql
  as $$ begin raise exception 'the ledger is append-only: % on % is refused', tg_op, tg_table_name using errcode = 'restrict_violation'; end $$;
create function lenden_refuse_late_posting() returns trigger language plpgsql
  as $$ begin
    -- By array, so that the primary key is used whatever the statistics say: a join reads the whole table while there are none.
    if exists (select from ledger_transactions t
        where t.id = any (array(select transaction_id from added)) and t.xid <> pg_current_xact_id()) then
      raise exception 'a posting is written together with its ledger transaction, never added to an older one' using errcode = 'restrict_violation';
    end if;
    return null;
  end $$;
create trigger written_together after insert on ledger_postings referencing new table as added
  for each statement execute function lenden_refuse_late_posting();
${['ledger_accounts', 'ledger_transactions', 'ledger_postings', 'ledger_seals', 'ledger_sealed_rows']
  .map(
    (table) => `create trigger append_only before update or delete or truncate on ${table}
  for each statement execute function lenden_refuse_change();`,
  )
  .join('\n')}
`;
