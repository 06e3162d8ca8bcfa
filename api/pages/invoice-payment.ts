import type { InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import type { NewPayment } from '../../core/payments/store/new-payments.ts';
import { invoiceNumber } from '../../domain/invoice.ts';
import { payableUrl } from '../../domain/invoice-view.ts';
import { attemptReference } from '../../domain/references.ts';
import { contractOf } from '../../core/contracts/contracts.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { checkoutGatewaysOf, type PaymentRules } from '../../core/payments/bounds.ts';
import { activeOf, type WhereToPay } from '../../core/payments/where-to-pay.ts';

/** Returns the gateways where an invoice can be paid now, by its contract and the application's settings. */
export async function payableAt(
  deps: ApiDependencies,
  { invoice, rules }: { readonly invoice: InvoiceRecord; readonly rules: PaymentRules },
): Promise<readonly string[]> {
  const ofContract = contractOf(invoice.contract).invoices.gateways;
  const wanted =
    ofContract === null
      ? checkoutGatewaysOf(rules)
      : ofContract.filter((name) => deps.gateways.capabilities(name) !== undefined);
  return activeOf(deps, { scope: invoice, rules, wanted });
}

export interface WantedPayment {
  readonly invoice: InvoiceRecord;
  readonly amountMinor: bigint;
  readonly where: WhereToPay;
  /** The application's setting. */
  readonly expiryMinutes: number;
}

/** Returns a new payment of an invoice in the terms of the invoice's contract. */
export function paymentOfInvoice(
  { gateways, webUrl }: ApiDependencies,
  { invoice, amountMinor, where, expiryMinutes }: WantedPayment,
): NewPayment {
  const page = payableUrl(invoice.reference, webUrl);
  const { paymentTerms } = contractOf(invoice.contract).invoices;
  const { expiryMinutes: minutes, ...terms } = paymentTerms(invoice, { page, expiryMinutes });
  const storeId = where.gateway === null ? null : (gateways.defaultStoreId(where.gateway, invoice.mode) ?? null);
  return {
    ...terms,
    ...where,
    scope: { applicationId: invoice.applicationId, mode: invoice.mode },
    amountMinor,
    currency: invoice.currency,
    customerReference: invoice.customerReference,
    customerEmail: invoice.customerEmail,
    customerName: invoice.customerName,
    productName: invoiceNumber(invoice),
    invoiceId: invoice.id,
    expiresInSeconds: minutes * 60,
    attempt: { reference: attemptReference(), storeId },
  };
}
