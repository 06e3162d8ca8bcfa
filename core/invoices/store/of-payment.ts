import { optional } from '../../../database/read-row.ts';
import type { Statements } from '../../../database/statements.ts';

/** Returns the invoice that a payment pays, or null. */
export async function invoiceIdOf(statements: Statements, paymentId: bigint): Promise<bigint | null> {
  const [row] = await statements.execute<{ invoice_id: string | null }[]>(
    'select invoice_id from payments where id = ?',
    [paymentId],
  );
  return row === undefined ? null : optional(row.invoice_id, BigInt);
}

/** Reports whether an invoice has been paid in full. */
export async function isInvoicePaid(statements: Statements, invoiceId: bigint): Promise<boolean> {
  const paid = await statements.execute<object[]>(`select 1 from invoices where id = ? and status = 'PAID'`, [
    invoiceId,
  ]);
  return paid.length > 0;
}
