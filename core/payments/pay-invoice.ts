import { followClockOfInvoice, insertPayment, type NewPayment } from './store/new-payments.ts';
import type { KeyClaim } from '../idempotency/store.ts';
import { lockInvoice, type InvoiceRecord } from '../invoices/store/invoices.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { dueMinorOf, isPastExpiry } from '../../domain/invoice-due.ts';

/**
 * Stores a payment of an invoice in the caller's transaction. Locks the invoice first, so that it cannot be voided in the meantime. Returns null if
 * the idempotency key is taken, whatever has happened to the invoice since.
 * @throws DomainError RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE, VALIDATION_ERROR, AMOUNT_OUT_OF_BOUNDS
 */
export async function insertInvoicePayment(
  statements: Statements,
  payment: NewPayment & { readonly invoiceId: bigint },
  claim: KeyClaim | null,
): Promise<bigint | null> {
  const invoice = await lockInvoice(statements, payment.scope, payment.invoiceId);
  if (invoice === null) {
    throw notFound('invoice');
  }
  const paymentId = await insertPayment(statements, payment, claim);
  if (paymentId !== null) {
    requirePayable(invoice, payment);
    await followClock(statements, invoice, paymentId);
  }
  return paymentId;
}

/** A new payment has the test clock of its invoice, if that was moved. */
export async function followClock(
  statements: Statements,
  { readAt, realReadAt }: Pick<InvoiceRecord, 'readAt' | 'realReadAt'>,
  paymentId: bigint,
): Promise<void> {
  if (readAt > realReadAt) {
    await followClockOfInvoice(statements, paymentId);
  }
}

function requirePayable(invoice: InvoiceRecord, { amountMinor, currency }: NewPayment): void {
  const dueMinor = dueMinorOf(invoice);
  if (dueMinor === 0n) {
    throw new DomainError('INVALID_OPERATION_STATE', `the invoice is ${invoice.status}; nothing is due`);
  }
  if (isPastExpiry(invoice, invoice.readAt)) {
    throw new DomainError('INVALID_OPERATION_STATE', 'the invoice has expired');
  }
  if (currency !== invoice.currency) {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', {
      fields: { currency: `must be the invoice’s, ${invoice.currency}` },
    });
  }
  if (amountMinor > dueMinor) {
    const message = `must be at most ${dueMinor}, which is due`;
    throw new DomainError('AMOUNT_OUT_OF_BOUNDS', `amountMinor ${message}`, { fields: { amountMinor: message } });
  }
}
