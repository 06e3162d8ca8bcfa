import { ownedByLookup } from './roles.ts';
import { CREATED, CONTRACT, ID, MODE, OWN, SEEN, table, UPDATED } from './table.ts';

/** Tables of the applications that take payments and of their API keys. */
export const APPLICATIONS = [
  ...table({
    name: 'applications',
    about: 'A shop or service that takes payments, with its settings.',
    columns: `
  ${ID},
  name text not null check (length(name) between 1 and 120),
  status text not null default 'ACTIVE' check (status in ('ACTIVE', 'DISABLED')),
  return_origins text[] not null default '{}',
  expiry_minutes integer not null default 30 check (expiry_minutes between 1 and 10080),
  rate_limit_per_minute integer not null default 1000 check (rate_limit_per_minute > 0),
  receipts_enabled boolean not null default false,
  min_amount_minor bigint check (min_amount_minor > 0),
  max_amount_minor bigint check (max_amount_minor > 0),
  -- Null: every gateway.
  gateways_allowed text[],
  -- Where payers pay when a request names no gateway, in the order in which they see them. Null: the default gateway alone.
  checkout_gateways text[] check (cardinality(checkout_gateways) between 1 and 20),
  unapplied_payment_policy text not null default 'REVIEW' check (unapplied_payment_policy in ('REVIEW', 'REFUND')),
  refunded_invoices text not null default 'REOPEN' check (refunded_invoices in ('REOPEN', 'KEEP')),
  -- In BDT. Null: no refund needs a second person.
  refund_approval_threshold_minor bigint check (refund_approval_threshold_minor >= 0),
  -- Minor units by currency, for every currency but BDT.
  refund_approval_thresholds jsonb not null default '{}',
  -- Stands in for what a gateway demands of a customer and the application did not send.
  customer_defaults jsonb not null default '{}',
  -- The names that ShadhinPay's contract gives the application; made with its first key.
  shadhinpay_client_id text check (shadhinpay_client_id ~ '^HM_[0-9a-f]{8}$'),
  shadhinpay_business_id text unique check (shadhinpay_business_id ~ '^HB_[0-9a-f]{8}$'),
  -- The events of ShadhinPay's contract that are sent. Null: those that are on by default.
  shadhinpay_events text[],
  -- Its books hold what belongs to no shop, such as a monthly fee of the installation's store. It takes no payments.
  is_installation boolean not null default false,
  ${CREATED},
  ${UPDATED}`,
    indexes: [
      `create unique index applications_is_installation_key on applications (is_installation) where is_installation`,
    ],
    access: {
      app: { rows: `id = (select lenden_scope_app())`, may: 'select' },
      operator: {
        rows: `(select lenden_sees_every_app()) or id = any((select lenden_seen_apps())::bigint[])`,
        may: 'select, insert, update',
      },
      system: 'select, insert, update',
      lookup: 'select',
    },
  }),

  ...table({
    name: 'credentials',
    about: 'A key by which an application calls one contract in one mode.',
    columns: `
  ${ID},
  application_id bigint not null references applications,
  ${MODE},
  ${CONTRACT},
  key_hash bytea not null unique check (octet_length(key_hash) = 32),
  -- Null where the key has enough randomness to need no secret beside it.
  secret_hash text,
  label text,
  -- The part of a key that may be shown. Null: none.
  prefix text,
  -- Null: the contract knows no scopes.
  scopes text[],
  -- PENDING until a second person has confirmed the key; it is as unusable as one that is revoked.
  status text not null default 'ACTIVE' check (status in ('PENDING', 'ACTIVE', 'REVOKED')),
  -- Of a PENDING key: from then on nobody can confirm it.
  expires_at timestamptz,
  last_used_at timestamptz,
  ${CREATED},
  constraint credentials_secret_check check (contract <> 'native' or secret_hash is not null)`,
    indexes: [
      `create index credentials_application_id_mode_idx on credentials (application_id, mode)`,
      `create index credentials_pending_idx on credentials (expires_at) where status = 'PENDING'`,
    ],
    access: {
      app: { rows: OWN, may: 'select, update (last_used_at)' },
      operator: { rows: SEEN, may: 'select, insert, update' },
      system: 'select, insert, update',
      lookup: 'select',
    },
  }),

  // Returns everything that authentication needs in one round trip. The hash of a key gives access to the application's settings, not to its
  // payments.
  `create function lenden_find_credential(hash bytea)
  returns table (credential_id bigint, application_id bigint, mode text, contract text, scopes text[], secret_hash text, usable boolean, name text,
    return_origins text[], expiry_minutes integer, rate_limit_per_minute integer, receipts_enabled boolean, min_amount_minor bigint,
    max_amount_minor bigint, gateways_allowed text[], checkout_gateways text[])
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select c.id, a.id, c.mode, c.contract, c.scopes, c.secret_hash,
      c.status = 'ACTIVE' and (c.expires_at is null or c.expires_at > now()) and a.status = 'ACTIVE',
      a.name, a.return_origins, a.expiry_minutes, a.rate_limit_per_minute, a.receipts_enabled, a.min_amount_minor, a.max_amount_minor,
      a.gateways_allowed, a.checkout_gateways
    from public.credentials c join public.applications a on a.id = c.application_id where c.key_hash = hash $$`,
  ...ownedByLookup('lenden_find_credential(bytea)', 'lenden_app'),

  // Returns the same, and opens the scope of a usable credential for this transaction, so that a read can follow in the same round trip. An unusable
  // credential opens none, and every row stays hidden.
  `create function lenden_enter_as(hash bytea)
  returns table (credential_id bigint, application_id bigint, mode text, contract text, scopes text[], secret_hash text, usable boolean, name text,
    return_origins text[], expiry_minutes integer, rate_limit_per_minute integer, receipts_enabled boolean, min_amount_minor bigint,
    max_amount_minor bigint, gateways_allowed text[], checkout_gateways text[])
  language sql volatile security definer set search_path = pg_catalog, public
  as $$ select f.* from lenden_find_credential(hash) f
    where set_config('lenden.app', case when f.usable then f.application_id::text else '' end, true) is not null
      and set_config('lenden.mode', case when f.usable then f.mode else '' end, true) is not null $$`,
  ...ownedByLookup('lenden_enter_as(bytea)', 'lenden_app'),
];
