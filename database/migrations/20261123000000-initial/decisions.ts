import { ownedByLookup } from './roles.ts';
import { CREATED, ID, MODE, OWN, SEEN, table } from './table.ts';

/** Condition: submission `o` with its attempt `ot` names the same account as submission `s` with its attempt `t`. */
const SAME_ACCOUNT = `o.mode = s.mode and ot.store_id = t.store_id and o.store_application_id is not distinct from s.store_application_id`;

export const DECISIONS = [
  ...table({
    name: 'decisions',
    about: "An operator's decision on a refund, a review, money that came late or a manual payment.",
    columns: `
  ${ID},
  application_id bigint not null,
  ${MODE},
  kind text not null check (kind in ('refund', 'review', 'unapplied-payment', 'manual')),
  payment_id bigint not null,
  refund_id bigint,
  unapplied_payment_id bigint,
  manual_submission_id bigint,
  decision text not null check (decision in ('approve', 'reject', 'accept', 'refund', 'keep')),
  reason text check (length(reason) <= 500),
  operator_id bigint not null references operators,
  -- How much money was decided on. Null: the decision moves none of its own.
  amount_minor bigint check (amount_minor > 0),
  currency text check (currency ~ '^[A-Z]{3}$'),
  -- Above the threshold a second person must decide the same; until then nothing follows from the row.
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
  foreign key (manual_submission_id, application_id, mode) references manual_submissions (id, application_id, mode),
  constraint decisions_refund_id_check check ((kind = 'refund') = (refund_id is not null)),
  constraint decisions_unapplied_payment_id_check check ((kind = 'unapplied-payment') = (unapplied_payment_id is not null)),
  constraint decisions_manual_submission_id_check check ((kind = 'manual') = (manual_submission_id is not null)),
  constraint decisions_amount_check check ((amount_minor is null) = (currency is null)),
  -- Four eyes: not even a mistake in the code lets one person decide twice.
  constraint decisions_four_eyes_check check (second_operator_id is null or second_operator_id <> operator_id)`,
    indexes: [
      // Each subject has at most one open decision.
      `create unique index decisions_open_refund_key on decisions (refund_id) where refund_id is not null and consumed_at is null`,
      `create unique index decisions_open_unapplied_payment_key on decisions (unapplied_payment_id) where unapplied_payment_id is not null and consumed_at is null`,
      `create unique index decisions_open_review_key on decisions (payment_id) where kind = 'review' and consumed_at is null`,
      `create unique index decisions_open_manual_submission_key on decisions (manual_submission_id)
  where manual_submission_id is not null and consumed_at is null`,
      `create index decisions_manual_submission_id_idx on decisions (manual_submission_id) where manual_submission_id is not null`,
      `create index decisions_operator_id_idx on decisions (application_id, mode, operator_id, created_at)`,
      `create index decisions_next_sweep_at_idx on decisions (next_sweep_at) where consumed_at is null`,
    ],
    access: {
      app: { rows: OWN, may: 'select, insert, update' },
      operator: { rows: SEEN, may: 'select' },
      system: 'select, insert, update',
      lookup: 'select',
    },
  }),

  ...table({
    name: 'manual_confirmations',
    about:
      'A transaction that an operator found in an account: it pays for one thing, whoever else decides at the same moment.',
    columns: `
  submission_id bigint primary key,
  application_id bigint not null,
  ${MODE},
  store_application_id bigint references applications,
  store_id text not null,
  normalized text not null check (normalized ~ '^[0-9A-Z]+$'),
  decision_id bigint not null references decisions,
  ${CREATED},
  -- Two applications may give their accounts one name, so the owner of the account is part of the key.
  constraint manual_confirmations_transaction_key unique nulls not distinct (store_application_id, mode, store_id, normalized),
  foreign key (submission_id, application_id, mode) references manual_submissions (id, application_id, mode)`,
    appendOnly: true,
    access: {
      app: { rows: OWN, may: 'select, insert' },
      operator: { rows: SEEN, may: 'select' },
      system: 'select',
    },
  }),

  // Returns the approval thresholds of each application that uses the account of a submission, or whose payers have
  // submitted a transaction for it.
  `create function lenden_account_thresholds(for_submission bigint) returns table (threshold bigint, thresholds jsonb)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select a.refund_approval_threshold_minor, a.refund_approval_thresholds
    from public.manual_submissions s join public.payment_attempts t on t.id = s.attempt_id join public.applications a on a.id = s.application_id
      or (s.store_application_id is null and not exists (select from public.gateway_configurations g
        where g.application_id = a.id and g.mode = s.mode and g.gateway = t.gateway and g.retired_at is null))
      or exists (select from public.manual_submissions o join public.payment_attempts ot on ot.id = o.attempt_id
        where o.application_id = a.id and ${SAME_ACCOUNT})
    where s.id = for_submission $$`,
  ...ownedByLookup('lenden_account_thresholds(bigint)', 'lenden_app'),

  // Returns how much an operator has recently confirmed in the account of a submission for other applications.
  `create function lenden_confirmed_elsewhere(for_submission bigint, by_operator bigint, in_currency text, within interval) returns numeric
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select coalesce(sum(d.amount_minor), 0)
    from public.manual_submissions s join public.payment_attempts t on t.id = s.attempt_id
      join public.decisions d on d.mode = s.mode and d.application_id <> s.application_id and d.operator_id = by_operator
        and d.currency = in_currency and d.created_at > now() - within and d.kind = 'manual' and d.decision = 'accept'
        and coalesce(d.outcome, '') not in ('TAKEN_BACK', 'LAPSED')
      join public.manual_submissions o on o.id = d.manual_submission_id join public.payment_attempts ot on ot.id = o.attempt_id
    where s.id = for_submission and ${SAME_ACCOUNT} $$`,
  ...ownedByLookup('lenden_confirmed_elsewhere(bigint, bigint, text, interval)', 'lenden_app'),
];
