import { optional } from '../../../database/read-row.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import { invoiceHandleOf, type InvoiceHandle } from '../../dispatch.ts';
import { sqlList } from '../../../database/sql-list.ts';
import { DUE_INVOICE_STATUSES } from '../../../domain/invoice.ts';

interface SweptInvoiceRow {
  reference: string;
  application_id: string;
  application_name: string;
  mode: Mode;
  number: string | null;
  number_label: string | null;
  total_minor: string;
  currency: string;
}

const SWEPT_INVOICE_COLUMNS = `i.reference, i.application_id, a.name as application_name, i.mode, i.number, i.number_label, i.total_minor, i.currency`;

function sweptInvoiceOf(row: SweptInvoiceRow): InvoiceHandle {
  const { reference, mode, currency, number_label: numberLabel } = row;
  return invoiceHandleOf(
    {
      reference,
      applicationId: BigInt(row.application_id),
      mode,
      number: optional(row.number, BigInt),
      numberLabel,
      totalMinor: BigInt(row.total_minor),
      currency,
    },
    row.application_name,
  );
}

/** Takes invoices that are due for a check, and postpones their next one by five minutes. */
export async function takeDueInvoices(statements: Statements, max: number): Promise<InvoiceHandle[]> {
  const rows = await statements.execute<SweptInvoiceRow[]>(
    `with due as (
       select id from invoices where next_sweep_at <= now() order by next_sweep_at limit ${max} for update skip locked)
     update invoices i set next_sweep_at = now() + interval '5 minutes' from due, applications a
     where i.id = due.id and a.id = i.application_id returning ${SWEPT_INVOICE_COLUMNS}`,
  );
  return rows.map(sweptInvoiceOf);
}

export async function readOpenInvoices(
  statements: Statements,
  references: readonly string[],
): Promise<InvoiceHandle[]> {
  const rows = await statements.execute<SweptInvoiceRow[]>(
    `select ${SWEPT_INVOICE_COLUMNS} from invoices i join applications a on a.id = i.application_id
     where i.reference = any(string_to_array(?, ',')) and i.status in (${sqlList(DUE_INVOICE_STATUSES)})`,
    [references.join(',')],
  );
  return rows.map(sweptInvoiceOf);
}
