import { CREATED, CURRENCY, EVERY_ROW, ID, MODE, OWN, SEEN, table, UPDATED } from './table.ts';

/** Rows about a whole account at a gateway: only operators who see every application may see them. */
const WHOLE_STORES = `(select lenden_sees_every_app())`;
const STORE = `
  ${MODE},
  gateway text not null,
  store_id text not null check (length(store_id) between 1 and 120)`;

/** Tables of what gateways pay out: the files that say so, the payouts, and their lines. */
export const PAYOUTS = [
  ...table({
    name: 'payout_mappings',
    about: 'How the columns of the payout files of a gateway, or of one store at it, become lines.',
    columns: `
  ${ID},
  gateway text not null,
  -- Null: every store at the gateway that has none of its own.
  store_id text check (length(store_id) between 1 and 120),
  version integer not null check (version > 0),
  -- JSON, as domain/payouts/mapping.ts reads it.
  mapping text not null check (octet_length(mapping) <= 65536),
  operator_id bigint references operators,
  ${CREATED},
  constraint payout_mappings_version_key unique nulls not distinct (gateway, store_id, version)`,
    appendOnly: true,
    access: { operator: { rows: WHOLE_STORES, may: 'select, insert' }, system: 'select' },
  }),

  ...table({
    name: 'payout_files',
    about:
      'A source of payout lines or bank entries, kept word for word: an uploaded file, or what an API of a gateway said.',
    isUpdated: true,
    columns: `
  ${ID},
  reference text not null unique check (reference ~ '^pof_[0-9A-Za-z]{22}$'),
  ${MODE},
  -- Null for a bank statement: several gateways pay into one account.
  gateway text,
  store_id text check (length(store_id) between 1 and 120),
  -- The owner of the store. Null: the installation.
  store_application_id bigint references applications,
  kind text not null check (kind in ('lines', 'statement', 'api')),
  format text not null check (format in ('csv', 'xlsx', 'camt053', 'mt940', 'api')),
  name text not null check (length(name) between 1 and 255),
  mapping_id bigint references payout_mappings,
  operator_id bigint references operators,
  ${CREATED},
  -- What follows changes.
  byte_count bigint not null default 0 check (byte_count >= 0),
  -- The SHA-256 of the bytes. Null until all of them have come.
  digest bytea check (octet_length(digest) = 32),
  state text not null default 'UPLOADED' check (state in ('UPLOADING', 'UPLOADED', 'IMPORTING', 'IMPORTED', 'REFUSED', 'CANCELLED')),
  problem text,
  problem_text text,
  problem_line integer,
  problem_byte bigint,
  -- Where the import goes on: the rows that were stored or rejected.
  rows_read integer not null default 0,
  lines_added integer not null default 0,
  lines_known integer not null default 0,
  lines_rejected integer not null default 0,
  -- The days of the lines that were added: they are reconciled after the import.
  first_period date,
  last_period date,
  finished_at timestamptz,
  next_sweep_at timestamptz not null default now() + interval '1 minute',
  ${UPDATED},
  unique (id, mode),
  constraint payout_files_store_check check ((kind = 'statement') = (gateway is null) and (gateway is null) = (store_id is null))`,
    indexes: [
      // The same bytes, read in the same way, are one file, however often they are sent.
      `create unique index payout_files_digest_key on payout_files (mode, digest, gateway, store_id, mapping_id) nulls not distinct
  where digest is not null and state <> 'CANCELLED'`,
      `create index payout_files_created_at_idx on payout_files (created_at desc, id desc)`,
      `create index payout_files_next_sweep_at_idx on payout_files (next_sweep_at) where state in ('UPLOADING', 'UPLOADED', 'IMPORTING')`,
    ],
    access: {
      operator: { rows: WHOLE_STORES, may: 'select, insert, update, delete' },
      system: 'select, insert, update, delete',
    },
  }),
  `create policy unfinished on payout_files as restrictive for delete using (state = 'UPLOADING')`,

  ...table({
    name: 'payout_file_chunks',
    about: 'A piece of the bytes of a payout file.',
    columns: `
  file_id bigint not null references payout_files,
  number integer not null check (number >= 0),
  bytes bytea not null check (octet_length(bytes) between 1 and 2097152),
  primary key (file_id, number)`,
    access: { operator: { rows: WHOLE_STORES, may: 'select, insert, delete' }, system: 'select, insert, delete' },
  }),
  `create function lenden_refuse_removal_from_file() returns trigger language plpgsql
  as $$ begin
    if exists (select from payout_files f where f.id = old.file_id and f.state <> 'UPLOADING') then
      raise exception 'a payout file is kept as it was sent: % is refused', tg_op using errcode = 'restrict_violation';
    end if;
    return old;
  end $$`,
  // The bytes of a file are kept word for word. Those of an upload that never ended may be removed.
  `create trigger kept before delete on payout_file_chunks for each row execute function lenden_refuse_removal_from_file()`,
  `create trigger append_only before update or truncate on payout_file_chunks
  for each statement execute function lenden_refuse_change()`,

  ...table({
    name: 'payout_file_rejections',
    about: 'A row of a payout file that could not be read, and why.',
    columns: `
  file_id bigint not null references payout_files,
  line_number integer not null check (line_number > 0),
  code text not null,
  column_name text,
  reason text not null,
  primary key (file_id, line_number)`,
    appendOnly: true,
    access: { operator: { rows: WHOLE_STORES, may: 'select' }, system: 'select, insert' },
  }),

  ...table({
    name: 'payouts',
    about: 'A transfer from a gateway to a bank account.',
    isUpdated: true,
    columns: `
  ${ID},
  reference text not null unique check (reference ~ '^po_[0-9A-Za-z]{22}$'),
  ${STORE},
  store_application_id bigint references applications,
  -- The gateway's name of it; where the gateway gives none, the day of the transfer.
  gateway_reference text not null check (length(gateway_reference) between 1 and 255),
  ${CURRENCY},
  ${CREATED},
  -- What follows changes.
  status text not null default 'EXPECTED' check (status in ('EXPECTED', 'PENDING', 'PAID', 'FAILED', 'CANCELLED')),
  arrives_on date,
  -- Whether its lines can be known at all.
  itemized boolean not null default true,
  -- The amount that the gateway says, and the one that the bank or an operator says.
  stated_minor bigint,
  bank_minor bigint,
  bank_reference text,
  lines integer not null default 0,
  -- The sum of the net amounts of its lines.
  lines_minor bigint not null default 0,
  -- The residual that people have taken as it is.
  accepted_residual_minor bigint,
  -- What had arrived before later entries moved it. If they moved it by more than one person may, people have to accept that.
  bank_base_minor bigint,
  bank_in_doubt boolean not null default false,
  -- Who has last stated the amount alone, and by how much their statements of one day have moved it.
  bank_stated_by bigint references operators,
  bank_stated_at timestamptz,
  bank_stated_moved_minor bigint,
  -- What was posted for its lines or its transfer has changed since the transfer was posted.
  needs_booking boolean not null default false,
  ${UPDATED},
  -- So that their difference can be recorded too.
  constraint payouts_sums_check check (lines_minor between -4611686018427387903 and 4611686018427387903
    and bank_minor between -4611686018427387903 and 4611686018427387903),
  unique (mode, gateway, store_id, gateway_reference, currency),
  constraint payouts_stated_check check (num_nonnulls(bank_stated_by, bank_stated_at, bank_stated_moved_minor) in (0, 3)),
  constraint payouts_doubt_check check (not bank_in_doubt or num_nonnulls(bank_base_minor, bank_minor) = 2)`,
    indexes: [
      `create index payouts_arrives_on_idx on payouts (arrives_on desc, id desc)`,
      `create index payouts_needs_booking_idx on payouts (mode, gateway, id) where needs_booking`,
      // A bank writes a reference in letters of its own.
      `create index payouts_bank_reference_idx on payouts (mode, lower(bank_reference)) where bank_reference is not null`,
      `create index payouts_gateway_reference_idx on payouts (mode, lower(gateway_reference))`,
    ],
    access: { operator: { rows: WHOLE_STORES, may: 'select, update' }, system: 'select, insert, update' },
  }),

  ...table({
    name: 'payout_lines',
    about: 'One movement of money in a payout, as its source says it.',
    columns: `
  ${ID},
  ${STORE},
  payout_id bigint references payouts,
  file_id bigint not null references payout_files,
  file_line integer not null,
  -- Of everything that the source says of the line. Equal lines of one file are numbered, so that overlapping files add none twice.
  fingerprint bytea not null check (octet_length(fingerprint) = 16),
  ordinal integer not null check (ordinal > 0),
  -- The day whose run takes it up.
  period date not null,
  kind text not null check (kind in ('CHARGE', 'REFUND', 'FEE', 'TAX', 'DISPUTE', 'RESERVE', 'ADJUSTMENT')),
  payout_reference text,
  line_reference text,
  gateway_txn_id text,
  attempt_reference text,
  ${CURRENCY},
  gross_minor bigint not null,
  fee_minor bigint not null,
  tax_minor bigint not null,
  net_minor bigint not null,
  original_currency text check (original_currency ~ '^[A-Z]{3}$'),
  exchange_rate text,
  occurred_at timestamptz,
  paid_out_on date,
  description text,
  ${CREATED},
  constraint payout_lines_net_check check (net_minor = gross_minor - fee_minor - tax_minor)`,
    indexes: [
      `create unique index payout_lines_fingerprint_key on payout_lines (fingerprint, ordinal, store_id, gateway, mode)`,
      `create index payout_lines_payout_id_idx on payout_lines (payout_id) where payout_id is not null`,
      // A movement finds its lines by what they may name.
      `create index payout_lines_gateway_txn_id_idx on payout_lines (gateway_txn_id) where gateway_txn_id is not null`,
      `create index payout_lines_attempt_reference_idx on payout_lines (attempt_reference) where attempt_reference is not null`,
      `create index payout_lines_line_reference_idx on payout_lines (line_reference)
  where line_reference is not null and kind in ('REFUND', 'ADJUSTMENT')`,
      // What one person's files say of costs of no charge is added up.
      `create index payout_lines_costs_idx on payout_lines (file_id) where kind in ('FEE', 'TAX', 'RESERVE')`,
      `create index payout_lines_period_idx on payout_lines (mode, gateway, period, id)`,
    ],
    appendOnly: true,
    access: { operator: { rows: WHOLE_STORES, may: 'select' }, system: 'select, insert' },
  }),

  ...table({
    name: 'bank_statements',
    about: 'The balances of one statement of a file, by which it is compared with the one before it.',
    columns: `
  ${ID},
  ${MODE},
  file_id bigint not null references payout_files,
  -- From 1, in the order of the file.
  number integer not null check (number > 0),
  account text not null,
  ${CURRENCY},
  opening_minor bigint not null,
  -- Null: the bank gives no possible date.
  opened_on date,
  closing_minor bigint not null,
  closed_on date,
  unique (file_id, number)`,
    indexes: [`create index bank_statements_closed_on_idx on bank_statements (mode, account, currency, closed_on)`],
    appendOnly: true,
    access: { operator: { rows: WHOLE_STORES, may: 'select' }, system: 'select, insert' },
  }),

  ...table({
    name: 'bank_entries',
    about: 'A booked entry of a bank statement.',
    isUpdated: true,
    columns: `
  ${ID},
  ${MODE},
  file_id bigint not null references payout_files,
  file_line integer not null,
  fingerprint bytea not null check (octet_length(fingerprint) = 16),
  ordinal integer not null check (ordinal > 0),
  account text not null,
  ${CURRENCY},
  amount_minor bigint not null,
  booked_on date not null,
  value_on date,
  bank_reference text,
  remittance text,
  ${CREATED},
  -- What follows changes.
  payout_id bigint references payouts`,
    indexes: [
      `create unique index bank_entries_fingerprint_key on bank_entries (fingerprint, ordinal, account, mode)`,
      `create index bank_entries_payout_id_idx on bank_entries (payout_id) where payout_id is not null`,
      `create index bank_entries_unmatched_idx on bank_entries (mode, currency, booked_on) where payout_id is null`,
    ],
    access: { operator: { rows: WHOLE_STORES, may: 'select' }, system: 'select, insert, update' },
  }),
];

