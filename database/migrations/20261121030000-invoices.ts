import { Migration } from '@mikro-orm/migrations';

/** Invoices with their lines, schedules, numbers and notices; what of a payment was more than its invoice asked for; branding. */
export class InvoicesMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of [...TABLES, ...CHANGES]) {
      this.addSql(statement);
    }
    for (const table of TENANT_TABLES) {
      this.addSql(protect(table));
    }
    this.addSql(DRAFTS_ONLY);
  }
}

const MODE = `mode text not null check (mode in ('TEST', 'LIVE'))`;
const ID = `id bigint generated always as identity primary key`;
const CREATED = `created_at timestamptz not null default now()`;
const UPDATED = `updated_at timestamptz not null default now()`;
const MINOR = `check (amount_minor > 0 and amount_minor <= 9007199254740991)`;
const OF_INVOICE = `foreign key (invoice_id, application_id, mode) references invoices (id, application_id, mode)`;

const TABLES = [
  // The last number given out. A row, not a sequence: a number that is not used in the end is given back.
  `create table invoice_counters (
    application_id bigint not null references applications, ${MODE},
    last_number bigint not null check (last_number > 0),
    primary key (application_id, mode)
  )`,
  `create table invoices (
    ${ID},
    application_id bigint not null references applications, ${MODE},
    -- Of the payable link and the workflow.
    reference text not null unique check (reference ~ '^pay_[0-9A-Za-z]{22}$'),
    status text not null default 'DRAFT' check (status in ('DRAFT', 'ISSUED', 'PARTIALLY_PAID', 'PAID', 'VOID')),
    number bigint check (number > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    customer_reference text not null,
    customer_email text, customer_name text, customer_address text,
    language text not null check (language in ('en', 'bn')),
    notes text,
    rounding text not null check (rounding in ('HALF_UP', 'HALF_EVEN', 'DOWN', 'UP')),
    discount jsonb,
    taxes jsonb not null,
    -- What the lines, discounts and taxes came to: an issued invoice never changes with the code that adds up.
    tax_totals jsonb not null,
    subtotal_minor bigint not null check (subtotal_minor >= 0),
    discount_minor bigint not null check (discount_minor between 0 and subtotal_minor),
    tax_minor bigint not null check (tax_minor >= 0),
    total_minor bigint not null check (total_minor = subtotal_minor - discount_minor + tax_minor),
    paid_minor bigint not null default 0 check (paid_minor between 0 and total_minor),
    due_date date,
    -- The day on which the next unpaid part is due; null when nothing is.
    next_due_date date,
    partial_payments boolean not null,
    reminders jsonb not null,
    paused_at timestamptz,
    issued_at timestamptz, paid_at timestamptz, voided_at timestamptz,
    event_sequence integer not null default 0,
    next_sweep_at timestamptz,
    ${CREATED}, ${UPDATED},
    unique (id, application_id, mode),
    unique (application_id, mode, number),
    check (total_minor between 1 and 9007199254740991),
    check ((number is null) = (status = 'DRAFT') and (issued_at is null) = (status = 'DRAFT')),
    check ((voided_at is not null) = (status = 'VOID')),
    -- Paid and due make the total at every instant, and the status says which.
    check (case when status in ('DRAFT', 'VOID') then paid_minor = 0
      else status = case when paid_minor = total_minor then 'PAID' when paid_minor > 0 then 'PARTIALLY_PAID' else 'ISSUED' end end)
  )`,
  `create index on invoices (application_id, mode, id desc)`,
  `create index on invoices (application_id, mode, customer_reference, id desc)`,
  `create index on invoices (application_id, mode, status, id desc)`,
  `create index on invoices (next_sweep_at) where next_sweep_at is not null`,
  `create table invoice_items (
    ${ID},
    application_id bigint not null, ${MODE},
    invoice_id bigint not null,
    position integer not null check (position > 0),
    description text not null,
    qty bigint not null check (qty > 0),
    unit_amount_minor bigint not null check (unit_amount_minor >= 0),
    discount jsonb,
    taxes jsonb not null,
    line_total_minor bigint not null check (line_total_minor = qty * unit_amount_minor),
    discount_minor bigint not null check (discount_minor between 0 and line_total_minor),
    tax_minor bigint not null check (tax_minor >= 0),
    unique (invoice_id, position),
    ${OF_INVOICE} on delete cascade
  )`,
  `create table invoice_installments (
    ${ID},
    application_id bigint not null, ${MODE},
    invoice_id bigint not null,
    position integer not null check (position > 0),
    due_date date not null,
    amount_minor bigint not null ${MINOR},
    unique (invoice_id, position),
    ${OF_INVOICE} on delete cascade
  )`,
  // What was told about a due date, once: the outbox of its mail, too.
  `create table invoice_notices (
    ${ID},
    application_id bigint not null, ${MODE},
    invoice_id bigint not null,
    kind text not null check (kind in ('reminder', 'overdue')),
    due_date date not null,
    offset_days integer not null,
    skipped boolean not null,
    email_status text not null check (email_status in ('NONE', 'PENDING', 'SENT', 'REFUSED', 'GIVEN_UP')),
    email_tries integer not null default 0,
    email_due_at timestamptz,
    email_error text,
    ${CREATED}, ${UPDATED},
    unique (invoice_id, kind, due_date, offset_days),
    ${OF_INVOICE},
    check ((email_due_at is not null) = (email_status = 'PENDING'))
  )`,
  `create table invoice_templates (
    application_id bigint primary key references applications,
    logo_url text check (length(logo_url) <= 2048),
    company_name text, company_address text, contact_details text, footer_note text, accent_color text,
    -- The picture as it was when the template was set: a document never depends on somebody's server.
    logo bytea check (octet_length(logo) <= 1000000),
    logo_type text check (logo_type in ('png', 'jpeg')),
    ${CREATED}, ${UPDATED},
    check ((logo is null) = (logo_type is null))
  )`,
];

