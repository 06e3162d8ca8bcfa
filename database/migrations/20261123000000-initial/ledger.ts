import { CREATED, CURRENCY, EVERY_ROW, ID, MODE, OWN, SEEN, table } from './table.ts';

/**
 * Tables of the double-entry ledger: journal entries of postings between accounts. Each row is sealed into a hash chain. The database sets a row's
 * id, time and transaction number; a client cannot choose them.
 */
export const LEDGER = [
  ...table({
    name: 'ledger_accounts',
    about: 'An account of an application in one mode and currency.',
    columns: `
  ${ID},
  application_id bigint not null references applications,
  ${MODE},
  ${CURRENCY},
  name text not null check (name ~ '^[a-z]+(:[a-z0-9-]+)*$'),
  normal_side text not null check (normal_side in ('debit', 'credit')),
  ${CREATED},
  unique (application_id, mode, currency, name),
  unique (id, application_id, mode, currency)`,
    appendOnly: true,
    access: writtenOnce('application_id, mode, currency, name, normal_side'),
  }),

  ...table({
    name: 'ledger_transactions',
    about: 'What one cause posted, once.',
    columns: `
  id bigint generated always as identity,
  -- Of the accounts of its postings.
  application_id bigint not null,
  ${MODE},
  ${CURRENCY},
  cause_type text not null,
  cause_id text not null,
  kind text not null,
  reverses_id bigint,
  -- The database's own number of the writing transaction: sealing orders by it, since ids may commit out of order.
  xid xid8 not null default pg_current_xact_id(),
  ${CREATED},
  -- One index finds a row by its id and serves the foreign keys.
  primary key (id, application_id, mode, currency),
  unique (cause_type, cause_id, kind),
  constraint ledger_transactions_reverses_id_fkey foreign key (reverses_id, application_id, mode, currency)
    references ledger_transactions (id, application_id, mode, currency)`,
    indexes: [
      `create index ledger_transactions_xid_idx on ledger_transactions (xid, id)`,
      `create index ledger_transactions_reverses_id_idx on ledger_transactions (reverses_id) where reverses_id is not null`,
    ],
    appendOnly: true,
    access: writtenOnce('application_id, mode, currency, cause_type, cause_id, kind, reverses_id'),
  }),

  ...table({
    name: 'ledger_postings',
    about: 'An amount that a transaction moves from the account that it credits to the account that it debits.',
    columns: `
  ${ID},
  transaction_id bigint not null,
  application_id bigint not null,
  ${MODE},
  ${CURRENCY},
  debit_account_id bigint not null,
  credit_account_id bigint not null,
  amount_minor bigint not null check (amount_minor > 0),
  ${CREATED},
  constraint ledger_postings_accounts_check check (debit_account_id <> credit_account_id),
  constraint ledger_postings_transaction_id_fkey foreign key (transaction_id, application_id, mode, currency)
    references ledger_transactions (id, application_id, mode, currency),
  constraint ledger_postings_debit_account_id_fkey foreign key (debit_account_id, application_id, mode, currency)
    references ledger_accounts (id, application_id, mode, currency),
  constraint ledger_postings_credit_account_id_fkey foreign key (credit_account_id, application_id, mode, currency)
    references ledger_accounts (id, application_id, mode, currency)`,
    indexes: [
      `create index ledger_postings_transaction_id_idx on ledger_postings (transaction_id)`,
      `create index ledger_postings_debit_account_id_idx on ledger_postings (debit_account_id) include (amount_minor)`,
      `create index ledger_postings_credit_account_id_idx on ledger_postings (credit_account_id) include (amount_minor)`,
    ],
    appendOnly: true,
    access: writtenOnce(
      'transaction_id, application_id, mode, currency, debit_account_id, credit_account_id, amount_minor',
    ),
  }),

  `create function lenden_refuse_late_posting() returns trigger language plpgsql
  as $$ begin
    -- By array, so that the primary key is used whatever the statistics say: a join reads the whole table while there are none.
    if exists (select from ledger_transactions t
        where t.id = any (array(select transaction_id from added)) and t.xid <> pg_current_xact_id()) then
      raise exception 'a posting is written together with its ledger transaction, never added to an older one' using errcode = 'restrict_violation';
    end if;
    return null;
  end $$`,
  `create trigger written_together after insert on ledger_postings referencing new table as added
  for each statement execute function lenden_refuse_late_posting()`,

  ...table({
    name: 'ledger_seals',
    about: 'A link of the hash chain over the ledger.',
    columns: `
  id bigint primary key check (id > 0),
  encoding smallint not null check (encoding > 0),
  -- Transaction numbers belong to one cluster: after a restore into another one they mean nothing.
  cluster text not null,
  through_xid xid8 not null,
  through_id bigint not null check (through_id >= 0),
  transactions integer not null check (transactions > 0),
  total_transactions bigint not null,
  row_count integer not null check (row_count > 0),
  previous_hash bytea not null unique check (octet_length(previous_hash) = 32),
  hash bytea not null unique check (octet_length(hash) = 32),
  ${CREATED},
  constraint ledger_seals_total_transactions_check check (total_transactions >= transactions)`,
    appendOnly: true,
    access: { operator: { rows: EVERY_ROW, may: 'select' }, system: 'select, insert' },
  }),

  ...table({
    name: 'ledger_verifications',
    about: 'What a verification of the whole ledger found, for people to see when it was last proven.',
    columns: `
  ${ID},
  finding_count integer not null check (finding_count >= 0),
  -- The first one, in words.
  first_finding text check (length(first_finding) <= 500),
  -- The last seal of the chain that was verified. Null: there was none.
  last_seal_id bigint,
  sealed_transactions bigint not null check (sealed_transactions >= 0),
  -- How many heads that the sealer recorded in Temporal were compared, and how many charges were queried at the gateways. Null: none was asked for.
  witnesses integer,
  queried_charges integer,
  ${CREATED},
  constraint ledger_verifications_findings_check check ((finding_count = 0) = (first_finding is null))`,
    appendOnly: true,
    access: { operator: { rows: EVERY_ROW, may: 'select' }, system: 'select, insert' },
  }),

  ...table({
    name: 'ledger_sealed_rows',
    about: 'A row of the ledger that a seal covers, with its digest.',
    columns: `
  seal_id bigint not null references ledger_seals,
  position integer not null check (position > 0),
  table_name text not null check (table_name in ('ledger_accounts', 'ledger_transactions', 'ledger_postings')),
  row_id bigint not null,
  digest bytea not null check (octet_length(digest) = 32),
  primary key (seal_id, position),
  unique (table_name, row_id)`,
    appendOnly: true,
    access: { system: 'select, insert' },
  }),
];

function writtenOnce(columns: string) {
  const may = `select, insert (${columns})`;
  return { app: { rows: OWN, may }, operator: { rows: SEEN, may: 'select' }, system: may };
}
