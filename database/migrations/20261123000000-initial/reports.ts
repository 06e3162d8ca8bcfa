import { CURRENCY, EVERY_ROW, MODE, SEEN, table } from './table.ts';

/** What identifies a summary: a period that begins at `starts_at`, and whose payments. */
const SUMMARIZED = `
  span text not null check (span in ('hour', 'day')),
  ${MODE},
  starts_at timestamptz not null,
  application_id bigint not null references applications,
  ${CURRENCY},
  -- Empty: the payment ended before a gateway was chosen.
  gateway text not null`;
const KEY = 'span, mode, starts_at, application_id, currency, gateway';

const access = {
  operator: { rows: SEEN, may: 'select' },
  system: 'select, insert, update, delete',
};

/** Tables of summaries, which reports add up instead of payments and refunds. docs/reports.md explains why the results are the same. */
export const REPORTS = [
  ...table({
    name: 'report_sums',
    about: 'The figures of one hour or day, of the payments and refunds that the summaries of reports have taken up.',
    isUpdated: true,
    columns: `${SUMMARIZED},
  -- By the hour or day in which the payment was created.
  succeeded integer not null,
  failed integer not null,
  cancelled integer not null,
  expired integer not null,
  -- By the hour or day in which the money moved. Sums of amounts may exceed a bigint.
  paid integer not null,
  gross_minor numeric not null,
  fee_minor numeric not null,
  refunds integer not null,
  refunded_minor numeric not null,
  primary key (${KEY})`,
    access,
  }),

  ...table({
    name: 'report_times',
    about: 'How many of the payments that were paid in one hour or day took how long, in steps of TIME_TO_PAY_STEPS.',
    isUpdated: true,
    columns: `${SUMMARIZED},
  seconds integer not null,
  payments integer not null,
  primary key (${KEY}, seconds)`,
    access,
  }),

  ...table({
    name: 'report_progress',
    about: 'The only row says how far the summaries of reports reach.',
    isUpdated: true,
    columns: `
  id smallint primary key default 1 check (id = 1),
  -- Whose hours and days are summarized.
  time_zone text not null default '',
  -- Every payment and refund that ended before it is in the summaries, and none that ended later.
  through timestamptz not null default '-infinity',
  -- Every transaction that began before it has ended, so that no row with an earlier time can appear any more.
  complete_until timestamptz not null default '-infinity',
  -- When the running transactions were listed; once all of them have ended, that time is complete.
  fence_at timestamptz,
  fence text[]`,
    seed: `insert into report_progress default values`,
    access: { operator: { rows: EVERY_ROW, may: 'select' }, system: 'select, update' },
  }),
];
