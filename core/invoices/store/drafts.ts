import { expressionBuilder } from 'kysely';
import type { Installment } from '../../../domain/installments.ts';
import type { Reminders } from '../../../domain/invoice-notices.ts';
import type { InvoiceLine, InvoiceTotals } from '../../../domain/invoice-totals.ts';
import type { Contract } from '../../../domain/contract.ts';
import type { Scope } from '../../../database/connection.ts';
import type { StoredRate, StoredReduction, StoredTax, StoredTaxTotal } from '../../../database/entities/invoice.ts';
import { now, recordsOf, rowOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { InvoiceRecord } from './invoices.ts';
import { storedJson } from './stored-amounts.ts';

/** What an application specifies as it is stored. */
type Specified = Pick<
  InvoiceRecord,
  | 'currency'
  | 'customerReference'
  | 'customerEmail'
  | 'customerName'
  | 'customerAddress'
  | 'language'
  | 'notes'
  | 'rounding'
  | 'dueDate'
  | 'partialPayments'
>;

/** What an application specifies, with computed totals. */
export interface InvoiceContent
  extends Specified, Pick<InvoiceRecord, 'discount' | 'taxes' | 'installments' | 'reminders'> {
  readonly lines: readonly (InvoiceLine & { readonly description: string })[];
  readonly totals: InvoiceTotals;
}

/** Members that only invoices of ShadhinPay's contract have. */
export interface ShadhinpayTerms extends Pick<InvoiceRecord, 'customerPhone' | 'returnUrl' | 'expiresAt'> {
  readonly contract: Extract<Contract, 'shadhinpay'>;
  readonly numberLabel: string;
}

/** The values of an invoice's row that follow from its content. Members that hold lists or shares are JSON. */
interface ContentValues extends Specified, Omit<InvoiceTotals, 'lines' | 'taxes'> {
  readonly discount: string | null;
  readonly taxes: string;
  readonly taxTotals: string;
  readonly reminders: string;
}

function valuesOf({ totals, ...content }: InvoiceContent): ContentValues {
  return {
    currency: content.currency,
    customerReference: content.customerReference,
    customerEmail: content.customerEmail,
    customerName: content.customerName,
    customerAddress: content.customerAddress,
    language: content.language,
    notes: content.notes,
    rounding: content.rounding,
    discount: content.discount === null ? null : storedJson(content.discount),
    taxes: storedJson(content.taxes),
    taxTotals: storedJson(totals.taxes),
    subtotalMinor: totals.subtotalMinor,
    discountMinor: totals.discountMinor,
    taxMinor: totals.taxMinor,
    totalMinor: totals.totalMinor,
    dueDate: content.dueDate,
    partialPayments: content.partialPayments,
    reminders: storedJson(content.reminders),
  };
}

/** The columns that follow from an invoice's content. */
function columnsOf($: Given<ContentValues>) {
  const eb = expressionBuilder<Tables>();
  return {
    currency: $('currency'),
    customerReference: $('customerReference'),
    customerEmail: $('customerEmail'),
    customerName: $('customerName'),
    customerAddress: $('customerAddress'),
    language: $('language'),
    notes: $('notes'),
    rounding: $('rounding'),
    discount: eb.cast<StoredReduction | null>($('discount'), 'jsonb'),
    taxes: eb.cast<readonly StoredTax[]>($('taxes'), 'jsonb'),
    taxTotals: eb.cast<readonly StoredTaxTotal[]>($('taxTotals'), 'jsonb'),
    subtotalMinor: $('subtotalMinor'),
    discountMinor: $('discountMinor'),
    taxMinor: $('taxMinor'),
    totalMinor: $('totalMinor'),
    dueDate: $('dueDate'),
    partialPayments: $('partialPayments'),
    reminders: eb.cast<Reminders>($('reminders'), 'jsonb'),
  };
}

interface DraftValues extends ContentValues, Scope, Pick<InvoiceRecord, 'reference' | 'contract' | 'numberLabel'> {
  readonly customerPhone: string | null;
  readonly returnUrl: string | null;
  readonly expiresAt: Date | null;
}

const INSERT_DRAFT = statement((db, $: Given<DraftValues>) =>
  db
    .insertInto('invoices')
    .values({
      applicationId: $('applicationId'),
      mode: $('mode'),
      reference: $('reference'),
      contract: $('contract'),
      numberLabel: $('numberLabel'),
      customerPhone: $('customerPhone'),
      returnUrl: $('returnUrl'),
      expiresAt: $('expiresAt'),
      ...columnsOf($),
    })
    .returning('id'),
);

export interface NewDraft {
  readonly scope: Scope;
  readonly reference: string;
  readonly content: InvoiceContent;
  /** Set for an invoice of that contract. */
  readonly shadhinpay?: ShadhinpayTerms | undefined;
}

/** Inserts a draft. Its lines can be written only while it is one. */
export async function insertDraft(
  statements: Statements,
  { scope, reference, content, shadhinpay }: NewDraft,
): Promise<bigint> {
  const { applicationId, mode } = scope;
  const row = await INSERT_DRAFT.first(statements, {
    applicationId,
    mode,
    reference,
    contract: shadhinpay?.contract ?? 'native',
    numberLabel: shadhinpay?.numberLabel ?? null,
    customerPhone: shadhinpay?.customerPhone ?? null,
    returnUrl: shadhinpay?.returnUrl ?? null,
    expiresAt: shadhinpay?.expiresAt ?? null,
    ...valuesOf(content),
  });
  if (row === undefined) {
    throw new Error('an invoice was not stored');
  }
  await insertLines(statements, { scope, invoiceId: row.id, content });
  await insertInstallments(statements, { scope, invoiceId: row.id, installments: content.installments });
  return row.id;
}

const REPLACE_DRAFT = statement((db, $: Given<ContentValues & { id: bigint }>) =>
  db
    .updateTable('invoices')
    .set({ ...columnsOf($), updatedAt: now })
    .where('id', '=', $('id'))
    .where('status', '=', 'DRAFT'),
);

const DELETE_LINES = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db.deleteFrom('invoice_items').where('invoiceId', '=', $('invoiceId')),
);