const CHANGES = [
  `alter table applications add column refunded_invoices text not null default 'REOPEN' check (refunded_invoices in ('REOPEN', 'KEEP'))`,
  `alter table payments
    -- What of a paid payment was more than its invoice still asked for; held as unapplied money.
    add column overpayment_minor bigint not null default 0 check (overpayment_minor between 0 and amount_minor),
    add foreign key (invoice_id, application_id, mode) references invoices (id, application_id, mode)`,
  `create index on payments (invoice_id) where invoice_id is not null`,
  `alter table unapplied_payments
    add column kind text not null default 'late' check (kind in ('late', 'overpayment')),
    -- What of kept money counts for the invoice of its payment.
    add column applied_minor bigint not null default 0 check (applied_minor between 0 and gross_minor)`,
  `alter table refunds add column reopens_invoice boolean not null default false`,
  `alter table public_references drop constraint public_references_kind_check`,
  `alter table public_references add constraint public_references_kind_check check (kind in ('payment', 'invoice'))`,
  `alter table idempotency_keys add column invoice_id bigint`,
  `alter table webhook_events
    add column invoice_id bigint,
    add foreign key (invoice_id, application_id, mode) references invoices (id, application_id, mode),
    add unique (invoice_id, sequence),
    add check (num_nonnulls(payment_id, invoice_id) = 1)`,
];

interface TenantTable {
  readonly name: string;
  readonly privileges: string;
  readonly scope: string;
}

const BY_APP_AND_MODE = `application_id = (select lenden_scope_app()) and mode = (select lenden_scope_mode())`;

const TENANT_TABLES: readonly TenantTable[] = [
  { name: 'invoice_counters', privileges: 'select, insert, update', scope: BY_APP_AND_MODE },
  { name: 'invoices', privileges: 'select, insert, update, delete', scope: BY_APP_AND_MODE },
  { name: 'invoice_items', privileges: 'select, insert, delete', scope: BY_APP_AND_MODE },
  { name: 'invoice_installments', privileges: 'select, insert, delete', scope: BY_APP_AND_MODE },
  { name: 'invoice_notices', privileges: 'select, insert, update', scope: BY_APP_AND_MODE },
  {
    name: 'invoice_templates',
    privileges: 'select, insert, update',
    scope: `application_id = (select lenden_scope_app())`,
  },
];

function protect({ name, privileges, scope }: TenantTable): string {
  return [
    `alter table ${name} enable row level security`,
    `alter table ${name} force row level security`,
    `create policy system on ${name} to lenden_system using (true) with check (true)`,
    `grant select, insert, update on ${name} to lenden_system`,
    `create policy scope on ${name} to lenden_app using (${scope}) with check (${scope})`,
    `grant ${privileges} on ${name} to lenden_app`,
  ].join(';\n');
}

/** What was issued stays: its lines cannot be taken away or exchanged, nor its row deleted. */
const DRAFTS_ONLY = `
create policy drafts_only on invoices as restrictive for delete to lenden_app using (status = 'DRAFT');
create policy drafts_only on invoice_items as restrictive for delete to lenden_app
  using (exists (select from invoices i where i.id = invoice_id and i.status = 'DRAFT'));
create policy drafts_only_new on invoice_items as restrictive for insert to lenden_app
  with check (exists (select from invoices i where i.id = invoice_id and i.status = 'DRAFT'));
`;
