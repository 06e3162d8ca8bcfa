import type {
  Billed,
  Expiring,
  Installment,
  InvoiceLine,
  InvoiceRounding,
  InvoiceStatus,
  InvoiceTotals,
  LineTotals,
  Numbered,
  Reduction,
  Reminders,
  ShownInvoiceStatus,
  Tax,
  TaxRate,
  TaxTotal,
} from '../../../domain/invoice.ts';
import type { Contract } from '../../../domain/contract.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { PlainDate } from '../../../domain/plain-date.ts';
import type { Scope } from '../../../database/connection.ts';
import { listRows, type Condition, type ListSlice } from '../../../database/lists.ts';
import { PAYMENT_COLUMNS, paymentOf, type PaymentRecord, type PaymentRow } from '../../payments/store/payments.ts';
import { instant, optional } from '../../../database/read-row.ts';
import type { Statements } from '../../../database/statements.ts';
import { sqlList } from '../../../database/sql-list.ts';
import { OPEN_STATUSES, PAID_STATUSES } from '../../../domain/payment.ts';
import { DUE_INVOICE_STATUSES } from '../../../domain/invoice.ts';

export type InvoiceLanguage = 'en' | 'bn';

export interface InvoiceItem extends InvoiceLine, LineTotals {
  readonly id: bigint;
  readonly description: string;
}

/** What an application specifies for an invoice. */
interface InvoiceTerms {
  readonly currency: string;
  readonly customerReference: string;
  readonly customerEmail: string | null;
  readonly customerName: string | null;
  readonly customerAddress: string | null;
  readonly language: InvoiceLanguage;
  readonly notes: string | null;
  readonly rounding: InvoiceRounding;
  readonly discount: Reduction | null;
  readonly taxes: readonly Tax[];
  readonly dueDate: PlainDate | null;
  readonly installments: readonly Installment[];
  readonly partialPayments: boolean;
  readonly reminders: Reminders;
}

/** Members that only invoices of ShadhinPay's contract have. */
export interface ShadhinpayTerms {
  readonly contract: Extract<Contract, 'shadhinpay'>;
  readonly numberLabel: string;
  readonly customerPhone: string | null;
  readonly returnUrl: string | null;
  readonly expiresAt: Date | null;
}

/** An invoice's row with its lines and installments, as plain data. */
export interface InvoiceRecord extends Billed, InvoiceTerms, Numbered, Expiring {
  readonly id: bigint;
  readonly applicationId: bigint;
  readonly mode: Mode;
  /** Used in the payable link and the workflow id. */
  readonly reference: string;
  readonly contract: 'native' | 'shadhinpay';
  readonly customerPhone: string | null;
  /** Where a payer is sent after the payment; null: the invoice's page. */
  readonly returnUrl: string | null;
  /** When its page was first opened since it was issued, or since the last unsuccessful attempt to pay. */
  readonly viewedAt: Date | null;
  /** Set if it was voided because it was unpaid at its expiry. */
  readonly expiredAt: Date | null;
  readonly taxTotals: readonly TaxTotal[];
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly taxMinor: bigint;
  readonly nextDueDate: PlainDate | null;
  readonly pausedAt: Date | null;
  readonly issuedAt: Date | null;
  readonly paidAt: Date | null;
  readonly voidedAt: Date | null;
  readonly eventSequence: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The invoice's time by the database when its row was read. It decides what has expired and which day it is. */
  readonly readAt: Date;
  readonly lines: readonly InvoiceItem[];
}

/** What an application specifies, with computed totals. */
export interface InvoiceContent extends InvoiceTerms {
  readonly lines: readonly (InvoiceLine & { readonly description: string })[];
  readonly totals: InvoiceTotals;
}

const ITEMS = `(select coalesce(json_agg(json_build_object('id', t.id::text, 'description', t.description, 'qty', t.qty::text,
    'unitAmountMinor', t.unit_amount_minor::text, 'discount', t.discount, 'taxes', t.taxes, 'lineTotalMinor', t.line_total_minor::text,
    'discountMinor', t.discount_minor::text, 'taxMinor', t.tax_minor::text) order by t.position), '[]')::text
  from invoice_items t where t.invoice_id = i.id) as items`;
