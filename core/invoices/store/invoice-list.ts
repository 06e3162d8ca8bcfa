import { expressionBuilder } from 'kysely';
import {
  DUE_INVOICE_STATUSES,
  type InvoiceStatus,
  type Numbered,
  type ShownInvoiceStatus,
} from '../../../domain/invoice.ts';
import type { PlainDate } from '../../../domain/plain-date.ts';
import type { Scope } from '../../../database/connection.ts';
import { list, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Given } from '../../../database/typed-statements.ts';
import { INVOICE, invoiceOf, type InvoiceRecord } from './invoices.ts';

interface CommonFilter {
  readonly customerReference?: string | undefined;
  readonly statuses?: readonly InvoiceStatus[] | undefined;
  readonly viewed?: boolean | undefined;
  readonly expired?: boolean | undefined;
  readonly leastMinor?: bigint | undefined;
  readonly mostMinor?: bigint | undefined;
  readonly from?: Date | undefined;
  readonly before?: Date | undefined;
}

/** An absent member does not restrict the list. */
export interface InvoiceFilter extends CommonFilter {
  /** OVERDUE: open, and something was due before `today`. */
  readonly shown?: { readonly status: ShownInvoiceStatus | undefined; readonly today: PlainDate };
  readonly numbered?: Numbered | undefined;
}

/** The conditions of a shown status. */
export interface StatusFilter {
  readonly status?: InvoiceStatus;
  readonly overdueOn?: PlainDate;
  readonly notOverdueOn?: PlainDate;
}

interface NumberFilter {
  readonly number?: bigint | null;
  /** Empty for a number without a label. */
  readonly numberLabel?: string;
}

const INVOICES = list((db, $: Given<ValuesOf<CommonFilter & StatusFilter & NumberFilter & Scope>>) => {
  const invoices = db.selectFrom('invoices as i');
  const eb = expressionBuilder(invoices);
  return {
    rows: invoices.select(INVOICE),
    conditions: {
      applicationId: eb('i.applicationId', '=', $('applicationId')),
      mode: eb('i.mode', '=', $('mode')),
      customerReference: eb('i.customerReference', '=', $('customerReference')),
      status: eb('i.status', '=', $('status')),
      overdueOn: eb.and([eb('i.status', 'in', DUE_INVOICE_STATUSES), eb('i.nextDueDate', '<', $('overdueOn'))]),
      notOverdueOn: eb.or([eb('i.nextDueDate', 'is', null), eb('i.nextDueDate', '>=', $('notOverdueOn'))]),
      statuses: eb('i.status', '=', eb.fn.any($('statuses'))),
      viewed: eb(eb('i.viewedAt', 'is not', null), '=', $('viewed')),
      expired: eb(eb('i.expiredAt', 'is not', null), '=', $('expired')),
      number: eb('i.number', '=', $('number')),
      numberLabel: eb(eb.fn.coalesce('i.numberLabel', eb.val('')), '=', $('numberLabel')),
      leastMinor: eb('i.totalMinor', '>=', $('leastMinor')),
      mostMinor: eb('i.totalMinor', '<=', $('mostMinor')),
      from: eb('i.createdAt', '>=', $('from')),
      before: eb('i.createdAt', '<', $('before')),
    },
    orders: { id: ['i.id'] },
  };
});

/** An overdue invoice is shown as OVERDUE, so it is listed under that status only. */
export function statusFilter({ status, today }: NonNullable<InvoiceFilter['shown']>): StatusFilter {
  switch (status) {
    case undefined:
      return {};
    case 'OVERDUE':
      return { overdueOn: today };
    case 'ISSUED':
    case 'PARTIALLY_PAID':
      return { status, notOverdueOn: today };
    default:
      return { status };
  }
}

/** Returns a page of an application's invoices. */
export async function listInvoices(
  statements: Statements,
  { applicationId, mode }: Scope,
  { filter: { shown, numbered, ...filter }, slice }: { readonly filter: InvoiceFilter; readonly slice: ListSlice },
): Promise<{ readonly invoices: InvoiceRecord[]; readonly total: number; readonly nextCursor: string | null }> {
  const { rows, total, nextCursor } = await INVOICES.page(statements, {
    filter: {
      ...filter,
      ...(shown === undefined ? {} : statusFilter(shown)),
      ...(numbered === undefined ? {} : { number: numbered.number, numberLabel: numbered.numberLabel ?? '' }),
      applicationId,
      mode,
    },
    sortBy: 'id',
    slice,
  });
  return { invoices: rows.map(invoiceOf), total, nextCursor };
}
