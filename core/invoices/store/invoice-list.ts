import {
  DUE_INVOICE_STATUSES,
  type InvoiceStatus,
  type Numbered,
  type Reminders,
  type ShownInvoiceStatus,
} from '../../../domain/invoice.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { PlainDate } from '../../../domain/plain-date.ts';
import type { Scope } from '../../../database/connection.ts';
import type { StoredRate, StoredReduction, StoredTax, StoredTaxTotal } from '../../../database/entities/invoice.ts';
import { listRows, type Condition, type ListSlice } from '../../../database/lists.ts';
import { instant, optional } from '../../../database/read-row.ts';
import { sqlList } from '../../../database/sql-list.ts';
import type { Statements } from '../../../database/statements.ts';
import type { InvoiceItem, InvoiceRecord } from './invoices.ts';
import { rateOf, reductionOf, taxOf, taxTotalOf } from './stored-amounts.ts';

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
  language: InvoiceRecord['language'];
  notes: string | null;
  rounding: InvoiceRecord['rounding'];
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
    taxTotals: (JSON.parse(row.tax_totals) as StoredTaxTotal[]).map(taxTotalOf),
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
