import { ownedByLookup } from './roles.ts';
import { AMOUNT_MAX, CREATED, CURRENCY, ID, MODE, OWN, OWN_IN_BOTH_MODES, SEEN, table, UPDATED } from './table.ts';

const OF_INVOICE = `foreign key (invoice_id, application_id, mode) references invoices (id, application_id, mode)`;

/** Tables of invoices with their lines, schedules, numbers, notices and branding. */
export const INVOICES = [
  ...table({
    name: 'invoice_counters',
    about: 'The last invoice number of an application: a row and no sequence, so that an unused number is given back.',
    columns: `
  application_id bigint not null references applications,
  ${MODE},
  last_number bigint not null check (last_number > 0),
  primary key (application_id, mode)`,
    access: { app: { rows: OWN, may: 'select, insert, update' }, system: 'select, insert, update' },
  }),

  ...table({
    name: 'invoices',
    about: 'A bill of an application to a customer, with its totals and what of them is paid.',
    columns: `
  ${ID},
  application_id bigint not null references applications,
  ${MODE},
  -- Names the payable page and the workflow.
  reference text not null unique check (reference ~ '^(pay|sp_inv)_[0-9A-Za-z]{22}$'),
  -- The contract in which it was made; its events and payments follow it.
  contract text not null default 'native' check (contract in ('native', 'shadhinpay')),
  status text not null default 'DRAFT' check (status in ('DRAFT', 'ISSUED', 'PARTIALLY_PAID', 'PAID', 'VOID')),
  number bigint check (number > 0),
  -- Shown within the number, where the contract puts the business there. The number itself is of the one counter.
  number_label text check (number_label ~ '^HB_[0-9a-f]{4}$'),
  ${CURRENCY},
  customer_reference text not null,
  customer_email text,
  customer_phone text,
  customer_name text,
  customer_address text,
  language text not null check (language in ('en', 'bn')),
  notes text,
  rounding text not null check (rounding in ('HALF_UP', 'HALF_EVEN', 'DOWN', 'UP')),
  discount jsonb,
  taxes jsonb not null,
  -- What lines, discounts and taxes came to: an issued invoice never changes with the code that adds up.
  tax_totals jsonb not null,
  subtotal_minor bigint not null check (subtotal_minor >= 0),
  discount_minor bigint not null,
  tax_minor bigint not null check (tax_minor >= 0),
  total_minor bigint not null check (total_minor between 1 and ${AMOUNT_MAX}),
  paid_minor bigint not null default 0,
  partial_payments boolean not null,
  reminders jsonb not null,
  due_date date,
  -- The day on which the next unpaid part is due. Null: nothing is due.
  next_due_date date,
  -- Where payers go after the payment. Null: to the invoice's page.
  return_url text,
  -- Null: never.
  expires_at timestamptz,
  -- When its page was first opened, since it was issued or since the last attempt to pay that failed.
  viewed_at timestamptz,
  paused_at timestamptz,
  issued_at timestamptz,
  paid_at timestamptz,
  voided_at timestamptz,
  -- Void because it was unpaid at expires_at, not because somebody voided it.
  expired_at timestamptz,
  event_sequence integer not null default 0,
  next_sweep_at timestamptz,
  -- How far its test clock is ahead.
  clock_offset interval not null default interval '0 seconds',
  ${CREATED},
  ${UPDATED},
  unique (id, application_id, mode),
  unique (application_id, mode, number),
  constraint invoices_discount_minor_check check (discount_minor between 0 and subtotal_minor),
  constraint invoices_sum_check check (total_minor = subtotal_minor - discount_minor + tax_minor),
  constraint invoices_paid_minor_check check (paid_minor between 0 and total_minor),
  constraint invoices_issued_check check ((number is null) = (status = 'DRAFT') and (issued_at is null) = (status = 'DRAFT')),
  constraint invoices_voided_check check ((voided_at is not null) = (status = 'VOID')),
  constraint invoices_expired_check check (expired_at is null or (status = 'VOID' and expires_at is not null)),
  -- Paid and due make the total at every instant, and the status follows from them.
  constraint invoices_paid_status_check check (case when status in ('DRAFT', 'VOID') then paid_minor = 0
    else status = case when paid_minor = total_minor then 'PAID' when paid_minor > 0 then 'PARTIALLY_PAID' else 'ISSUED' end end),
  -- Real money never gets another time than the database's.
  constraint invoices_clock_offset_check check (mode = 'TEST' or clock_offset = interval '0 seconds')`,
    indexes: [
      `create index invoices_application_id_mode_idx on invoices (application_id, mode, id desc)`,
      `create index invoices_customer_reference_idx on invoices (application_id, mode, customer_reference, id desc)`,
      `create index invoices_status_idx on invoices (application_id, mode, status, id desc)`,
      `create index invoices_next_sweep_at_idx on invoices (next_sweep_at) where next_sweep_at is not null`,
    ],
    access: {
      app: { rows: OWN, may: 'select, insert, update, delete' },
      // Operators read invoices without the customer's contact.
      operator: {
        rows: SEEN,
        may: `select (id, application_id, mode, reference, contract, status, number, number_label, currency, customer_reference, language, notes, rounding,
          discount, taxes, tax_totals, subtotal_minor, discount_minor, tax_minor, total_minor, paid_minor, partial_payments, reminders, due_date,
          next_due_date, return_url, expires_at, viewed_at, paused_at, issued_at, paid_at, voided_at, expired_at, event_sequence, clock_offset,
          created_at, updated_at)`,
      },
      system: 'select, insert, update',
      lookup: 'select (id, application_id, mode, reference, status)',
    },
  }),
  // Returns ids only, as `lenden_find_payment` does. A draft has no public page.
  `create function lenden_find_invoice(wanted text)
  returns table (id bigint, application_id bigint, mode text)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select i.id, i.application_id, i.mode from public.invoices i where i.reference = wanted and i.status <> 'DRAFT' $$`,
  ...ownedByLookup('lenden_find_invoice(text)', 'lenden_app'),

  // An issued invoice cannot be deleted, and its lines cannot be removed or replaced.
  `create policy only_drafts_are_deleted on invoices as restrictive for delete to lenden_app using (status = 'DRAFT')`,

  ...table({
    name: 'invoice_items',
    about: 'A line of an invoice.',
    columns: `
  ${ID},
  application_id bigint not null,
  ${MODE},
  invoice_id bigint not null,
  position integer not null check (position > 0),
  description text not null,
  qty bigint not null check (qty > 0),
  unit_amount_minor bigint not null check (unit_amount_minor >= 0),
  discount jsonb,
  taxes jsonb not null,
  line_total_minor bigint not null,
  discount_minor bigint not null,
  tax_minor bigint not null check (tax_minor >= 0),
  unique (invoice_id, position),
  ${OF_INVOICE} on delete cascade,
  constraint invoice_items_line_total_minor_check check (line_total_minor = qty * unit_amount_minor),
  constraint invoice_items_discount_minor_check check (discount_minor between 0 and line_total_minor)`,
    access: {
      app: { rows: OWN, may: 'select, insert, delete' },
      operator: { rows: SEEN, may: 'select' },
      system: 'select, insert, update',
    },
  }),
  `create policy only_drafts_lose_lines on invoice_items as restrictive for delete to lenden_app
  using (exists (select from invoices i where i.id = invoice_id and i.status = 'DRAFT'))`,
  `create policy only_drafts_gain_lines on invoice_items as restrictive for insert to lenden_app
  with check (exists (select from invoices i where i.id = invoice_id and i.status = 'DRAFT'))`,

  ...table({
    name: 'invoice_installments',
    about: 'A part of an invoice that is due on a day of its own.',
    columns: `
  ${ID},
  application_id bigint not null,
  ${MODE},
  invoice_id bigint not null,
  position integer not null check (position > 0),
  due_date date not null,
  amount_minor bigint not null check (amount_minor > 0 and amount_minor <= ${AMOUNT_MAX}),
  unique (invoice_id, position),
  ${OF_INVOICE} on delete cascade`,
    access: {
      app: { rows: OWN, may: 'select, insert, delete' },
      operator: { rows: SEEN, may: 'select' },
      system: 'select, insert, update',
    },
  }),

  ...table({
    name: 'invoice_notices',
    about: 'A reminder of a due date, given once, and the outbox of its email.',
    columns: `
  ${ID},
  application_id bigint not null,
  ${MODE},
  invoice_id bigint not null,
  kind text not null check (kind in ('reminder', 'overdue')),
  due_date date not null,
  offset_days integer not null,
  skipped boolean not null,
  email_status text not null check (email_status in ('NONE', 'PENDING', 'SENT', 'REFUSED', 'GIVEN_UP')),
  email_tries integer not null default 0,
  email_due_at timestamptz,
  email_error text,
  ${CREATED},
  ${UPDATED},
  unique (invoice_id, kind, due_date, offset_days),
  ${OF_INVOICE},
  constraint invoice_notices_mail_check check ((email_due_at is not null) = (email_status = 'PENDING'))`,
    access: { app: { rows: OWN, may: 'select, insert, update' }, system: 'select, insert, update' },
  }),

  ...table({
    name: 'invoice_templates',
    about: "An application's branding of its invoices and receipts.",
    columns: `
  application_id bigint primary key references applications,
  logo_url text check (length(logo_url) <= 2048),
  company_name text,
  company_address text,
  contact_details text,
  footer_note text,
  accent_color text,
  -- The picture as it was when the template was set: a document never depends on somebody's server.
  logo bytea check (octet_length(logo) <= 1000000),
  logo_type text check (logo_type in ('png', 'jpeg')),
  ${CREATED},
  ${UPDATED},
  constraint invoice_templates_logo_with_type_check check ((logo is null) = (logo_type is null))`,
    access: { app: { rows: OWN_IN_BOTH_MODES, may: 'select, insert, update' }, system: 'select, insert, update' },
  }),
];
