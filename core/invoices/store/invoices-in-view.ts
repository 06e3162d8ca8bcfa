import { expressionBuilder, sql } from 'kysely';
import { list, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Statements } from '../../../database/statements.ts';
import { DUE_INVOICE_STATUSES } from '../../../domain/invoice.ts';
import type { Mode } from '../../../domain/mode.ts';
import { statusFilter, type InvoiceFilter, type StatusFilter } from './invoice-list.ts';
import { INVOICE_WITHOUT_CONTACT, invoiceOf, type InvoiceRecord } from './invoices.ts';

/** An invoice as operators see it. */
export interface InvoiceInView {
  readonly invoice: InvoiceRecord;
  readonly applicationName: string;
}

const HIDDEN = sql<string | null>`null`;
/** The database refuses an operator the customer's contact. */
const IN_VIEW_COLUMNS = [
  ...INVOICE_WITHOUT_CONTACT,
  HIDDEN.as('customerEmail'),
  HIDDEN.as('customerPhone'),
  HIDDEN.as('customerName'),
  HIDDEN.as('customerAddress'),
  'a.name as applicationName',
] as const;

interface ScopeFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly customerReference?: string | undefined;
}

export interface OperatorsInvoiceFilter extends ScopeFilter {
  readonly shown: NonNullable<InvoiceFilter['shown']>;
}

const IN_VIEW = list((db, $: Given<ValuesOf<ScopeFilter & StatusFilter>>) => {
  const invoices = db.selectFrom('invoices as i').innerJoin('applications as a', 'a.id', 'i.applicationId');
  const eb = expressionBuilder(invoices);
  return {
    rows: invoices.select(IN_VIEW_COLUMNS),
    conditions: {
      applicationId: eb('i.applicationId', '=', $('applicationId')),
      mode: eb('i.mode', '=', $('mode')),
      customerReference: eb('i.customerReference', '=', $('customerReference')),
      status: eb('i.status', '=', $('status')),
      overdueOn: eb.and([eb('i.status', 'in', DUE_INVOICE_STATUSES), eb('i.nextDueDate', '<', $('overdueOn'))]),
      notOverdueOn: eb.or([eb('i.nextDueDate', 'is', null), eb('i.nextDueDate', '>=', $('notOverdueOn'))]),
    },
    orders: { id: ['i.id'] },
  };
});

/** Returns a page of the invoices in an operator's view. */
export async function listInvoicesInView(
  statements: Statements,
  { filter: { shown, ...filter }, slice }: { readonly filter: OperatorsInvoiceFilter; readonly slice: ListSlice },
): Promise<{ readonly rows: InvoiceInView[]; readonly total: number; readonly nextCursor: string | null }> {
  const page = await IN_VIEW.page(statements, { filter: { ...filter, ...statusFilter(shown) }, sortBy: 'id', slice });
  return {
    ...page,
    rows: page.rows.map(({ applicationName, ...row }) => ({ invoice: invoiceOf(row), applicationName })),
  };
}

const BY_ID = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('invoices as i')
    .innerJoin('applications as a', 'a.id', 'i.applicationId')
    .select(IN_VIEW_COLUMNS)
    .where('i.id', '=', $('id')),
);

/** Returns null for an invoice that is not in the operator's view. */
export async function readInvoiceInView(statements: Statements, id: bigint): Promise<InvoiceInView | null> {
  const found = await BY_ID.first(statements, { id });
  if (found === undefined) {
    return null;
  }
  const { applicationName, ...row } = found;
  return { invoice: invoiceOf(row), applicationName };
}
