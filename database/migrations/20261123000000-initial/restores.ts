import { CREATED, ID, MODE, table, UPDATED } from './table.ts';

/**
 * The table of restores from a backup. `npm run restore` adds one row per restore, so that every gap in the ledger has a recorded
 * reason.
 */
export const RESTORES = [
  ...table({
    name: 'restores',
    about: 'When an older state of the database came back, and the last seal that it had.',
    columns: `
  ${ID},
  last_seal_id bigint not null check (last_seal_id >= 0),
  restored_at timestamptz not null default now()`,
    appendOnly: true,
    access: { system: 'select, insert' },
  }),

  ...table({
    name: 'dispute_searches',
    about: 'Since when disputes are looked for at the gateways, because a restore may have lost some.',
    isUpdated: true,
    columns: `
  ${ID},
  since timestamptz not null,
  ${CREATED},
  -- What follows changes.
  sweeps integer not null default 0,
  -- Null: it has ended.
  next_sweep_at timestamptz default now(),
  ${UPDATED}`,
    indexes: [
      `create index dispute_searches_next_sweep_at_idx on dispute_searches (next_sweep_at) where next_sweep_at is not null`,
    ],
    access: { system: 'select, insert, update' },
  }),

  ...table({
    name: 'lost_invoice_numbers',
    about: 'Invoice numbers that customers hold and that no invoice has any more.',
    columns: `
  application_id bigint not null references applications,
  ${MODE},
  first_number bigint not null check (first_number > 0),
  last_number bigint not null,
  ${CREATED},
  primary key (application_id, mode, first_number),
  constraint lost_invoice_numbers_last_number_check check (last_number >= first_number)`,
    appendOnly: true,
    access: { system: 'select, insert' },
  }),
];
