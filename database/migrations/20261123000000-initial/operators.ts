import { ownedByLookup } from './roles.ts';
import { CREATED, EVERY_ROW, ID, MODE, OWN, OWN_IN_BOTH_MODES, SEEN, table, UPDATED } from './table.ts';

/** Access to tables that belong to no application: operators' requests and the system see every row, applications see none. */
const OPERATORS_ALONE = {
  operator: { rows: EVERY_ROW, may: 'select, insert, update, delete' },
  system: 'select, insert, update, delete',
} as const;

/** Tables of operators: their logins, permissions and audit log, and the changes that wait for a second person. */
export const OPERATORS = [
  ...table({
    name: 'operators',
    about: 'A person who runs the service.',
    columns: `
  ${ID},
  -- In lower case: one address is one person, however it is typed.
  email text not null unique check (email = lower(email) and length(email) between 3 and 254),
  name text not null check (length(name) between 1 and 120),
  -- Null until the first link is used.
  password_hash text,
  password_changed_at timestamptz not null default now(),
  -- Set by somebody else: it only lets its owner choose a password of their own, and only for some days.
  password_temporary boolean not null default false,
  status text not null default 'ACTIVE' check (status in ('ACTIVE', 'DISABLED')),
  -- Sealed. Written when a second factor is set up, confirmed by its first right code.
  totp_secret text,
  totp_confirmed_at timestamptz,
  -- The time step of the last accepted code: no code is accepted twice.
  totp_last_step bigint,
  last_login_at timestamptz,
  ${CREATED},
  ${UPDATED}`,
    access: { ...OPERATORS_ALONE, lookup: 'select (id, status)' },
  }),

  ...table({
    name: 'operator_recovery_codes',
    about: 'A code that replaces a lost second factor once.',
    columns: `
  ${ID},
  operator_id bigint not null references operators,
  salt bytea not null check (octet_length(salt) = 16),
  code_hash bytea not null check (octet_length(code_hash) = 32),
  used_at timestamptz,
  ${CREATED},
  unique (operator_id, code_hash)`,
    access: OPERATORS_ALONE,
  }),

  ...table({
    name: 'operator_sessions',
    about: 'A login of an operator, by bearer token or cookie.',
    columns: `
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
  ${CREATED}`,
    indexes: [
      `create index operator_sessions_operator_id_address_idx on operator_sessions (operator_id, address)`,
      `create index operator_sessions_end_idx on operator_sessions (least(ended_at, expires_at))`,
    ],
    access: OPERATORS_ALONE,
  }),

  ...table({
    name: 'operator_links',
    about: 'The one-time link by which an operator sets a password, and the outbox of its email.',
    columns: `
  operator_id bigint primary key references operators,
  -- Of the link that was shown or sent last. Null: none yet.
  token_hash bytea unique check (octet_length(token_hash) = 32),
  expires_at timestamptz,
  -- Null: no email is to be sent.
  email_due_at timestamptz,
  email_tries integer not null default 0,
  ${CREATED},
  constraint operator_links_token_check check ((token_hash is null) = (expires_at is null))`,
    indexes: [
      `create index operator_links_mail_due_at_idx on operator_links (email_due_at) where email_due_at is not null`,
    ],
    access: OPERATORS_ALONE,
  }),

  ...table({
    name: 'approval_notices',
    about: 'Tells an operator by email, once, what waits for their decision; also the outbox of the email.',
    columns: `
  ${ID},
  operator_id bigint not null references operators,
  kind text not null check (kind in ('REFUND', 'DECISION', 'MANUAL_SUBMISSION', 'CHANGE', 'CASE_ACTION')),
  -- The id of the refund, decision, submission, change or entry of a case.
  subject_id bigint not null,
  -- Null: no email is to be sent.
  email_due_at timestamptz,
  email_tries integer not null default 0,
  mailed_at timestamptz,
  ${CREATED},
  unique (operator_id, kind, subject_id)`,
    indexes: [
      `create index approval_notices_email_due_at_idx on approval_notices (email_due_at) where email_due_at is not null`,
      `create index approval_notices_kind_subject_id_idx on approval_notices (kind, subject_id)`,
      `create index approval_notices_operator_id_mailed_at_idx on approval_notices (operator_id, mailed_at)`,
    ],
    access: { system: 'select, insert, update, delete' },
  }),

  ...table({
    name: 'login_throttles',
    about: 'How often logins of one account or from one address have failed lately.',
    columns: `
  -- A hash of the account or address, so that the table reveals neither.
  subject bytea primary key check (octet_length(subject) = 32),
  failures integer not null check (failures > 0),
  blocked_until timestamptz,
  last_failure_at timestamptz not null`,
    access: OPERATORS_ALONE,
  }),

  ...table({
    name: 'roles',
    about: 'A named set of permissions.',
    columns: `
  ${ID},
  name text not null unique check (length(name) between 1 and 60),
  description text not null default '' check (length(description) <= 300),
  seeded boolean not null default false,
  -- Skips the permission check, whatever permissions exist: the Super Admin's role only.
  everything boolean not null default false,
  permissions text[] not null default '{}',
  ${CREATED},
  ${UPDATED}`,
    seed: `insert into roles (name, description, seeded, everything, permissions) values
  ('Super Admin', 'Owns the platform; skips the permission check', true, true, '{}'),
  ('Admin', 'Heads operations: applications, operators, refunds', true, false,
   '{app:read,app:manage,user:read,user:manage,payment:read,payment:export,payment:review,refund:read,refund:create,refund:approve,report:read,reconciliation:manage,audit:read}'),
  ('Finance', 'Approves refunds, decides on money, reports and reconciles', true, false,
   '{app:read,payment:read,payment:export,payment:review,refund:read,refund:approve,report:read,reconciliation:manage}'),
  ('Support', 'Helps payers: sees payments and refunds, starts refunds', true, false,
   '{app:read,payment:read,refund:read,refund:create}'),
  ('Viewer', 'Looks on', true, false, '{app:read,payment:read,report:read}')`,
    access: { ...OPERATORS_ALONE, lookup: 'select' },
  }),

  ...table({
    name: 'operator_grants',
    about: 'A role of an operator, in one application or in all.',
    columns: `
  ${ID},
  operator_id bigint not null references operators,
  role_id bigint not null references roles,
  -- Null: in every application.
  application_id bigint references applications,
  ${CREATED},
  unique nulls not distinct (operator_id, role_id, application_id)`,
    indexes: [`create index operator_grants_role_id_idx on operator_grants (role_id)`],
    access: { ...OPERATORS_ALONE, lookup: 'select' },
  }),

  // Returns whether an operator currently has a permission in an application. An application's own transactions cannot read the operator tables.
  `create function lenden_operator_may(operator bigint, wanted text, in_application bigint) returns boolean
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select exists (select from public.operators o join public.operator_grants g on g.operator_id = o.id join public.roles r on r.id = g.role_id
    where o.id = operator and o.status = 'ACTIVE' and (g.application_id is null or g.application_id = in_application)
      and (r.everything or wanted = any(r.permissions))) $$`,
  ...ownedByLookup('lenden_operator_may(bigint, text, bigint)', 'lenden_app'),
  `grant execute on function lenden_operator_may(bigint, text, bigint) to lenden_operator`,

  ...table({
    name: 'settings',
    about: 'Settings of the installation that operators change.',
    columns: `
  name text primary key,
  value jsonb not null,
  ${UPDATED}`,
    access: OPERATORS_ALONE,
  }),

  ...table({
    name: 'saved_views',
    about: 'A list of the dashboard as one operator wants to see it again.',
    columns: `
  ${ID},
  operator_id bigint not null references operators,
  -- The page as its address has it.
  page text not null check (page ~ '^[a-z]+(-[a-z]+)*$' and length(page) <= 40),
  ${MODE},
  name text not null check (length(name) between 1 and 60),
  -- The query of the page's address.
  query text not null check (length(query) <= 2000),
  ${CREATED},
  ${UPDATED},
  unique (operator_id, page, mode, name)`,
    access: { operator: OPERATORS_ALONE.operator },
  }),

  ...table({
    name: 'audit_logs',
    about: 'What operators, applications and the system did: never changed, never removed.',
    columns: `
  ${ID},
  actor_type text not null check (actor_type in ('USER', 'APP', 'SYSTEM')),
  actor_id bigint,
  -- The actor's name at that time: an email address, an application's name, a process.
  actor text not null,
  action text not null check (action ~ '^[a-z-]+(\\.[a-z-]+)+$'),
  target_type text not null,
  target_id text not null,
  application_id bigint,
  mode text check (mode in ('TEST', 'LIVE')),
  address text,
  request_id text,
  -- May hold before, after and reason; never a secret.
  details jsonb not null default '{}',
  ${CREATED}`,
    indexes: [
      `create index audit_logs_target_idx on audit_logs (target_type, target_id, id desc)`,
      `create index audit_logs_actor_idx on audit_logs (actor_type, actor_id, id desc)`,
      `create index audit_logs_application_id_idx on audit_logs (application_id, id desc)`,
    ],
    appendOnly: true,
    access: {
      app: { rows: OWN_IN_BOTH_MODES, may: 'insert' },
      operator: { rows: SEEN, may: 'select, insert' },
      system: 'select, insert',
    },
  }),
  // Actions on objects that belong to no application, such as a login or a role, are also recorded.
  `create policy operator_writes_any on audit_logs for insert to lenden_operator with check (true)`,

  ...table({
    name: 'pending_changes',
    about: 'A change of settings, stores, keys or access that waits for a second person.',
    columns: `
  ${ID},
  -- Null: a change of the installation.
  application_id bigint references applications,
  mode text check (mode in ('TEST', 'LIVE')),
  kind text not null check (kind in ('application-settings', 'credential', 'credential-rotation', 'gateway-store', 'gateway-store-retirement',
    'operator-roles', 'operator-access', 'operator-enabling', 'role', 'match-settings', 'bank-amount')),
  target_type text not null,
  target_id text not null,
  -- What the second person compares; never a secret.
  before jsonb not null,
  after jsonb not null,
  -- What the target was when the change was proposed, where before does not say it all.
  fingerprint text,
  -- Sealed; removed when the change is decided.
  secret text,
  status text not null default 'PENDING' check (status in ('PENDING', 'CONFIRMED', 'REJECTED', 'WITHDRAWN')),
  proposed_by_operator_id bigint not null references operators,
  decided_by_operator_id bigint references operators,
  reason text check (length(reason) <= 500),
  expires_at timestamptz not null default now() + interval '7 days',
  decided_at timestamptz,
  ${CREATED},
  constraint pending_changes_decided_check check ((status = 'PENDING') = (decided_at is null)),
  constraint pending_changes_decided_by_check check ((decided_by_operator_id is null) = (decided_at is null)),
  -- Four eyes: not even a mistake in the code lets one person propose and confirm.
  constraint pending_changes_four_eyes_check check (status <> 'CONFIRMED' or decided_by_operator_id <> proposed_by_operator_id),
  constraint pending_changes_secret_check check (secret is null or status = 'PENDING')`,
    indexes: [
      `create index pending_changes_target_idx on pending_changes (target_type, target_id) where status = 'PENDING'`,
      `create index pending_changes_created_at_idx on pending_changes (created_at desc, id desc)`,
    ],
    access: {
      operator: {
        rows: SEEN,
        // Operators can write a secret but not read it.
        may: `select (id, application_id, mode, kind, target_type, target_id, before, after, fingerprint, status, proposed_by_operator_id,
    decided_by_operator_id, reason, expires_at, decided_at, created_at),
  insert, update (secret, status, decided_by_operator_id, reason, decided_at)`,
      },
      system: 'select, update',
      lookup: 'select',
    },
  }),

  `create function lenden_pending_secret(wanted bigint) returns text
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select secret from public.pending_changes where id = wanted and status = 'PENDING' and expires_at > now() $$`,
  ...ownedByLookup('lenden_pending_secret(bigint)', 'lenden_app'),

  ...table({
    name: 'acting_operators',
    about: 'A row to lock while the sum of what an operator did in an application is read and added to.',
    columns: `
  application_id bigint not null references applications,
  ${MODE},
  operator_id bigint not null references operators,
  acted_at timestamptz not null default now(),
  primary key (application_id, mode, operator_id)`,
    access: {
      app: { rows: OWN, may: 'select, insert, update' },
      // Accepting a difference in a case counts like moving money.
      operator: { rows: SEEN, may: 'select, insert, update' },
    },
  }),
];