const INSTALLMENTS = `(select coalesce(json_agg(json_build_object('dueDate', s.due_date, 'amountMinor', s.amount_minor::text) order by s.position), '[]')::text
  from invoice_installments s where s.invoice_id = i.id) as installments`;

/** Select from `invoices i`. Dates and JSON are read as text, because drivers convert them differently depending on their configuration. */
const COLUMNS = `i.id, i.application_id, i.mode, i.reference, i.status, i.number, i.currency, i.customer_reference, i.customer_email,
  i.customer_name, i.customer_address, i.language, i.notes, i.rounding, i.discount::text, i.taxes::text, i.tax_totals::text, i.subtotal_minor,
  i.discount_minor, i.tax_minor, i.total_minor, i.paid_minor, i.due_date::text, i.next_due_date::text, i.partial_payments, i.reminders::text,
  i.contract, i.number_label, i.customer_phone, i.return_url, i.expires_at, i.viewed_at, i.expired_at, i.paused_at, i.issued_at, i.paid_at, i.voided_at, i.event_sequence, i.created_at, i.updated_at,
  lenden_now(i.clock_offset) as read_at, ${ITEMS}, ${INSTALLMENTS}`;

interface InvoiceRow {
  id: string;
  application_id: string;
  mode: Mode;
  reference: string;
  status: InvoiceStatus;
  number: string | null;
  currency: string;
  customer_reference: string;
  customer_email: string | null;
  customer_name: string | null;
  customer_address: string | null;
  language: InvoiceLanguage;
  notes: string | null;
  rounding: InvoiceRounding;
  discount: string | null;
  taxes: string;
  tax_totals: string;
  subtotal_minor: string;
  discount_minor: string;
  tax_minor: string;
  total_minor: string;
  paid_minor: string;
  due_date: string | null;
  next_due_date: string | null;
  partial_payments: boolean;
  reminders: string;
  contract: 'native' | 'shadhinpay';
  number_label: string | null;
  customer_phone: string | null;
  return_url: string | null;
  expires_at: string | null;
  viewed_at: string | null;
  expired_at: string | null;
  paused_at: string | null;
  issued_at: string | null;
  paid_at: string | null;
  voided_at: string | null;
  event_sequence: number;
  created_at: string;
  updated_at: string;
  read_at: string;
  items: string;
  installments: string;
}

type StoredReduction = { readonly amountMinor: number | string } | { readonly basisPoints: number | string };
interface StoredRate {
  readonly name: string;
  readonly basisPoints: number | string;
}
type StoredTax = StoredRate | { readonly name: string; readonly amountMinor: number | string };

function invoiceOf(row: InvoiceRow): InvoiceRecord {
  return {
    id: BigInt(row.id),
    applicationId: BigInt(row.application_id),
    mode: row.mode,
    reference: row.reference,
    status: row.status,
    number: optional(row.number, BigInt),
    currency: row.currency,
    customerReference: row.customer_reference,
    customerEmail: row.customer_email,
    customerName: row.customer_name,
    customerAddress: row.customer_address,
    language: row.language,
    notes: row.notes,
    rounding: row.rounding,
    discount: optional(row.discount, (text) => reductionOf(JSON.parse(text) as StoredReduction)),
    taxes: (JSON.parse(row.taxes) as StoredTax[]).map(taxOf),
    taxTotals: (JSON.parse(row.tax_totals) as StoredTaxTotal[]).map(({ name, basisPoints, amountMinor }) => ({
      name,
      basisPoints: optional(basisPoints, BigInt),
      amountMinor: BigInt(amountMinor),
    })),
    subtotalMinor: BigInt(row.subtotal_minor),
    discountMinor: BigInt(row.discount_minor),
    taxMinor: BigInt(row.tax_minor),
    totalMinor: BigInt(row.total_minor),
    paidMinor: BigInt(row.paid_minor),
    dueDate: row.due_date,
    nextDueDate: row.next_due_date,
    partialPayments: row.partial_payments,
    reminders: JSON.parse(row.reminders) as Reminders,
    contract: row.contract,
    numberLabel: row.number_label,
    customerPhone: row.customer_phone,
    returnUrl: row.return_url,
    expiresAt: optional(row.expires_at, instant),
    viewedAt: optional(row.viewed_at, instant),
    expiredAt: optional(row.expired_at, instant),
    pausedAt: optional(row.paused_at, instant),
    issuedAt: optional(row.issued_at, instant),
    paidAt: optional(row.paid_at, instant),
    voidedAt: optional(row.voided_at, instant),
    eventSequence: row.event_sequence,
    createdAt: instant(row.created_at),
    updatedAt: instant(row.updated_at),
    readAt: instant(row.read_at),
    lines: (JSON.parse(row.items) as StoredItem[]).map(itemOf),
    installments: (JSON.parse(row.installments) as { dueDate: PlainDate; amountMinor: string }[]).map(
      ({ dueDate, amountMinor }) => ({ dueDate, amountMinor: BigInt(amountMinor) }),
    ),
  };
}

