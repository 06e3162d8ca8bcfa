import { paymentsOf } from '../../core/invoices/store/payments-of-invoice.ts';
import { readInvoice, type InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import type { PaymentRecord } from '../../core/payments/store/payments.ts';
import { refundedOf } from '../../core/refunds/store/refunds.ts';
import { BUSINESS_TIME_ZONE } from '../../domain/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import { invoiceNumber } from '../../domain/invoice.ts';
import { checkoutUrl } from '../../domain/payment-view.ts';
import type { GatewayRegistry } from '../../gateways/port.ts';
import type { Database } from '../../database/connection.ts';
import type { ReceiptDocument, ReceiptInvoice } from '../../web/documents/document.ts';
import { renderReceipt } from '../../web/documents/render.ts';
import type { Language } from '../../web/language.ts';
import type { StreamReply } from '../http/route.ts';
import { brandingOf } from './branding.ts';
import { pdfReply } from './pdf-reply.ts';
import { gatewayName } from '../../core/gateways/gateway-name.ts';

export interface ReceiptDependencies {
  readonly database: Database;
  readonly gateways: Pick<GatewayRegistry, 'capabilities'>;
  readonly webUrl: string;
}

export interface ReceiptOf {
  readonly payment: PaymentRecord;
  readonly applicationName: string;
  readonly language?: Language | undefined;
}

/** Returns the receipt of a paid payment in the look of the application's invoices. Throws INVALID_OPERATION_STATE if it is not paid. */
export async function receiptPdf(deps: ReceiptDependencies, receipt: ReceiptOf): Promise<StreamReply> {
  const document = await receiptDocument(deps, receipt);
  return pdfReply(document.number, () => renderReceipt(document));
}

async function receiptDocument(
  { database, gateways, webUrl }: ReceiptDependencies,
  { payment, applicationName, language }: ReceiptOf,
): Promise<ReceiptDocument> {
  const { paidAt, invoiceId } = payment;
  if (!(paidAt instanceof Date)) {
    throw new DomainError('INVALID_OPERATION_STATE', 'the payment has not succeeded');
  }
  const branding = await brandingOf(database, payment, applicationName);
  const { refundedMinor, invoice, payments } = await database.inTransaction(payment, async (statements) => ({
    refundedMinor: await refundedOf(statements, payment.id),
    invoice: typeof invoiceId === 'bigint' ? await readInvoice(statements, payment, invoiceId) : null,
    payments: typeof invoiceId === 'bigint' ? await paymentsOf(statements, invoiceId) : [],
  }));
  return {
    language: language ?? invoice?.language ?? 'en',
    mode: payment.mode,
    branding,
    number: `R-${payment.id}`,
    paidAt,
    timeZone: BUSINESS_TIME_ZONE,
    customer: {
      reference: payment.customerReference,
      name: payment.customerName ?? invoice?.customerName ?? null,
      address: invoice?.customerAddress ?? null,
    },
    description: payment.productName ?? null,
    paymentReference: payment.reference,
    gatewayName: gatewayName(gateways, payment.gateway) ?? '',
    gatewayTransactionId: payment.gatewayTxnId ?? null,
    amountMinor: payment.amountMinor,
    refundedMinor,
    invoice: invoice === null ? null : afterPayment(invoice, payments, payment),
    url: checkoutUrl(payment.reference, webUrl),
    currency: payment.currency,
  };
}

/** Returns the invoice as it was right after this payment. Later payments and refunds do not count. */
function afterPayment(
  invoice: InvoiceRecord,
  payments: readonly PaymentRecord[],
  { id }: PaymentRecord,
): ReceiptInvoice {
  const { totalMinor } = invoice;
  const until = payments.slice(0, payments.findIndex((other) => other.id === id) + 1);
  const applied = until.reduce((sum, { amountMinor, overpaymentMinor }) => sum + amountMinor - overpaymentMinor, 0n);
  const paidMinor = applied < totalMinor ? applied : totalMinor;
  return {
    number: invoiceNumber(invoice) ?? '',
    totalMinor,
    paidMinor,
    dueMinor: totalMinor - paidMinor,
  };
}
