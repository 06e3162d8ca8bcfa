import { OPEN_STATUSES, PAID_STATUSES } from '../../../domain/payment.ts';
import { later, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { PAYMENT, PAYMENT_WITHOUT_CONTACT, type PaymentRecord } from '../../payments/store/payments.ts';
import type { InvoiceRecord } from './invoices.ts';

const PAID = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db
    .selectFrom('payments as p')
    .select(PAYMENT)
    .where('p.invoiceId', '=', $('invoiceId'))
    .where('p.status', 'in', PAID_STATUSES)
    .orderBy('p.paidAt')
    .orderBy('p.id'),
);

/** Returns the successful payments of an invoice, oldest first. */
export function paymentsOf(statements: Statements, invoiceId: bigint): Promise<PaymentRecord[]> {
  return PAID.all(statements, { invoiceId });
}

const PAID_WITHOUT_CONTACT = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db
    .selectFrom('payments as p')
    .select(PAYMENT_WITHOUT_CONTACT)
    .where('p.invoiceId', '=', $('invoiceId'))
    .where('p.status', 'in', PAID_STATUSES)
    .orderBy('p.paidAt')
    .orderBy('p.id'),
);

/** Returns the successful payments of an invoice, oldest first, without their customers' contact, which the database refuses to operators. */
export function paymentsOfForOperator(
  statements: Statements,
  invoiceId: bigint,
): Promise<RowOf<typeof PAID_WITHOUT_CONTACT>[]> {
  return PAID_WITHOUT_CONTACT.all(statements, { invoiceId });
}

const PAID_OF_ALL = statement((db, $: Given<{ invoiceIds: readonly bigint[] }>) =>
  db
    .selectFrom('payments as p')
    .select(PAYMENT)
    .where('p.invoiceId', '=', (eb) => eb.fn.any($('invoiceIds')))
    .where('p.status', 'in', PAID_STATUSES)
    .orderBy('p.paidAt')
    .orderBy('p.id'),
);

/** Returns the successful payments of several invoices, oldest first, by the invoice's id. */
export async function paymentsOfAll(
  statements: Statements,
  invoices: readonly Pick<InvoiceRecord, 'id'>[],
): Promise<ReadonlyMap<bigint, PaymentRecord[]>> {
  const payments = await PAID_OF_ALL.all(statements, { invoiceIds: invoices.map(({ id }) => id) });
  return Map.groupBy(payments, ({ invoiceId }) => invoiceId ?? 0n);
}

const NEWEST = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db
    .selectFrom('payments as p')
    .select(PAYMENT)
    .where('p.invoiceId', '=', $('invoiceId'))
    .orderBy('p.id', 'desc')
    .limit(1),
);

/** Returns the newest payment of an invoice, whatever its status, or null if there is none. */
export async function newestPaymentOf(statements: Statements, invoiceId: bigint): Promise<PaymentRecord | null> {
  return (await NEWEST.first(statements, { invoiceId })) ?? null;
}

const OPEN = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db
    .selectFrom('payments as p')
    .select(PAYMENT)
    .where('p.invoiceId', '=', $('invoiceId'))
    .where('p.status', 'in', OPEN_STATUSES)
    .orderBy('p.id', 'desc'),
);

/** Returns the open payments of an invoice, newest first. */
export function openPaymentsOf(statements: Statements, invoiceId: bigint): Promise<PaymentRecord[]> {
  return OPEN.all(statements, { invoiceId });
}

const CANCEL_OPEN = statement((db, $: Given<{ invoiceId: bigint; dueMinor: bigint }>) =>
  db
    .updateTable('payments')
    .set({ cancelRequestedAt: now, nextSweepAt: later('30 seconds'), updatedAt: now })
    .where('invoiceId', '=', $('invoiceId'))
    .where('status', 'in', OPEN_STATUSES)
    .where('amountMinor', '>', $('dueMinor'))
    .where('cancelRequestedAt', 'is', null)
    .where('reviewReason', 'is', null)
    .returning('reference'),
);

/**
 * Requests the cancellation of open payments that would exceed the amount left. The gateways are queried whether their sessions can be ended. Returns
 * the payments' references.
 */
export async function cancelOpenPayments(
  statements: Statements,
  due: { readonly invoiceId: bigint; readonly dueMinor: bigint },
): Promise<string[]> {
  const cancelled = await CANCEL_OPEN.all(statements, due);
  return cancelled.map(({ reference }) => reference);
}

const INVOICE_OF = statement((db, $: Given<{ paymentId: bigint }>) =>
  db.selectFrom('payments').select('invoiceId').where('id', '=', $('paymentId')),
);

/** Returns the invoice that a payment pays, or null. */
export async function invoiceIdOf(statements: Statements, paymentId: bigint): Promise<bigint | null> {
  return (await INVOICE_OF.first(statements, { paymentId }))?.invoiceId ?? null;
}

const PAID_INVOICE = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db.selectFrom('invoices').select('id').where('id', '=', $('invoiceId')).where('status', '=', 'PAID'),
);

/** Reports whether an invoice has been paid in full. */
export async function isInvoicePaid(statements: Statements, invoiceId: bigint): Promise<boolean> {
  return (await PAID_INVOICE.first(statements, { invoiceId })) !== undefined;
}