interface StoredTaxTotal {
  readonly name: string;
  readonly basisPoints: string | null;
  readonly amountMinor: string;
}

interface StoredItem {
  readonly id: string;
  readonly description: string;
  readonly qty: string;
  readonly unitAmountMinor: string;
  readonly discount: StoredReduction | null;
  readonly taxes: readonly StoredRate[];
  readonly lineTotalMinor: string;
  readonly discountMinor: string;
  readonly taxMinor: string;
}

function itemOf(item: StoredItem): InvoiceItem {
  return {
    id: BigInt(item.id),
    description: item.description,
    qty: BigInt(item.qty),
    unitAmountMinor: BigInt(item.unitAmountMinor),
    discount: item.discount === null ? null : reductionOf(item.discount),
    taxes: item.taxes.map(rateOf),
    lineTotalMinor: BigInt(item.lineTotalMinor),
    discountMinor: BigInt(item.discountMinor),
    taxMinor: BigInt(item.taxMinor),
  };
}

function reductionOf(stored: StoredReduction): Reduction {
  return 'amountMinor' in stored
    ? { amountMinor: BigInt(stored.amountMinor) }
    : { basisPoints: BigInt(stored.basisPoints) };
}

function taxOf(stored: StoredTax): Tax {
  return 'amountMinor' in stored ? { name: stored.name, amountMinor: BigInt(stored.amountMinor) } : rateOf(stored);
}

function rateOf({ name, basisPoints }: StoredRate): TaxRate {
  return { name, basisPoints: BigInt(basisPoints) };
}

/** JSON has no bigint, so amounts are stored as decimal text. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? member.toString() : member));
}

/** Returns null if the scope has no such invoice. */
export async function readInvoice(
  statements: Statements,
  { applicationId, mode }: Scope,
  invoiceId: bigint,
): Promise<InvoiceRecord | null> {
  const [row] = await statements.execute<InvoiceRow[]>(
    `select ${COLUMNS} from invoices i where i.id = ? and i.application_id = ? and i.mode = ?`,
    [invoiceId, applicationId, mode],
  );
  return row === undefined ? null : invoiceOf(row);
}

/**
 * Reads an invoice by the reference of its payable link, including drafts, whose link does not work yet. Returns null if the scope has no such
 * invoice.
 */
export async function readInvoiceByReference(
  statements: Statements,
  { applicationId, mode }: Scope,
  reference: string,
): Promise<InvoiceRecord | null> {
  const [row] = await statements.execute<InvoiceRow[]>(
    `select ${COLUMNS} from invoices i where i.reference = ? and i.application_id = ? and i.mode = ?`,
    [reference, applicationId, mode],
  );
  return row === undefined ? null : invoiceOf(row);
}

/**
 * Locks an invoice for the rest of the transaction and reads it. It must be locked before any of its payments. It is read in a separate statement, so
 * that changes committed while waiting for the lock are seen. Returns null if the scope has no such invoice.
 */
export async function lockInvoice(
  statements: Statements,
  scope: Scope,
  invoiceId: bigint,
): Promise<InvoiceRecord | null> {
  await statements.execute('select 1 from invoices where id = ? and application_id = ? and mode = ? for update', [
    invoiceId,
    scope.applicationId,
    scope.mode,
  ]);
  return readInvoice(statements, scope, invoiceId);
}

