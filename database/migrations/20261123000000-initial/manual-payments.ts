import { CREATED, ID, MODE, OWN, SEEN, table } from './table.ts';

export const MANUAL_PAYMENTS = [
  ...table({
    name: 'manual_submissions',
    about:
      'The transaction number that a payer wrote for a manual payment; a correction is one more row, and the newest counts.',
    columns: `
  ${ID},
  application_id bigint not null,
  ${MODE},
  payment_id bigint not null,
  attempt_id bigint not null,
  -- Whose account the payer was asked to pay into when they wrote: an application's own or, with null, the installation's.
  store_application_id bigint references applications,
  -- As the payer wrote it.
  transaction text not null check (length(transaction) between 4 and 64),
  -- As it is compared.
  normalized text not null check (length(normalized) between 4 and 64 and normalized ~ '^[0-9A-Z]+$'),
  sender text check (length(sender) between 1 and 120),
  ${CREATED},
  unique (id, application_id, mode),
  foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
  foreign key (attempt_id, application_id, mode) references payment_attempts (id, application_id, mode)`,
    indexes: [
      `create index manual_submissions_attempt_id_idx on manual_submissions (attempt_id, id desc)`,
      `create index manual_submissions_normalized_idx on manual_submissions (mode, normalized)`,
      `create index manual_submissions_application_id_mode_idx on manual_submissions (application_id, mode)`,
      `create index manual_submissions_created_at_idx on manual_submissions (created_at desc, id desc)`,
    ],
    appendOnly: true,
    access: {
      app: { rows: OWN, may: 'select, insert' },
      operator: { rows: SEEN, may: 'select' },
      system: 'select',
      lookup: 'select',
    },
  }),
];
