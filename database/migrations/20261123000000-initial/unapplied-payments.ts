import { CREATED, CURRENCY, ID, MODE, OWN, SEEN, table, UPDATED } from './table.ts';

export const UNAPPLIED_PAYMENTS = [
  ...table({
    name: 'unapplied_payments',
    about:
      'Money received that no open payment or invoice takes: it came late, twice, or beyond what an invoice asked for.',
    columns: `
  ${ID},
  application_id bigint not null,
  ${MODE},
  payment_id bigint not null,
  attempt_id bigint not null,
  kind text not null default 'late' check (kind in ('late', 'overpayment')),
  gateway text not null,
  validation_id text not null,
  gateway_txn_id text not null,
  evidence text not null,
  gross_minor bigint not null check (gross_minor > 0),
  fee_minor bigint not null check (fee_minor >= 0),
  ${CURRENCY},
  status text not null default 'HELD' check (status in ('HELD', 'REFUNDING', 'REFUNDED', 'KEPT')),
  -- What of kept money counts for the invoice of its payment.
  applied_minor bigint not null default 0,
  -- Set while no workflow is known to watch over it: the start of one can be lost.
  next_sweep_at timestamptz,
  ${CREATED},
  ${UPDATED},
  unique (attempt_id, validation_id),
  unique (id, application_id, mode),
  foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
  foreign key (attempt_id, application_id, mode) references payment_attempts (id, application_id, mode),
  constraint unapplied_payments_applied_minor_check check (applied_minor between 0 and gross_minor)`,
    indexes: [
      `create index unapplied_payments_gateway_txn_id_idx on unapplied_payments (gateway_txn_id)`,
      `create index unapplied_payments_payment_id_idx on unapplied_payments (payment_id)`,
      `create index unapplied_payments_status_idx on unapplied_payments (status, id desc)`,
      `create index unapplied_payments_next_sweep_at_idx on unapplied_payments (next_sweep_at) where status = 'HELD' and next_sweep_at is not null`,
    ],
    access: {
      app: { rows: OWN, may: 'select, insert, update' },
      operator: { rows: SEEN, may: 'select' },
      system: 'select, insert, update',
      lookup: 'select',
    },
  }),
];
