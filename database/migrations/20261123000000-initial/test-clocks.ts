import { CREATED, ID, OWN, table } from './table.ts';

export const TEST_CLOCKS = [
  ...table({
    name: 'clock_skips',
    about: 'A time that the workflow of a TEST object still has to skip, after the test clock of its row was moved.',
    columns: `
  ${ID},
  application_id bigint not null,
  -- Real money never gets another time than the database's.
  mode text not null check (mode = 'TEST'),
  -- Whose clock was moved: its lock makes moves follow one another.
  payment_id bigint,
  invoice_id bigint,
  -- The name of the skip at the Temporal server, so that none is made twice.
  skip_id text not null unique,
  workflow text not null check (workflow in ('payment', 'unappliedPayment', 'refund', 'invoice', 'webhook')),
  reference text not null,
  by_seconds integer not null check (by_seconds > 0),
  -- Until then the process that holds it is at work on it.
  claimed_until timestamptz not null,
  ${CREATED},
  foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
  foreign key (invoice_id, application_id, mode) references invoices (id, application_id, mode),
  constraint clock_skips_subject_check check (num_nonnulls(payment_id, invoice_id) = 1)`,
    indexes: [
      `create index clock_skips_payment_id_idx on clock_skips (payment_id) where payment_id is not null`,
      `create index clock_skips_invoice_id_idx on clock_skips (invoice_id) where invoice_id is not null`,
    ],
    access: { app: { rows: OWN, may: 'select, insert, update, delete' } },
  }),
];