/** Does the same by the invoice's reference. */
export async function lockInvoiceByReference(
  statements: Statements,
  scope: Scope,
  reference: string,
): Promise<InvoiceRecord | null> {
  await statements.execute(
    'select 1 from invoices where reference = ? and application_id = ? and mode = ? for update',
    [reference, scope.applicationId, scope.mode],
  );
  return readInvoiceByReference(statements, scope, reference);
}

/** Does the same by the reference of one of its payments. Also returns null if that payment pays no invoice. */
export async function lockInvoicePaidBy(
  statements: Statements,
  scope: Scope,
  paymentReference: string,
): Promise<InvoiceRecord | null> {
  const [locked] = await statements.execute<{ id: string }[]>(
    `select id from invoices where id = (select invoice_id from payments where reference = ? and application_id = ? and mode = ?) for update`,
    [paymentReference, scope.applicationId, scope.mode],
  );
  return locked === undefined ? null : readInvoice(statements, scope, BigInt(locked.id));
}

/** Returns the successful payments of an invoice, oldest first. */
export async function paymentsOf(statements: Statements, invoiceId: bigint): Promise<PaymentRecord[]> {
  const rows = await statements.execute<PaymentRow[]>(
    `select ${PAYMENT_COLUMNS} from payments p where invoice_id = ? and status in (${sqlList(PAID_STATUSES)}) order by paid_at, id`,
    [invoiceId],
  );
  return rows.map(paymentOf);
}

/** Returns the newest payment of an invoice, whatever its status, or null if there is none. */
export async function newestPaymentOf(statements: Statements, invoiceId: bigint): Promise<PaymentRecord | null> {
  const [row] = await statements.execute<PaymentRow[]>(
    `select ${PAYMENT_COLUMNS} from payments p where invoice_id = ? order by id desc limit 1`,
    [invoiceId],
  );
  return row === undefined ? null : paymentOf(row);
}

/** Returns the open payments of an invoice, newest first. */
export async function openPaymentsOf(statements: Statements, invoiceId: bigint): Promise<PaymentRecord[]> {
  const rows = await statements.execute<PaymentRow[]>(
    `select ${PAYMENT_COLUMNS} from payments p where invoice_id = ? and status in (${sqlList(OPEN_STATUSES)}) order by id desc`,
    [invoiceId],
  );
  return rows.map(paymentOf);
}

/** Returns the successful payments of several invoices, oldest first, by the invoice's id. */
export async function paymentsOfAll(
  statements: Statements,
  invoices: readonly Pick<InvoiceRecord, 'id'>[],
): Promise<ReadonlyMap<bigint, PaymentRecord[]>> {
  const rows = await statements.execute<PaymentRow[]>(
    `select ${PAYMENT_COLUMNS} from payments p where invoice_id = any(string_to_array(?, ',')::bigint[])
       and status in (${sqlList(PAID_STATUSES)}) order by paid_at, id`,
    [invoices.map(({ id }) => id).join(',')],
  );
  return Map.groupBy(rows.map(paymentOf), ({ invoiceId }) => invoiceId ?? 0n);
}

/** An absent member does not restrict the list. */
export interface InvoiceFilter {
  readonly customerReference?: string | undefined;
  /** OVERDUE: open, and something was due before `today`. */
  readonly shown?: { readonly status: ShownInvoiceStatus | undefined; readonly today: PlainDate };
  readonly statuses?: readonly InvoiceStatus[] | undefined;
  readonly viewed?: boolean | undefined;
  readonly expired?: boolean | undefined;
  readonly numbered?: Numbered | undefined;
  readonly leastMinor?: bigint | undefined;
  readonly mostMinor?: bigint | undefined;
  readonly from?: Date | undefined;
  readonly before?: Date | undefined;
}

/** An overdue invoice is shown as OVERDUE, so it is listed under that status only. */
function statusCondition({ status, today }: NonNullable<InvoiceFilter['shown']>): Condition[] {
  switch (status) {
    case undefined:
      return [];
    case 'OVERDUE':
      return [[`i.status in (${sqlList(DUE_INVOICE_STATUSES)}) and i.next_due_date < ?::date`, today]];
    case 'ISSUED':
    case 'PARTIALLY_PAID':
      return [
        ['i.status = ?', status],
        ['coalesce(i.next_due_date >= ?::date, true)', today],
      ];
    default:
      return [['i.status = ?', status]];
  }
}

