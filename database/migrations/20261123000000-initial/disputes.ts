import { ownedByLookup } from './roles.ts';
import { CREATED, ID, MODE, OWN, SEEN, table, UPDATED } from './table.ts';

export const DISPUTES = [
  ...table({
    name: 'disputes',
    about: 'A charge that the payer disputes, as the gateway states it.',
    isUpdated: true,
    columns: `
  ${ID},
  application_id bigint not null,
  ${MODE},
  payment_id bigint not null,
  attempt_id bigint not null,
  gateway text not null,
  store_id text not null,
  -- The charge in dispute.
  gateway_txn_id text not null,
  gateway_dispute_id text not null check (length(gateway_dispute_id) between 1 and 120),
  ${CREATED},
  -- What follows changes.
  status text not null default 'NOTICED' check (status in ('NOTICED', 'OPEN', 'WON', 'LOST', 'CLOSED')),
  -- The gateway's own words. Null until it was asked.
  gateway_status text check (length(gateway_status) <= 120),
  reason text check (length(reason) <= 120),
  amount_minor bigint check (amount_minor > 0),
  currency text check (currency ~ '^[A-Z]{3}$'),
  respond_by timestamptz,
  evidence text,
  ended_at timestamptz,
  queried_at timestamptz,
  sweeps integer not null default 0,
  -- When the gateway is asked again. Null: it has ended.
  next_sweep_at timestamptz default now(),
  ${UPDATED},
  constraint disputes_gateway_dispute_id_key unique (gateway, mode, store_id, gateway_dispute_id),
  foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
  foreign key (attempt_id, application_id, mode) references payment_attempts (id, application_id, mode),
  constraint disputes_stated_check check (status = 'NOTICED' or num_nonnulls(gateway_status, amount_minor, currency) = 3),
  constraint disputes_ended_check check ((ended_at is not null) = (status in ('WON', 'LOST', 'CLOSED')))`,
    indexes: [
      `create index disputes_payment_id_idx on disputes (payment_id)`,
      `create index disputes_next_sweep_at_idx on disputes (next_sweep_at) where next_sweep_at is not null`,
    ],
    access: {
      app: { rows: OWN, may: 'select, insert, update' },
      operator: { rows: SEEN, may: 'select' },
      system: 'select, insert, update',
    },
  }),

  // A notice of a dispute names the charge, and is verified with the secret of the store that took it. The secret is sealed.
  `create function lenden_find_charge(at_gateway text, in_mode text, wanted text)
  returns table (attempt_id bigint, payment_id bigint, application_id bigint, mode text, store_id text, store_secret text)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select a.id, a.payment_id, a.application_id, a.mode, a.store_id,
      lenden_store_secret(a.application_id, a.mode, a.gateway, a.store_id)
    from public.payment_attempts a
    where a.gateway = at_gateway and a.mode = in_mode and (a.gateway_txn_id = wanted
      or a.id in (select u.attempt_id from public.unapplied_payments u where u.gateway_txn_id = wanted))
    order by a.id limit 1 $$`,
  ...ownedByLookup('lenden_find_charge(text, text, text)', 'lenden_app'),
];
