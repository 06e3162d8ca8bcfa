import type { Scope } from '../../database/connection.ts';
import { changePaid } from './store/invoice-changes.ts';
import { lockInvoice, readInvoice, type InvoiceRecord } from './store/invoices.ts';
import { invoiceIdOf } from './store/payments-of-invoice.ts';
import { invoiceRulesOf } from './store/invoice-overpayment.ts';
import { recordReopenedInvoice } from '../refunds/store/refund-steps.ts';
import type { RefundRecord } from '../refunds/store/refunds.ts';
import type { Statements } from '../../database/statements.ts';
import { invoiceHandleOf, type InvoiceHandle } from '../dispatch.ts';
import { contractOf } from '../contracts/contracts.ts';
import type { CoreDependencies } from '../dependencies.ts';

/** Locks the invoice of a payment, or returns null for a payment without an invoice. Must be called before the payment's row is locked. */
export async function lockInvoiceOfPayment(
  statements: Statements,
  scope: Scope,
  paymentId: bigint,
): Promise<InvoiceRecord | null> {
  const invoiceId = await invoiceIdOf(statements, paymentId);
  return invoiceId === null ? null : lockInvoice(statements, scope, invoiceId);
}

/**
 * Makes the refunded amount of an invoice's payment due again. Does nothing if the application treats refunds as credits, or in a contract where a
 * paid invoice stays paid. The invoice is locked.
 */
export async function reopenInvoice(
  { calendar }: CoreDependencies,
  statements: Statements,
  { invoice, refund }: { readonly invoice: InvoiceRecord; readonly refund: RefundRecord },
): Promise<void> {
  if (!contractOf(invoice.contract).invoices.reopenAfterRefund) {
    return;
  }
  const { refundedInvoices } = await invoiceRulesOf(statements, invoice);
  if (refundedInvoices === 'KEEP') {
    return;
  }
  const paidMinor = invoice.paidMinor - refund.amountMinor;
  await changePaid(statements, { invoice, paidMinor, today: calendar.today(invoice.readAt), events: 0 });
  await recordReopenedInvoice(statements, refund.id);
}

/** Returns the handle by which the workflow of a payment's invoice is notified, or null if there is no invoice. */
export async function findInvoiceHandle(
  statements: Statements,
  scope: Scope,
  paymentId: bigint,
): Promise<InvoiceHandle | null> {
  const invoiceId = await invoiceIdOf(statements, paymentId);
  const invoice = invoiceId === null ? null : await readInvoice(statements, scope, invoiceId);
  return invoice === null ? null : invoiceHandleOf(invoice, (await invoiceRulesOf(statements, scope)).applicationName);
}