/** Returns a page of an application's invoices. */
export async function listInvoices(
  statements: Statements,
  { applicationId, mode }: Scope,
  { filter, slice }: { readonly filter: InvoiceFilter; readonly slice: ListSlice },
): Promise<{ readonly invoices: InvoiceRecord[]; readonly total: number; readonly nextCursor: string | null }> {
  const { rows, total, nextCursor } = await listRows<InvoiceRow>(statements, {
    columns: COLUMNS,
    from: 'invoices i',
    conditions: [
      ['i.application_id = ?', applicationId],
      ['i.mode = ?', mode],
      ['i.customer_reference = ?', filter.customerReference],
      ...(filter.shown === undefined ? [] : statusCondition(filter.shown)),
      [`i.status = any(string_to_array(?, ','))`, filter.statuses?.join(',')],
      ['(i.viewed_at is not null) = ?', filter.viewed],
      ['(i.expired_at is not null) = ?', filter.expired],
      ['i.number = ?', filter.numbered?.number],
      [
        `coalesce(i.number_label, '') = ?`,
        filter.numbered === undefined ? undefined : (filter.numbered.numberLabel ?? ''),
      ],
      ['i.total_minor >= ?', filter.leastMinor],
      ['i.total_minor <= ?', filter.mostMinor],
      ['i.created_at >= ?::timestamptz', filter.from],
      ['i.created_at < ?::timestamptz', filter.before],
    ],
    orderBy: ['i.id'],
    slice,
  });
  return { invoices: rows.map(invoiceOf), total, nextCursor };
}

/** Inserts a draft. Its lines can be written only while it is one. */
export async function insertDraft(
  statements: Statements,
  {
    scope,
    reference,
    content,
    shadhinpay,
  }: {
    readonly scope: Scope;
    readonly reference: string;
    readonly content: InvoiceContent;
    /** Set for an invoice of that contract. */
    readonly shadhinpay?: ShadhinpayTerms | undefined;
  },
): Promise<bigint> {
  const [row] = await statements.execute<{ id: string }[]>(
    `insert into invoices (application_id, mode, reference, contract, number_label, customer_phone, return_url, expires_at,
       ${CONTENT_COLUMNS.join(', ')})
     values (?, ?, ?, ?, ?, ?, ?, ?::timestamptz, ${CONTENT_COLUMNS.map(placeholderOf).join(', ')}) returning id`,
    [
      scope.applicationId,
      scope.mode,
      reference,
      shadhinpay?.contract ?? 'native',
      shadhinpay?.numberLabel ?? null,
      shadhinpay?.customerPhone ?? null,
      shadhinpay?.returnUrl ?? null,
      shadhinpay?.expiresAt ?? null,
      ...contentValues(content),
    ],
  );
  if (row === undefined) {
    throw new Error('an invoice was not stored');
  }
  const invoiceId = BigInt(row.id);
  await insertLines(statements, { scope, invoiceId, content });
  await insertInstallments(statements, { scope, invoiceId, installments: content.installments });
  return invoiceId;
}

/** Replaces the whole content of a draft. The caller has locked it. */
export async function replaceDraft(
  statements: Statements,
  {
    scope,
    invoiceId,
    content,
  }: { readonly scope: Scope; readonly invoiceId: bigint; readonly content: InvoiceContent },
): Promise<void> {
  await statements.execute(
    `update invoices set ${CONTENT_COLUMNS.map((column) => `${column} = ${placeholderOf(column)}`).join(', ')}, updated_at = now()
     where id = ? and status = 'DRAFT'`,
    [...contentValues(content), invoiceId],
  );
  await statements.execute('delete from invoice_items where invoice_id = ?', [invoiceId]);
  await insertLines(statements, { scope, invoiceId, content });
  await replaceInstallments(statements, { scope, invoiceId, installments: content.installments });
}

