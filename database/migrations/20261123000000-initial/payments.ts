import { ownedByLookup } from './roles.ts';
import { AMOUNT_MAX, CREATED, CURRENCY, CONTRACT, ID, MODE, OWN, SEEN, table, UPDATED } from './table.ts';

/** Tables of payments and their attempts at gateways. */
export const PAYMENTS = [
  ...table({
    name: 'payments',
    about: 'A request of an application for money, from its creation to its end.',
    isUpdated: true,
    columns: `
  ${ID},
  application_id bigint not null references applications,
  ${MODE},
  reference text not null unique,
  -- The contract in which it was made; its events and the payer's way back follow it.
  ${CONTRACT},
  amount_minor bigint not null check (amount_minor > 0 and amount_minor <= ${AMOUNT_MAX}),
  ${CURRENCY},
  -- The invoice that it pays.
  invoice_id bigint,
  customer_reference text not null,
  customer_email text,
  customer_phone text,
  customer_name text,
  product_name text,
  -- The merchant's own number of the order.
  merchant_reference text,
  -- JSON as it was sent. As text, since jsonb does not keep every number to the digit.
  metadata text check (octet_length(metadata) <= 65536),
  return_url text,
  cancel_url text,
  -- What the payer may choose from. Null: the application has chosen.
  gateway_choices text[],
  -- How far its test clock is ahead.
  clock_offset interval not null default interval '0 seconds',
  ${CREATED},
  -- What follows changes.
  -- Null until the payer has chosen.
  gateway text,
  gateway_redirect_url text,
  gateway_txn_id text,
  status text not null default 'CREATED' check (status in
    ('CREATED', 'PENDING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED', 'PARTIALLY_REFUNDED', 'REFUNDED')),
  failure_code text,
  review_reason text,
  review_since timestamptz,
  cancel_requested_at timestamptz,
  expires_at timestamptz not null,
  -- When our page first sent the payer to a gateway: from then on money may be on its way without a callback.
  led_on_at timestamptz,
  paid_at timestamptz,
  ended_at timestamptz,
  fee_minor bigint check (fee_minor >= 0),
  -- What of a paid payment was more than its invoice still asked for.
  overpayment_minor bigint not null default 0,
  event_sequence integer not null default 0,
  -- A callback's signal is on its way; when the last one was sent, with a valid signature and without, and for which attempt.
  callback_signalled_at timestamptz,
  last_signalled_at timestamptz,
  last_signalled_attempt_id bigint,
  last_unsigned_signalled_at timestamptz,
  next_sweep_at timestamptz not null,
  ${UPDATED},
  -- Also the order of an application's list. A foreign key may name the columns of its target in any order.
  unique (application_id, mode, id),
  foreign key (invoice_id, application_id, mode) references invoices (id, application_id, mode),
  constraint payments_gateway_check check (gateway is not null or gateway_choices is not null),
  constraint payments_review_check check ((review_reason is null) = (review_since is null)),
  constraint payments_paid_check check ((paid_at is not null) = (status in ('SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED'))),
  constraint payments_ended_check check ((ended_at is null) = (status in ('CREATED', 'PENDING'))),
  constraint payments_overpayment_minor_check check (overpayment_minor between 0 and amount_minor),
  -- Real money never gets another time than the database's.
  constraint payments_clock_offset_check check (mode = 'TEST' or clock_offset = interval '0 seconds')`,
    indexes: [
      `create index payments_customer_reference_idx on payments (application_id, mode, customer_reference, id desc)`,
      // The ShadhinPay contract identifies a payment by its order number. In the other contracts order numbers may repeat.
      `create unique index payments_merchant_reference_key on payments (application_id, mode, merchant_reference) where contract = 'shadhinpay'`,
      `create index payments_invoice_id_idx on payments (invoice_id) where invoice_id is not null`,
      `create index payments_created_at_idx on payments (created_at desc, id desc)`,
      // What reports do not find in the summaries, and what the summaries take up next.
      `create index payments_ended_at_idx on payments (ended_at) where ended_at is not null`,
      `create index payments_amount_minor_idx on payments (amount_minor desc, id desc)`,
      // Operators list and count the payments that did not go well. Nearly all succeed, so these are few, and a payment that succeeds is in no entry.
      `create index payments_status_idx on payments (status, created_at desc, id desc) include (application_id, mode)
  where status in ('FAILED', 'CANCELLED', 'EXPIRED', 'PARTIALLY_REFUNDED', 'REFUNDED')`,
      `create index payments_review_since_idx on payments (review_since) where review_reason is not null`,
      `create index payments_next_sweep_at_idx on payments (next_sweep_at) where status in ('CREATED', 'PENDING')`,
    ],
    access: {
      app: { rows: OWN, may: 'select, insert, update' },
      // Operators read payments without the customer's contact.
      operator: {
        rows: SEEN,
        may: `select (id, application_id, mode, reference, contract, amount_minor, currency, invoice_id, customer_reference, product_name,
          merchant_reference, metadata, return_url, cancel_url, gateway_choices, clock_offset, created_at, gateway, gateway_redirect_url,
          gateway_txn_id, status, failure_code, review_reason, review_since, cancel_requested_at, expires_at, led_on_at, paid_at, ended_at,
          fee_minor, overpayment_minor, event_sequence, callback_signalled_at, last_signalled_at, last_signalled_attempt_id,
          last_unsigned_signalled_at, next_sweep_at, updated_at)`,
      },
      system: 'select, insert, update',
      lookup: 'select (id, application_id, mode, reference, customer_name, customer_email, customer_phone)',
    },
  }),
  // Returns the customer's contact of one payment in the operator's view. Whoever asks writes it to the audit log.
  `create function lenden_customer_contact(wanted bigint) returns jsonb
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select jsonb_build_object('name', customer_name, 'email', customer_email, 'phone', customer_phone) from public.payments
    where id = wanted and (${SEEN}) $$`,
  ...ownedByLookup('lenden_customer_contact(bigint)', 'lenden_operator'),
  // A payment and its idempotency key are written in one statement, so the id is drawn from the sequence first.
  `grant usage on sequence payments_id_seq to lenden_app`,

  ...table({
    name: 'payment_attempts',
    about: 'One try to collect a payment at one gateway, with what the gateway said of it.',
    isUpdated: true,
    columns: `
  id bigint generated always as identity,
  application_id bigint not null,
  ${MODE},
  payment_id bigint not null,
  number integer not null check (number > 0),
  -- The name that the gateway knows it by.
  reference text not null unique check (reference ~ '^[0-9A-Za-z]{20}$'),
  gateway text not null,
  store_id text not null,
  ${CREATED},
  -- What follows changes.
  session_key text,
  gateway_url text,
  opened_at timestamptz,
  status text not null default 'CREATED' check (status in
    ('CREATED', 'OPEN', 'REFUSED', 'CONFIRMED', 'FAILED', 'CANCELLED', 'CLOSED', 'UNKNOWN')),
  failure_code text,
  validation_id text,
  gateway_txn_id text,
  gross_minor bigint check (gross_minor > 0),
  fee_minor bigint check (fee_minor >= 0),
  net_text text,
  evidence text,
  -- The payer has gone on to another gateway: what is still paid here is recorded, but we move no money for it.
  superseded_at timestamptz,
  confirmed_at timestamptz,
  -- When the gateway is queried again, where it announces no charges. Null: never again.
  query_again_at timestamptz,
  queried_again integer not null default 0 check (queried_again >= 0),
  -- Where money moves only by our own call (bKash's execution): the calls that were sent, and what is not known of them.
  executions_sent integer not null default 0 check (executions_sent >= 0),
  -- The gateway may be at work on an execution until then. Left behind by a process that died, it is a doubt.
  execution_at_work_until timestamptz,
  -- What an execution may have moved although the gateway's query does not show it.
  execution_doubt text check (execution_doubt in ('LOST', 'EXECUTED')),
  -- The gateway took an execution for a duplicate: no machine sends another one.
  execution_barred boolean not null default false,
  -- Callbacks without a valid signature that named this attempt: all are counted, the first hundred payloads are kept.
  unsigned_callbacks integer not null default 0,
  ${UPDATED},
  -- One index finds a row by its id and serves the foreign keys.
  primary key (id, application_id, mode),
  unique (payment_id, number),
  foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
  constraint payment_attempts_confirmed_check check (status <> 'CONFIRMED' or (gross_minor is not null and fee_minor is not null and evidence is not null)),
  constraint payment_attempts_executions_check check (executions_sent > 0
    or (execution_at_work_until is null and execution_doubt is null and not execution_barred))`,
    indexes: [
      // Two workers may learn of two charges of one payment at the same time. Only one charge can confirm the payment; the other becomes an
      // unapplied payment.
      `create unique index payment_attempts_confirmed_key on payment_attempts (payment_id) where confirmed_at is not null`,
      // One charge confirms one attempt. A manual charge is identified by the payer's transaction number, which manual_confirmations keeps unique
      // per account.
      `create unique index payment_attempts_validation_id_key on payment_attempts (gateway, mode, store_id, validation_id)
  where validation_id is not null and gateway <> 'manual'`,
      // A line of a payout names a charge by it.
      `create index payment_attempts_gateway_txn_id_idx on payment_attempts (gateway_txn_id) where gateway_txn_id is not null`,
      `create index payment_attempts_query_again_at_idx on payment_attempts (query_again_at) where query_again_at is not null`,
    ],
    access: {
      app: { rows: OWN, may: 'select, insert, update' },
      operator: { rows: SEEN, may: 'select' },
      system: 'select, insert, update',
      lookup: 'select',
    },
  }),

  // A callback is verified before its scope is known, with the secret of the store where its attempt was opened. The secret is sealed, so other
  // callers cannot use it.
  `create function lenden_find_attempt(at_gateway text, wanted text)
  returns table (attempt_id bigint, payment_id bigint, application_id bigint, mode text, store_id text, store_secret text)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select a.id, a.payment_id, a.application_id, a.mode, a.store_id,
      lenden_store_secret(a.application_id, a.mode, a.gateway, a.store_id)
    from public.payment_attempts a where a.reference = wanted and a.gateway = at_gateway $$`,
  ...ownedByLookup('lenden_find_attempt(text, text)', 'lenden_app'),

  // Returns ids only. The rows themselves are read within their scope.
  `create function lenden_find_payment(wanted text)
  returns table (id bigint, application_id bigint, mode text)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select p.id, p.application_id, p.mode from public.payments p where p.reference = wanted $$`,
  ...ownedByLookup('lenden_find_payment(text)', 'lenden_app'),

  ...table({
    name: 'idempotency_keys',
    about: 'A key of an application for a request, with what the request made and the answer that repetitions get.',
    isUpdated: true,
    columns: `
  application_id bigint not null references applications,
  ${MODE},
  operation text not null,
  key text not null check (length(key) between 1 and 255),
  fingerprint bytea not null,
  payment_id bigint,
  refund_id bigint,
  invoice_id bigint,
  ${CREATED},
  expires_at timestamptz not null,
  -- What follows changes.
  lease_until timestamptz not null,
  response_status integer,
  response_body text,
  primary key (application_id, mode, operation, key),
  constraint idempotency_keys_response_check check ((response_status is null) = (response_body is null))`,
    indexes: [`create index idempotency_keys_expires_at_idx on idempotency_keys (expires_at)`],
    access: { app: { rows: OWN, may: 'select, insert, update' }, system: 'select, insert, update, delete' },
  }),
];