/** Replaces the whole content of a draft. The caller has locked it. */
export async function replaceDraft(
  statements: Statements,
  { scope, invoiceId, content }: OfInvoice & { readonly content: InvoiceContent },
): Promise<void> {
  await REPLACE_DRAFT.all(statements, { ...valuesOf(content), id: invoiceId });
  await DELETE_LINES.all(statements, { invoiceId });
  await insertLines(statements, { scope, invoiceId, content });
  await replaceInstallments(statements, { scope, invoiceId, installments: content.installments });
}

const DELETE_DRAFT = statement((db, $: Given<Scope & { id: bigint }>) =>
  db
    .deleteFrom('invoices')
    .where('id', '=', $('id'))
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('status', '=', 'DRAFT')
    .returning('id'),
);

/** Deletes a draft. Returns false if the scope has no such draft. */
export async function deleteDraft(
  statements: Statements,
  { applicationId, mode }: Scope,
  invoiceId: bigint,
): Promise<boolean> {
  return (await DELETE_DRAFT.first(statements, { applicationId, mode, id: invoiceId })) !== undefined;
}

interface OfInvoice {
  readonly scope: Scope;
  readonly invoiceId: bigint;
}

interface PartsOfInvoice extends Scope {
  readonly invoiceId: bigint;
  /** A JSON array. */
  readonly parts: string;
}

const INSERT_LINES = statement((db, $: Given<PartsOfInvoice>) => {
  const source = db.selectFrom(
    recordsOf($('parts'), 'w', {
      position: 'integer',
      description: 'text',
      qty: 'bigint',
      unit: 'bigint',
      discount: 'jsonb',
      taxes: 'jsonb',
      total: 'bigint',
      reduction: 'bigint',
      tax: 'bigint',
    }),
  );
  const eb = expressionBuilder(source);
  const row = rowOf('invoice_items', {
    applicationId: eb.cast<bigint>($('applicationId'), 'bigint'),
    mode: $('mode'),
    invoiceId: eb.cast<bigint>($('invoiceId'), 'bigint'),
    position: eb.ref('w.position'),
    description: eb.ref('w.description'),
    qty: eb.ref('w.qty'),
    unitAmountMinor: eb.ref('w.unit'),
    discount: eb.ref('w.discount').$castTo<StoredReduction | null>(),
    taxes: eb.ref('w.taxes').$castTo<readonly StoredRate[]>(),
    lineTotalMinor: eb.ref('w.total'),
    discountMinor: eb.ref('w.reduction'),
    taxMinor: eb.ref('w.tax'),
  });
  return db.insertInto('invoice_items').columns(row.columns).expression(source.select(row.values));
});

async function insertLines(
  statements: Statements,
  { scope: { applicationId, mode }, invoiceId, content }: OfInvoice & { readonly content: InvoiceContent },
): Promise<void> {
  const lines = content.lines.map(({ description, qty, unitAmountMinor, discount, taxes }, index) => {
    const totals = content.totals.lines[index];
    return {
      position: index + 1,
      description,
      qty,
      unit: unitAmountMinor,
      discount,
      taxes,
      total: totals?.lineTotalMinor,
      reduction: totals?.discountMinor,
      tax: totals?.taxMinor,
    };
  });
  await INSERT_LINES.all(statements, { applicationId, mode, invoiceId, parts: storedJson(lines) });
}

const DELETE_INSTALLMENTS = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db.deleteFrom('invoice_installments').where('invoiceId', '=', $('invoiceId')),
);

type Schedule = OfInvoice & { readonly installments: readonly Installment[] };

/** Replaces the installments of a draft or an issued invoice. The caller has locked it. */
export async function replaceInstallments(statements: Statements, schedule: Schedule): Promise<void> {
  await DELETE_INSTALLMENTS.all(statements, { invoiceId: schedule.invoiceId });
  await insertInstallments(statements, schedule);
}

const INSERT_INSTALLMENTS = statement((db, $: Given<PartsOfInvoice>) => {
  const source = db.selectFrom(recordsOf($('parts'), 'w', { position: 'integer', day: 'date', amount: 'bigint' }));
  const eb = expressionBuilder(source);
  const row = rowOf('invoice_installments', {
    applicationId: eb.cast<bigint>($('applicationId'), 'bigint'),
    mode: $('mode'),
    invoiceId: eb.cast<bigint>($('invoiceId'), 'bigint'),
    position: eb.ref('w.position'),
    dueDate: eb.ref('w.day'),
    amountMinor: eb.ref('w.amount'),
  });
  return db.insertInto('invoice_installments').columns(row.columns).expression(source.select(row.values));
});

async function insertInstallments(
  statements: Statements,
  { scope: { applicationId, mode }, invoiceId, installments }: Schedule,
): Promise<void> {
  if (installments.length === 0) {
    return;
  }
  const parts = installments.map(({ dueDate, amountMinor }, index) => ({
    position: index + 1,
    day: dueDate,
    amount: amountMinor,
  }));
  await INSERT_INSTALLMENTS.all(statements, { applicationId, mode, invoiceId, parts: storedJson(parts) });
}
