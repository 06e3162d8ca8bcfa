import { ownedByLookup } from './roles.ts';
import { CREATED, EVERY_ROW, ID, MODE, SEEN, table, UPDATED } from './table.ts';

const OF_STORE = `(application_id = for_application or application_id is null) and mode = in_mode and gateway = at_gateway and store_id = at_store`;

/** Tables of the stores at gateways and of the access tokens that gateways issue. */
export const GATEWAYS = [
  ...table({
    name: 'gateway_configurations',
    about:
      'A store (merchant account) at a gateway with its sealed credentials, of one application or of the installation.',
    columns: `
  ${ID},
  -- Null: for every application that has none of its own.
  application_id bigint references applications,
  ${MODE},
  gateway text not null,
  store_id text not null check (length(store_id) between 1 and 120),
  -- The secret is sealed for this key, which is drawn before the row is written and never changes.
  key uuid not null unique,
  -- Sealed.
  store_secret text not null,
  -- A store that was replaced opens no new checkouts; payments that were begun there are still queried and refunded there.
  retired_at timestamptz,
  ${CREATED},
  ${UPDATED},
  constraint gateway_configurations_store_key unique nulls not distinct (application_id, mode, gateway, store_id)`,
    indexes: [
      `create unique index gateway_configurations_current_key on gateway_configurations (application_id, mode, gateway) nulls not distinct
  where retired_at is null`,
    ],
    access: {
      // A payment through the installation's own store also needs that store's credentials.
      app: {
        rows: `(application_id is null or application_id = (select lenden_scope_app())) and mode = (select lenden_scope_mode())`,
        may: 'select',
      },
      operator: {
        rows: SEEN,
        // Operators can write a secret but not read it.
        may: `insert, select (id, application_id, mode, gateway, store_id, key, retired_at, created_at, updated_at),
  update (store_secret, retired_at, updated_at)`,
      },
      system: 'select, insert, update',
      lookup: 'select',
    },
  }),
  // An operator who sees an application may know which store of the installation it uses. Only operators who see all
  // applications may change that store.
  `create policy operator_reads_installation on gateway_configurations for select to lenden_operator using (application_id is null)`,

  // An application's own store takes precedence over the installation's. Row-level security decides which of them the caller sees.
  `create function lenden_store_for(for_application bigint, in_mode text, at_gateway text) returns text
  language sql stable set search_path = pg_catalog, public
  as $$ select store_id from public.gateway_configurations
    where (application_id = for_application or application_id is null) and mode = in_mode and gateway = at_gateway and retired_at is null
    order by application_id nulls last limit 1 $$`,
  // Returns the sealed secret, prefixed with the key that it is sealed for.
  `create function lenden_store_secret(for_application bigint, in_mode text, at_gateway text, at_store text) returns text
  language sql stable set search_path = pg_catalog, public
  as $$ select key::text || ':' || store_secret from public.gateway_configurations
    where ${OF_STORE} order by application_id nulls last limit 1 $$`,
  // Returns the owner of the store that an application uses under this name: the application's id, or null for the
  // installation's store.
  `create function lenden_store_owner(for_application bigint, in_mode text, at_gateway text, at_store text) returns bigint
  language sql stable set search_path = pg_catalog, public
  as $$ select application_id from public.gateway_configurations
    where ${OF_STORE} order by application_id nulls last limit 1 $$`,
  // The details stored for the gateway "manual" are not secret, because payers read them. Operators can read the details of no other gateway.
  `create function lenden_shown_account(wanted bigint) returns text
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select key::text || ':' || store_secret from public.gateway_configurations where id = wanted and gateway = 'manual' $$`,
  ...ownedByLookup('lenden_shown_account(bigint)', 'lenden_operator'),

  // Returns the approval thresholds of each application that uses a store: of those that have or had it, and of every application if it is the
  // installation's.
  `create function lenden_store_thresholds(in_mode text, at_gateway text, of_store text, is_shared boolean)
  returns table (threshold bigint, thresholds jsonb)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select a.refund_approval_threshold_minor, a.refund_approval_thresholds from public.applications a
    where not a.is_installation and (is_shared
      or exists (select from public.gateway_configurations g where g.mode = in_mode and g.gateway = at_gateway and g.store_id = of_store
        and (g.application_id = a.id or g.application_id is null))
      or not exists (select from public.gateway_configurations g where g.mode = in_mode and g.gateway = at_gateway and g.store_id = of_store)) $$`,
  ...ownedByLookup('lenden_store_thresholds(text, text, text, boolean)', 'lenden_operator'),
  `grant execute on function lenden_store_thresholds(text, text, text, boolean) to lenden_system`,

  ...table({
    name: 'gateway_tokens',
    about:
      'The token of an account at a gateway that issues only a few an hour: shared by all processes, of which one at a time fetches the next.',
    columns: `
  ${ID},
  -- A digest of the account's address and credentials.
  account text not null unique check (length(account) between 1 and 200),
  -- The token, and the calls of the last hour. Null: none yet.
  sealed text check (octet_length(sealed) <= 65536),
  taken_by uuid,
  taken_until timestamptz,
  ${CREATED},
  ${UPDATED},
  constraint gateway_tokens_taken_check check ((taken_by is null) = (taken_until is null))`,
    access: {
      operator: { rows: EVERY_ROW, may: 'select, insert, update' },
      system: 'select, insert, update',
    },
  }),
];
