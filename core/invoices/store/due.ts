import { later, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { DUE_INVOICE_STATUSES } from '../../../domain/invoice.ts';
import { invoiceHandleOf, type InvoiceHandle } from '../../dispatch.ts';

/** Columns of `invoices i` and `applications a` that a handle needs. */
const SWEPT_INVOICE = [
  'i.reference',
  'i.applicationId',
  'a.name as applicationName',
  'i.mode',
  'i.number',
  'i.numberLabel',
  'i.totalMinor',
  'i.currency',
] as const;

const TAKE_DUE = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('invoices')
        .select('id')
        .where('nextSweepAt', '<=', now)
        .orderBy('nextSweepAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('invoices as i')
    .from(['due', 'applications as a'])
    .set({ nextSweepAt: later('5 minutes') })
    .whereRef('i.id', '=', 'due.id')
    .whereRef('a.id', '=', 'i.applicationId')
    .returning(SWEPT_INVOICE),
);

/** Takes invoices that are due for a check, and postpones their next one by five minutes. */
export async function takeDueInvoices(statements: Statements, max: number): Promise<InvoiceHandle[]> {
  const rows = await TAKE_DUE.all(statements, { max });
  return rows.map(({ applicationName, ...invoice }) => invoiceHandleOf(invoice, applicationName));
}

const READ_OPEN = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .selectFrom('invoices as i')
    .innerJoin('applications as a', 'a.id', 'i.applicationId')
    .select(SWEPT_INVOICE)
    .where('i.reference', '=', (eb) => eb.fn.any($('references')))
    .where('i.status', 'in', DUE_INVOICE_STATUSES),
);

export async function readOpenInvoices(
  statements: Statements,
  references: readonly string[],
): Promise<InvoiceHandle[]> {
  const rows = await READ_OPEN.all(statements, { references });
  return rows.map(({ applicationName, ...invoice }) => invoiceHandleOf(invoice, applicationName));
}