/** Tables of what reconciliation finds: runs, one result for each line and each movement without a line, and cases that people close. */
export const RECONCILIATION = [
  ...table({
    name: 'reconciliation_runs',
    about: 'A matching of the lines of one mode, gateway and day with payments and refunds.',
    isUpdated: true,
    columns: `
  ${ID},
  reference text not null unique check (reference ~ '^rec_[0-9A-Za-z]{22}$'),
  ${MODE},
  gateway text not null,
  period date not null,
  started_by_operator_id bigint references operators,
  ${CREATED},
  -- What follows changes.
  state text not null default 'RUNNING' check (state in ('RUNNING', 'COMPLETED', 'CANCELLED', 'FAILED')),
  step text not null default 'fetching',
  -- Where the step goes on, as JSON.
  position text,
  lines_done integer not null default 0,
  movements_done integer not null default 0,
  ledger_balanced boolean,
  problem text,
  -- Somebody has asked for the day meanwhile: once more from the beginning, before the run ends.
  again boolean not null default false,
  ended_at timestamptz,
  ${UPDATED},
  constraint reconciliation_runs_ended_check check ((ended_at is null) = (state = 'RUNNING'))`,
    indexes: [
      `create unique index reconciliation_runs_running_key on reconciliation_runs (mode, gateway, period) where state = 'RUNNING'`,
      `create index reconciliation_runs_period_idx on reconciliation_runs (mode, period desc, id desc)`,
    ],
    access: {
      operator: { rows: EVERY_ROW, may: 'select, update (again, updated_at)' },
      system: 'select, insert, update',
    },
  }),

  ...table({
    name: 'reconciliation_results',
    about: 'What reconciliation says of a payout line, or of a payment or refund that no line explains yet.',
    isUpdated: true,
    columns: `
  ${ID},
  ${STORE},
  -- The application of the payment, else the owner of the store. Null: the installation.
  application_id bigint references applications,
  line_id bigint references payout_lines,
  line_kind text,
  ${CURRENCY},
  ${CREATED},
  -- What follows changes.
  movement_key text check (length(movement_key) <= 300),
  movement_kind text check (movement_kind in ('CHARGE', 'REFUND')),
  payment_id bigint,
  refund_id bigint,
  unapplied_payment_id bigint,
  gateway_txn_id text,
  period date not null,
  status text not null check (status in ('MATCHED', 'FLAGGED', 'DEFERRED')),
  reason text check (reason in ('MISSING_IN_PAYOUT', 'MISSING_INTERNALLY', 'AMOUNT', 'FEE', 'CURRENCY', 'DUPLICATE',
    'WRONG_STORE', 'REFUND_UNKNOWN')),
  -- A code that says more than the reason.
  detail text not null,
  expected_minor bigint,
  settled_minor bigint,
  fee_expected_minor bigint,
  fee_settled_minor bigint,
  -- What the ledger holds for it: of which application, and as JSON by how much each account was credited.
  booked_application_id bigint references applications,
  booked text,
  -- What a line covers in clearing, in the currency of its movement, if the gateway has converted it.
  converted_currency text check (converted_currency ~ '^[A-Z]{3}$'),
  converted_minor bigint,
  -- People have taken the difference as it is. Ends when the difference changes.
  accepted_at timestamptz,
  -- People have said which movement the line means, or to which account it belongs.
  corrected_movement_key text check (length(corrected_movement_key) <= 300),
  corrected_account text check (corrected_account in ('fees', 'taxes', 'disputes', 'reserve', 'differences')),
  -- Another row says what there is to say of the movement.
  superseded boolean not null default false,
  -- Changes whenever what is said changes, so that a case can tell an old answer from a new one.
  revision integer not null default 1,
  run_id bigint references reconciliation_runs,
  ${UPDATED},
  constraint reconciliation_results_subject_check check (line_id is not null or movement_key is not null),
  constraint reconciliation_results_converted_check check (num_nonnulls(converted_currency, converted_minor) in (0, 2)
    and (converted_minor is null or (booked is not null and converted_currency <> currency))),
  constraint reconciliation_results_flagged_check check ((reason is not null) = (status = 'FLAGGED')),
  constraint reconciliation_results_corrected_check check (num_nonnulls(corrected_movement_key, corrected_account) <= (line_id is not null)::integer)`,
    indexes: [
      `create unique index reconciliation_results_line_id_key on reconciliation_results (line_id) where line_id is not null`,
      `create unique index reconciliation_results_movement_key on reconciliation_results (movement_key) where line_id is null and not superseded`,
      `create index reconciliation_results_movement_key_idx on reconciliation_results (movement_key) where movement_key is not null`,
      `create index reconciliation_results_corrected_movement_key_idx on reconciliation_results (corrected_movement_key)
  where corrected_movement_key is not null`,
      `create index reconciliation_results_corrected_idx on reconciliation_results (line_id)
  where corrected_movement_key is not null or corrected_account is not null`,
      `create index reconciliation_results_period_idx on reconciliation_results (mode, period, id)`,
      `create index reconciliation_results_open_idx on reconciliation_results (mode, gateway, id) where status in ('FLAGGED', 'DEFERRED')`,
      `create index reconciliation_results_payment_id_idx on reconciliation_results (payment_id) where payment_id is not null`,
    ],
    access: { operator: { rows: SEEN, may: 'select' }, system: 'select, insert, update, delete' },
  }),
  // An operator who sees the result of a line may see the line.
  `create policy operator_sees_result on payout_lines for select to lenden_operator
  using (exists (select from reconciliation_results r where r.line_id = payout_lines.id))`,

  ...table({
    name: 'payout_bookings',
    about: 'What one step of reconciliation posted for the lines of a payout: the cause of a ledger transaction.',
    columns: `
  ${ID},
  application_id bigint not null references applications,
  ${MODE},
  gateway text not null,
  ${CURRENCY},
  payout_id bigint references payouts,
  kind text not null check (kind in ('lines', 'converted', 'bank')),
  lines integer not null check (lines >= 0),
  -- As JSON, by how much it credits each account: against the money in transit, or of the kind 'converted', against the gateway's conversion.
  amounts text not null,
  ${CREATED}`,
    indexes: [`create index payout_bookings_payout_id_idx on payout_bookings (payout_id) where payout_id is not null`],
    appendOnly: true,
    access: { operator: { rows: SEEN, may: 'select' }, system: 'select, insert' },
  }),

  ...table({
    name: 'reconciliation_cases',
    about: 'A difference that a person closes, or that later evidence closes.',
    isUpdated: true,
    columns: `
  ${ID},
  reference text not null unique check (reference ~ '^case_[0-9A-Za-z]{22}$'),
  ${MODE},
  gateway text not null,
  application_id bigint references applications,
  kind text not null check (kind in ('result', 'residual', 'refund-by-word', 'dispute')),
  result_id bigint references reconciliation_results,
  payout_id bigint references payouts,
  refund_id bigint,
  dispute_id bigint references disputes,
  ${CREATED},
  -- What follows changes.
  ${CURRENCY},
  reason text not null,
  -- How much is at stake: the absolute difference.
  amount_minor bigint not null check (amount_minor >= 0),
  state text not null default 'OPEN' check (state in ('OPEN', 'ASSIGNED', 'RESOLVED')),
  owner_operator_id bigint references operators,
  resolution text check (resolution in ('EVIDENCE', 'ACCEPTED', 'CORRECTED', 'REFUNDED', 'BOOKED')),
  resolved_at timestamptz,
  ${UPDATED},
  constraint reconciliation_cases_resolved_check check ((state = 'RESOLVED') = (resolved_at is not null and resolution is not null)),
  constraint reconciliation_cases_owner_check check (state <> 'ASSIGNED' or owner_operator_id is not null)`,
    indexes: [
      `create unique index reconciliation_cases_result_key on reconciliation_cases (result_id) where result_id is not null and state <> 'RESOLVED'`,
      `create unique index reconciliation_cases_payout_key on reconciliation_cases (payout_id) where kind = 'residual' and state <> 'RESOLVED'`,
      `create unique index reconciliation_cases_refund_key on reconciliation_cases (refund_id) where kind = 'refund-by-word' and state <> 'RESOLVED'`,
      `create unique index reconciliation_cases_dispute_key on reconciliation_cases (dispute_id) where kind = 'dispute' and state <> 'RESOLVED'`,
      `create index reconciliation_cases_open_idx on reconciliation_cases (created_at, id) where state <> 'RESOLVED'`,
    ],
    access: {
      // The end of a refund by people's word, and a dispute, open their case in the same transaction.
      app: { rows: OWN, may: 'insert' },
      operator: { rows: SEEN, may: 'select, update' },
      system: 'select, insert, update',
    },
  }),

  ...table({
    name: 'reconciliation_case_entries',
    about: 'What happened in a case: a note, a change of its owner, or an action that an operator proposed.',
    isUpdated: true,
    columns: `
  ${ID},
  case_id bigint not null references reconciliation_cases,
  application_id bigint references applications,
  ${MODE},
  kind text not null check (kind in ('note', 'assigned', 'released', 'resolved', 'reopened', 'action')),
  action text check (action in ('query-gateway', 'create-refund', 'post-correction', 'accept')),
  text text check (length(text) <= 2000),
  -- Null: Lenden itself.
  operator_id bigint references operators,
  -- Of an action: what is decided about. An answer that has changed since is not.
  ${CURRENCY.replace(' not null', '')},
  amount_minor bigint,
  -- The most that accepting it can book away, in minor units of its currency: at least the difference.
  at_risk_minor bigint check (at_risk_minor >= 0),
  result_revision integer,
  -- Of a correction: what the line is booked to.
  movement_key text,
  account text,
  needs_second boolean not null default false,
  ${CREATED},
  -- What follows changes.
  second_operator_id bigint references operators,
  seconded_at timestamptz,
  consumed_at timestamptz,
  outcome text check (outcome in ('DONE', 'LAPSED', 'WITHDRAWN', 'FAILED')),
  outcome_text text,
  -- What the gateway said, as JSON.
  answer text,
  constraint reconciliation_case_entries_is_action_check check ((kind = 'action') = (action is not null)),
  constraint reconciliation_case_entries_operator_check check (action is null or operator_id is not null),
  constraint reconciliation_case_entries_correction_check check (
    num_nonnulls(movement_key, account) = (action is not distinct from 'post-correction')::integer),
  constraint reconciliation_case_entries_consumed_check check ((consumed_at is null) = (outcome is null)),
  constraint reconciliation_case_entries_seconded_check check ((second_operator_id is null) = (seconded_at is null)),
  -- Four eyes: not even a mistake in the code lets one person decide twice, or correct alone.
  constraint reconciliation_case_entries_four_eyes_check check (second_operator_id is null or second_operator_id <> operator_id),
  constraint reconciliation_case_entries_two_check check (action is distinct from 'post-correction' or needs_second),
  constraint reconciliation_case_entries_done_check check (
    outcome is distinct from 'DONE' or not needs_second or second_operator_id is not null)`,
    indexes: [
      `create index reconciliation_case_entries_case_id_idx on reconciliation_case_entries (case_id, id)`,
      `create unique index reconciliation_case_entries_open_key on reconciliation_case_entries (case_id) where kind = 'action' and consumed_at is null`,
      `create index reconciliation_case_entries_decided_idx on reconciliation_case_entries (id)
  where kind = 'action' and consumed_at is null and (not needs_second or second_operator_id is not null)`,
      `create index reconciliation_case_entries_operator_id_idx on reconciliation_case_entries (operator_id, created_at) where kind = 'action'`,
    ],
    access: {
      // What an operator accepted counts towards the threshold of their refunds, which are made in the application's scope.
      app: { rows: `${OWN} and kind = 'action'`, may: 'select' },
      operator: { rows: SEEN, may: 'select, insert, update' },
      system: 'select, insert, update',
    },
  }),
];