/** Deletes a draft. Returns false if the scope has no such draft. */
export async function deleteDraft(
  statements: Statements,
  { applicationId, mode }: Scope,
  invoiceId: bigint,
): Promise<boolean> {
  const rows = await statements.execute<object[]>(
    `delete from invoices where id = ? and application_id = ? and mode = ? and status = 'DRAFT' returning 1`,
    [invoiceId, applicationId, mode],
  );
  return rows.length > 0;
}

const CONTENT_COLUMNS = [
  'currency',
  'customer_reference',
  'customer_email',
  'customer_name',
  'customer_address',
  'language',
  'notes',
  'rounding',
  'discount',
  'taxes',
  'tax_totals',
  'subtotal_minor',
  'discount_minor',
  'tax_minor',
  'total_minor',
  'due_date',
  'partial_payments',
  'reminders',
] as const;

const CASTS: Partial<Record<(typeof CONTENT_COLUMNS)[number], string>> = {
  discount: 'jsonb',
  taxes: 'jsonb',
  tax_totals: 'jsonb',
  reminders: 'jsonb',
  due_date: 'date',
};

function placeholderOf(column: (typeof CONTENT_COLUMNS)[number]): string {
  const cast = CASTS[column];
  return cast === undefined ? '?' : `?::${cast}`;
}

function contentValues(content: InvoiceContent): unknown[] {
  const { totals } = content;
  return [
    content.currency,
    content.customerReference,
    content.customerEmail,
    content.customerName,
    content.customerAddress,
    content.language,
    content.notes,
    content.rounding,
    content.discount === null ? null : toJson(content.discount),
    toJson(content.taxes),
    toJson(totals.taxes),
    totals.subtotalMinor,
    totals.discountMinor,
    totals.taxMinor,
    totals.totalMinor,
    content.dueDate,
    content.partialPayments,
    toJson(content.reminders),
  ];
}

interface OfInvoice {
  readonly scope: Scope;
  readonly invoiceId: bigint;
}

async function insertLines(
  statements: Statements,
  { scope, invoiceId, content }: OfInvoice & { readonly content: InvoiceContent },
): Promise<void> {
  const rows = content.lines.map(({ description, qty, unitAmountMinor, discount, taxes }, index) => ({
    position: index + 1,
    description,
    qty,
    unit: unitAmountMinor,
    discount,
    taxes,
    ...content.totals.lines[index],
  }));
  await statements.execute(
    `insert into invoice_items (application_id, mode, invoice_id, position, description, qty, unit_amount_minor, discount, taxes,
       line_total_minor, discount_minor, tax_minor)
     select ?::bigint, ?, ?::bigint, w.position, w.description, w.qty, w.unit, w.discount, w.taxes, w."lineTotalMinor", w."discountMinor",
       w."taxMinor"
     from jsonb_to_recordset(?::jsonb) as w (position integer, description text, qty bigint, unit bigint, discount jsonb, taxes jsonb,
       "lineTotalMinor" bigint, "discountMinor" bigint, "taxMinor" bigint)`,
    [scope.applicationId, scope.mode, invoiceId, toJson(rows)],
  );
}

/** Replaces the installments of a draft or an issued invoice. The caller has locked it. */
export async function replaceInstallments(
  statements: Statements,
  schedule: OfInvoice & { readonly installments: readonly Installment[] },
): Promise<void> {
  await statements.execute('delete from invoice_installments where invoice_id = ?', [schedule.invoiceId]);
  await insertInstallments(statements, schedule);
}

async function insertInstallments(
  statements: Statements,
  { scope, invoiceId, installments }: OfInvoice & { readonly installments: readonly Installment[] },
): Promise<void> {
  if (installments.length === 0) {
    return;
  }
  const rows = installments.map(({ dueDate, amountMinor }, index) => ({
    position: index + 1,
    day: dueDate,
    amount: amountMinor,
  }));
  await statements.execute(
    `insert into invoice_installments (application_id, mode, invoice_id, position, due_date, amount_minor)
     select ?::bigint, ?, ?::bigint, w.position, w.day, w.amount
     from jsonb_to_recordset(?::jsonb) as w (position integer, day date, amount bigint)`,
    [scope.applicationId, scope.mode, invoiceId, toJson(rows)],
  );
}
