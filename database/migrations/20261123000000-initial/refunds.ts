import { CREATED, CURRENCY, ID, MODE, OWN, SEEN, table, UPDATED } from './table.ts';

export const REFUNDS = [
  ...table({
    name: 'refunds',
    about: 'A refund of a payment, or of money that came late for it.',
    columns: `
  ${ID},
  application_id bigint not null,
  ${MODE},
  payment_id bigint not null,
  -- Set where money that came late goes back: it was never the payment's.
  unapplied_payment_id bigint,
  reference text not null unique check (reference ~ '^(ref_[0-9A-Za-z]{22}|REF_[0-9]{8}_[0-9A-Z]{6})$'),
  -- The merchant's own reference of the refund, where the contract has one.
  merchant_reference text,
  status text not null check (status in ('AWAITING_APPROVAL', 'PENDING', 'SUCCEEDED', 'FAILED', 'REJECTED')),
  amount_minor bigint not null check (amount_minor > 0),
  ${CURRENCY},
  reason text check (length(reason) <= 500),
  reopens_invoice boolean not null default false,
  gateway text not null,
  store_id text not null,
  -- The gateway's name of the charge that is refunded.
  gateway_txn_id text not null,
  gateway_refund_id text,
  -- When the gateway was first asked to refund, and when it said that it had understood.
  queried_at timestamptz,
  accepted_at timestamptz,
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
  -- How far its test clock is ahead.
  clock_offset interval not null default interval '0 seconds',
  -- When it succeeded. It stays when the refund turns out to have failed: reports took it into account then.
  succeeded_at timestamptz,
  ended_at timestamptz,
  ${CREATED},
  ${UPDATED},
  unique (id, application_id, mode),
  foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
  foreign key (unapplied_payment_id, application_id, mode) references unapplied_payments (id, application_id, mode),
  constraint refunds_ended_check check ((ended_at is null) = (status in ('AWAITING_APPROVAL', 'PENDING'))),
  constraint refunds_succeeded_check check (status <> 'SUCCEEDED' or succeeded_at is not null),
  constraint refunds_review_check check ((review_reason is null) = (review_since is null)),
  constraint refunds_created_by_check check ((created_by_type = 'USER') = (created_by_operator_id is not null)),
  -- Four eyes: not even a mistake in the code lets one person ask for a refund and approve it.
  constraint refunds_four_eyes_check check (approved_by_operator_id is null or approved_by_operator_id is distinct from created_by_operator_id),
  -- Real money never gets another time than the database's.
  constraint refunds_clock_offset_check check (mode = 'TEST' or clock_offset = interval '0 seconds')`,
    indexes: [
      // One refund at the gateway ends one of our refunds, even if the gateway answers a second refund with the id of the first.
      `create unique index refunds_gateway_refund_id_key on refunds (gateway, mode, store_id, gateway_refund_id)
  where gateway_refund_id is not null`,
      `create index refunds_payment_id_idx on refunds (payment_id)`,
      `create index refunds_unapplied_payment_id_idx on refunds (unapplied_payment_id) where unapplied_payment_id is not null`,
      `create index refunds_created_by_operator_id_idx on refunds (application_id, mode, created_by_operator_id, created_at)
  where created_by_operator_id is not null`,
      `create index refunds_created_at_idx on refunds (created_at desc, id desc)`,
      `create index refunds_amount_minor_idx on refunds (amount_minor desc, id desc)`,
      `create index refunds_status_idx on refunds (status, created_at desc, id desc) include (application_id, mode)`,
      `create index refunds_succeeded_at_idx on refunds (succeeded_at) where succeeded_at is not null`,
      // Refunds that failed after they had succeeded.
      `create index refunds_ended_at_idx on refunds (ended_at) where status = 'FAILED' and succeeded_at is not null`,
      `create index refunds_review_since_idx on refunds (review_since) where review_reason is not null`,
      `create index refunds_next_sweep_at_idx on refunds (next_sweep_at) where status in ('AWAITING_APPROVAL', 'PENDING')`,
    ],
    access: {
      app: { rows: OWN, may: 'select, insert, update' },
      operator: { rows: SEEN, may: 'select' },
      system: 'select, insert, update',
    },
  }),
];
