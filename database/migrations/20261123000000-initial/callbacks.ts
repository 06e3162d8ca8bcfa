import { ownedByLookup } from './roles.ts';
import { CREATED, ID, MODE, OWN, SEEN, table } from './table.ts';

/** Each row holds up to 16 kB, so this is at most 80 MB. */
const UNMATCHED_KEPT_MAX = 5_000;

export const CALLBACKS = [
  ...table({
    name: 'gateway_callbacks',
    about: 'A callback as it arrived: evidence, and a reason to query the gateway; never believed by itself.',
    isUpdated: true,
    columns: `
  ${ID},
  -- Of its payment and attempt, whose keys name the application. Null: it names no attempt that we know.
  application_id bigint,
  ${MODE},
  payment_id bigint,
  attempt_id bigint,
  gateway text not null,
  reference text,
  kind text not null check (kind in ('ipn', 'success', 'fail', 'cancel')),
  signature_valid boolean not null,
  note text,
  -- It says itself that nothing was paid. Never believed, but no reason to tell a payer that we look for their money.
  claims_no_money boolean not null default false,
  -- A signed one is never refused for its size, up to what a request may have.
  raw_payload text not null check (octet_length(raw_payload) <= 1048576),
  digest bytea not null,
  ${CREATED},
  -- What follows changes.
  outcome text not null default 'RECEIVED' check (outcome in
    ('RECEIVED', 'ACCEPTED', 'DUPLICATE', 'FORGED', 'UNMATCHED', 'MISMATCH', 'LATE', 'IGNORED',
    'NOTICED')),
  repeats integer not null default 0,
  -- Belongs to money, so it is never removed. Decided once, when its retention would be over.
  kept boolean not null default false,
  consumed_at timestamptz,
  sweeps integer not null default 0,
  next_sweep_at timestamptz not null default now() + interval '30 seconds',
  unique (gateway, mode, kind, digest),
  foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
  foreign key (attempt_id, application_id, mode) references payment_attempts (id, application_id, mode),
  -- PostgreSQL does not check a foreign key that has a null in it.
  constraint gateway_callbacks_matched_check check (num_nonnulls(application_id, payment_id, attempt_id) in (0, 3))`,
    indexes: [
      // Also finds those of an attempt: the payloads that are kept of a payment are few.
      `create index gateway_callbacks_payment_id_idx on gateway_callbacks (payment_id)`,
      `create index gateway_callbacks_next_sweep_at_idx on gateway_callbacks (next_sweep_at) where consumed_at is null`,
      // Operators look for callbacks that did not lead to a payment, and for those that name no attempt by what they name.
      `create index gateway_callbacks_outcome_idx on gateway_callbacks (outcome, id desc) include (application_id, mode)
  where outcome in ('FORGED', 'UNMATCHED', 'MISMATCH', 'LATE', 'IGNORED')`,
      `create index gateway_callbacks_reference_idx on gateway_callbacks (reference) where payment_id is null and reference is not null`,
      `create index gateway_callbacks_retention_idx on gateway_callbacks (created_at) where not kept and consumed_at is not null`,
      `create index gateway_callbacks_unmatched_idx on gateway_callbacks (id) where attempt_id is null and not signature_valid`,
    ],
    access: {
      app: { rows: OWN, may: 'select, insert, update' },
      operator: { rows: SEEN, may: 'select' },
      system: 'select, insert, update, delete',
      lookup: 'select',
    },
  }),
  // A callback that names no attempt is kept as evidence. No application can read it.
  `create policy app_writes_unmatched on gateway_callbacks for insert to lenden_app
  with check (application_id is null and payment_id is null and attempt_id is null)`,

  // The role that inserts such rows cannot read them, so it cannot count them. This trigger limits their number.
  `create function lenden_bound_unmatched() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public
  as $$ begin
    if (select count(*) from (select from public.gateway_callbacks where attempt_id is null and not signature_valid
        limit ${UNMATCHED_KEPT_MAX}) kept) >= ${UNMATCHED_KEPT_MAX} then
      return null;
    end if;
    return new;
  end $$`,
  ...ownedByLookup('lenden_bound_unmatched()', null),
  `create trigger bound_unmatched before insert on gateway_callbacks
  for each row when (new.attempt_id is null and not new.signature_valid) execute function lenden_bound_unmatched()`,
];
