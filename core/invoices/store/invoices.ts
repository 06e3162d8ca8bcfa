import { expressionBuilder, sql } from 'kysely';
import { jsonBuildObject } from 'kysely/helpers/postgres';
import type { Installment } from '../../../domain/installments.ts';
import type { InvoiceLine, LineTotals, Reduction, Tax, TaxTotal } from '../../../domain/invoice-totals.ts';
import type { Scope } from '../../../database/connection.ts';
import { now, timeOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { rateOf, reductionOf, taxOf, taxTotalOf } from './stored-amounts.ts';

const of = expressionBuilder<Tables & { i: Tables['invoices'] }, 'i'>();

/** What an operator may read of `invoices i`: everything but the customer's contact. */
export const INVOICE_WITHOUT_CONTACT = [
  'i.id',
  'i.applicationId',
  'i.mode',
  'i.reference',
  'i.contract',
  'i.status',
  'i.number',
  'i.numberLabel',
  'i.currency',
  'i.customerReference',
  'i.language',
  'i.notes',
  'i.rounding',
  'i.discount',
  'i.taxes',
  'i.taxTotals',
  'i.subtotalMinor',
  'i.discountMinor',
  'i.taxMinor',
  'i.totalMinor',
  'i.paidMinor',
  'i.partialPayments',
  'i.reminders',
  'i.dueDate',
  'i.nextDueDate',
  'i.returnUrl',
  'i.expiresAt',
  'i.viewedAt',
  'i.pausedAt',
  'i.issuedAt',
  'i.paidAt',
  'i.voidedAt',
  'i.expiredAt',
  'i.eventSequence',
  'i.createdAt',
  'i.updatedAt',
  timeOf(sql.ref('i.clockOffset')).as('readAt'),
  now.as('realReadAt'),
  of
    .selectFrom('invoice_items as t')
    .select((eb) =>
      eb.fn
        .jsonAgg(
          jsonBuildObject({
            id: eb.cast<string>('t.id', 'text'),
            description: eb.ref('t.description'),
            qty: eb.cast<string>('t.qty', 'text'),
            unitAmountMinor: eb.cast<string>('t.unitAmountMinor', 'text'),
            discount: eb.ref('t.discount'),
            taxes: eb.ref('t.taxes'),
            lineTotalMinor: eb.cast<string>('t.lineTotalMinor', 'text'),
            discountMinor: eb.cast<string>('t.discountMinor', 'text'),
            taxMinor: eb.cast<string>('t.taxMinor', 'text'),
          }),
        )
        .orderBy('t.position')
        .as('lines'),
    )
    .whereRef('t.invoiceId', '=', 'i.id')
    .as('lines'),
  of
    .selectFrom('invoice_installments as s')
    .select((eb) =>
      eb.fn
        .jsonAgg(
          jsonBuildObject({
            dueDate: eb.ref('s.dueDate'),
            amountMinor: eb.cast<string>('s.amountMinor', 'text'),
          }),
        )
        .orderBy('s.position')
        .as('installments'),
    )
    .whereRef('s.invoiceId', '=', 'i.id')
    .as('installments'),
] as const;

/** Columns of `invoices i` that `invoiceOf` reads. Its time by the database decides what has expired and which day it is. */
export const INVOICE = [
  ...INVOICE_WITHOUT_CONTACT,
  'i.customerEmail',
  'i.customerPhone',
  'i.customerName',
  'i.customerAddress',
] as const;

const BY_ID = statement((db, $: Given<Scope & { id: bigint }>) =>
  db
    .selectFrom('invoices as i')
    .select(INVOICE)
    .where('i.id', '=', $('id'))
    .where('i.applicationId', '=', $('applicationId'))
    .where('i.mode', '=', $('mode')),
);

const BY_REFERENCE = statement((db, $: Given<Scope & { reference: string }>) =>
  db
    .selectFrom('invoices as i')
    .select(INVOICE)
    .where('i.reference', '=', $('reference'))
    .where('i.applicationId', '=', $('applicationId'))
    .where('i.mode', '=', $('mode')),
);

type InvoiceRow = RowOf<typeof BY_ID>;
type StoredLine = NonNullable<InvoiceRow['lines']>[number];

/** An invoice's row with its lines and installments. */
export interface InvoiceRecord extends Omit<InvoiceRow, 'discount' | 'taxes' | 'taxTotals' | 'lines' | 'installments'> {
  readonly discount: Reduction | null;
  readonly taxes: readonly Tax[];
  readonly taxTotals: readonly TaxTotal[];
  readonly lines: readonly InvoiceItem[];
  readonly installments: readonly Installment[];
}

export interface InvoiceItem extends InvoiceLine, LineTotals {
  readonly id: bigint;
  readonly description: string;
}

export function invoiceOf(row: InvoiceRow): InvoiceRecord {
  return {
    ...row,
    discount: row.discount === null ? null : reductionOf(row.discount),
    taxes: row.taxes.map(taxOf),
    taxTotals: row.taxTotals.map(taxTotalOf),
    lines: (row.lines ?? []).map(itemOf),
    installments: (row.installments ?? []).map(({ dueDate, amountMinor }) => ({
      dueDate,
      amountMinor: BigInt(amountMinor),
    })),
  };
}

function itemOf(line: StoredLine): InvoiceItem {
  return {
    id: BigInt(line.id),
    description: line.description,
    qty: BigInt(line.qty),
    unitAmountMinor: BigInt(line.unitAmountMinor),
    discount: line.discount === null ? null : reductionOf(line.discount),
    taxes: line.taxes.map(rateOf),
    lineTotalMinor: BigInt(line.lineTotalMinor),
    discountMinor: BigInt(line.discountMinor),
    taxMinor: BigInt(line.taxMinor),
  };
}

/** Returns null if the scope has no such invoice. */
export async function readInvoice(
  statements: Statements,
  { applicationId, mode }: Scope,
  invoiceId: bigint,
): Promise<InvoiceRecord | null> {
  const row = await BY_ID.first(statements, { applicationId, mode, id: invoiceId });
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
  const row = await BY_REFERENCE.first(statements, { applicationId, mode, reference });
  return row === undefined ? null : invoiceOf(row);
}

const LOCK_BY_ID = statement((db, $: Given<Scope & { id: bigint }>) =>
  db
    .selectFrom('invoices')
    .select('id')
    .where('id', '=', $('id'))
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .forUpdate(),
);

/**
 * Locks an invoice for the rest of the transaction and reads it. It must be locked before any of its payments. It is read in a separate statement, so
 * that changes committed while waiting for the lock are seen. Returns null if the scope has no such invoice.
 */
export async function lockInvoice(
  statements: Statements,
  scope: Scope,
  invoiceId: bigint,
): Promise<InvoiceRecord | null> {
  const { applicationId, mode } = scope;
  await LOCK_BY_ID.all(statements, { applicationId, mode, id: invoiceId });
  return readInvoice(statements, scope, invoiceId);
}

const LOCK_BY_REFERENCE = statement((db, $: Given<Scope & { reference: string }>) =>
  db
    .selectFrom('invoices')
    .select('id')
    .where('reference', '=', $('reference'))
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .forUpdate(),
);

/** Does the same by the invoice's reference. */
export async function lockInvoiceByReference(
  statements: Statements,
  scope: Scope,
  reference: string,
): Promise<InvoiceRecord | null> {
  const { applicationId, mode } = scope;
  await LOCK_BY_REFERENCE.all(statements, { applicationId, mode, reference });
  return readInvoiceByReference(statements, scope, reference);
}

const LOCK_PAID_BY = statement((db, $: Given<Scope & { paymentReference: string }>) =>
  db
    .selectFrom('invoices')
    .select('id')
    .where('id', '=', (eb) =>
      eb
        .selectFrom('payments')
        .select((payment) => payment.ref('invoiceId').$notNull().as('id'))
        .where('reference', '=', $('paymentReference'))
        .where('applicationId', '=', $('applicationId'))
        .where('mode', '=', $('mode')),
    )
    .forUpdate(),
);

/** Does the same by the reference of one of its payments. Also returns null if that payment pays no invoice. */
export async function lockInvoicePaidBy(
  statements: Statements,
  scope: Scope,
  paymentReference: string,
): Promise<InvoiceRecord | null> {
  const { applicationId, mode } = scope;
  const locked = await LOCK_PAID_BY.first(statements, { applicationId, mode, paymentReference });
  return locked === undefined ? null : readInvoice(statements, scope, locked.id);
}
