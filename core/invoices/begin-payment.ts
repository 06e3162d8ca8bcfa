import { checkoutGatewaysOf, type PaymentRules } from '../payments/bounds.ts';
import { SESSION_WAIT } from '../payments/create-payment.ts';
import { drawingAgain } from '../payments/draw-reference.ts';
import { followClock } from '../payments/pay-invoice.ts';
import { insertPayment, type NewPayment } from '../payments/store/new-payments.ts';
import type { PaymentRecord } from '../payments/store/payments.ts';
import type { PublicInvoice } from '../payments/store/public-references.ts';
import { activeOf, choiceFor, type WhereToPay } from '../payments/where-to-pay.ts';
import { contractOf } from '../contracts/contracts.ts';
import type { Statements } from '../../database/statements.ts';
import { invoiceNumber } from '../../domain/invoice.ts';
import { payableUrl } from '../../domain/invoice-view.ts';
import { attemptReference } from '../../domain/references.ts';
import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { paymentHandleOf } from '../dispatch.ts';
import { lockInvoice, type InvoiceRecord } from './store/invoices.ts';
import { openPaymentsOf } from './store/payments-of-invoice.ts';

/** Returns the gateways where an invoice can be paid now, by its contract and the application's settings. */
export async function payableAt(
  deps: CoreDependencies,
  { invoice, rules }: { readonly invoice: InvoiceRecord; readonly rules: PaymentRules },
): Promise<readonly string[]> {
  const ofContract = contractOf(invoice.contract).invoices.gateways;
  const wanted =
    ofContract === null
      ? checkoutGatewaysOf(rules)
      : ofContract.filter((name) => deps.gateways.capabilities(name) !== undefined);
  return activeOf(deps, { scope: invoice, rules, wanted });
}

export interface InvoicePayment<Problem> {
  readonly rules: PaymentRules & { readonly expiryMinutes: number };
  /** The gateways where it can be paid. */
  readonly gateways: readonly string[];
  /** Returns the amount of the payment in minor units, or why it cannot be paid. The invoice is locked. */
  readonly amountOf: (invoice: InvoiceRecord) => bigint | Problem;
}

export type BegunPayment<Problem> =
  | { readonly problem: Problem | 'unavailable' }
  /** An equal payment was open already. */
  | { readonly isNew: false; readonly reference: string }
  | {
      readonly isNew: true;
      readonly reference: string;
      readonly amountMinor: bigint;
      readonly gateway: string | null;
    };

/**
 * Starts a payment of an invoice and opens its checkout. Returns an equal payment that is still open instead, so that two tabs that request the same
 * amount at once get the same checkout.
 */
export async function beginInvoicePayment<Problem extends string>(
  deps: CoreDependencies,
  found: PublicInvoice,
  wanted: InvoicePayment<Problem>,
): Promise<BegunPayment<Problem>> {
  const begun = await drawingAgain(() =>
    deps.database.withScope(found.scope, (statements) => begin(deps, statements, { ...wanted, found })),
  );
  if ('isNew' in begun && begun.isNew) {
    await openCheckout(deps, found, begun);
  }
  return begun;
}

/** Locks the invoice, so that payments of it are started one after the other. */
async function begin<Problem extends string>(
  deps: CoreDependencies,
  statements: Statements,
  { found, rules, gateways, amountOf }: InvoicePayment<Problem> & { readonly found: PublicInvoice },
): Promise<BegunPayment<Problem>> {
  const invoice = await lockInvoice(statements, found.scope, found.invoice.id);
  if (invoice === null) {
    throw new Error('the invoice does not exist in this scope');
  }
  const amountMinor = amountOf(invoice);
  if (typeof amountMinor === 'string') {
    return { problem: amountMinor };
  }
  const open = await openPaymentsOf(statements, invoice.id);
  const same = open.find((payment) => payment.amountMinor === amountMinor && canGoOn(payment));
  if (same !== undefined) {
    return { isNew: false, reference: same.reference };
  }
  const where = choiceFor(deps, { rules, amount: { amountMinor, currency: invoice.currency }, active: gateways });
  if (where === null) {
    return { problem: 'unavailable' };
  }
  const { expiryMinutes } = rules;
  const payment = paymentOfInvoice(deps, { invoice, amountMinor, where, expiryMinutes });
  const paymentId = await insertPayment(statements, payment, null);
  if (paymentId === null) {
    throw new Error('a payment was not stored');
  }
  await followClock(statements, invoice, paymentId);
  return { isNew: true, reference: payment.reference, amountMinor, gateway: where.gateway };
}

/** A payment in progress is offered only if this much time is left: otherwise it could expire while the payer is paying. */
const TIME_TO_PAY_MS = 120_000;

/** Returns whether its payer can still continue with the payment. */
export function canGoOn(payment: PaymentRecord): boolean {
  const { reviewReason, cancelRequestedAt, expiresAt, readAt } = payment;
  return reviewReason === null && cancelRequestedAt === null && expiresAt.getTime() > readAt.getTime() + TIME_TO_PAY_MS;
}

interface WantedPayment {
  readonly invoice: InvoiceRecord;
  readonly amountMinor: bigint;
  readonly where: WhereToPay;
  /** The application's setting. */
  readonly expiryMinutes: number;
}

/** Returns a new payment of an invoice in the terms of the invoice's contract. */
function paymentOfInvoice(
  { gateways, webUrl }: CoreDependencies,
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

async function openCheckout(
  deps: CoreDependencies,
  { scope, invoice, applicationName }: PublicInvoice,
  { reference, amountMinor, gateway }: Extract<BegunPayment<never>, { isNew: true }>,
): Promise<void> {
  const { currency, id: invoiceId } = invoice;
  const payment = { reference, ...scope, amountMinor, currency, gateway, invoiceId };
  await deps.dispatch.openCheckout(paymentHandleOf(payment, applicationName), SESSION_WAIT).catch((error: unknown) => {
    deps.log.warn({ payment: reference, error: describeError(error) }, 'checkout not open yet; the page waits for it');
  });
}
