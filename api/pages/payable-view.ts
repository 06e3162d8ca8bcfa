import { openPaymentsOf, paymentsOf } from '../../core/invoices/store/payments-of-invoice.ts';
import type { InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import { readLogo } from '../../core/invoices/store/invoice-templates.ts';
import { canGoOn } from '../../core/invoices/begin-payment.ts';
import type { PaymentRecord } from '../../core/payments/store/payments.ts';
import { checkoutPath } from '../../domain/payment-view.ts';
import { refundedOfAll } from '../../core/refunds/store/refunds.ts';
import { listUnappliedOfInvoice } from '../../core/unapplied-payments/store/unapplied-payments.ts';
import { BUSINESS_TIME_ZONE } from '../../domain/calendar.ts';
import { addDays } from '../../domain/plain-date.ts';
import { stateOf } from '../../domain/installments.ts';
import { invoiceNumber } from '../../domain/invoice.ts';
import {
  dueMinorOf,
  payableAmounts,
  shownStatus,
  type PayableAmounts,
  isPastExpiry,
} from '../../domain/invoice-due.ts';
import { payablePath } from '../../domain/invoice-view.ts';
import type { Language } from '../../web/language.ts';
import type { PayableView, Paying, PayProblem, InProgress } from '../../web/payable/view.ts';
import { brandingOf } from '../documents/branding.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { widestBounds, type PaymentRules } from '../../core/payments/bounds.ts';
import type { PublicInvoice } from '../../core/payments/store/public-references.ts';
import { gatewayName } from '../../core/gateways/gateway-name.ts';
import { shownUnapplied } from './checkout-view.ts';

export interface Shown {
  readonly found: PublicInvoice;
  readonly rules: PaymentRules;
  /** The gateways where it can be paid. */
  readonly gateways: readonly string[];
  readonly language: Language;
  /** The problem with the submitted form, and the amount typed into it. */
  readonly problem: { readonly kind: PayProblem; readonly typed: string | null } | null;
}

/** Returns the amounts that can be paid of an invoice now; null if there is none. */
export function amountsOf(
  deps: ApiDependencies,
  {
    invoice,
    rules,
    gateways: names,
  }: { readonly invoice: InvoiceRecord; readonly rules: PaymentRules; readonly gateways: readonly string[] },
): PayableAmounts | null {
  const bounds = widestBounds(deps, rules, { names, currency: invoice.currency });
  return bounds === null || isPastExpiry(invoice, invoice.readAt)
    ? null
    : payableAmounts(invoice, {
        today: deps.calendar.today(invoice.readAt),
        bounds,
        ownAllowed: invoice.partialPayments,
      });
}

/** Returns what the page shows of an invoice. It reads rows only, so it is right whether or not a workflow runs. */
export async function payableView(deps: ApiDependencies, shown: Shown): Promise<PayableView> {
  const { found, rules, gateways, language, problem } = shown;
  const { scope, invoice, applicationName } = found;
  const branding = await brandingOf(deps.database, scope, applicationName);
  const { payments, refunded, unapplied, open, logo } = await deps.database.withScope(scope, async (statements) => {
    const paid = await paymentsOf(statements, invoice.id);
    return {
      payments: paid,
      refunded: await refundedOfAll(statements, paid),
      unapplied: await listUnappliedOfInvoice(statements, invoice.id),
      open: await openPaymentsOf(statements, invoice.id),
      logo: await readLogo(statements, scope.applicationId),
    };
  });
  const today = deps.calendar.today(invoice.readAt);
  const status = shownStatus(invoice, today);
  const pagePath = payablePath(invoice.reference);
  return {
    language,
    mode: invoice.mode,
    pagePath,
    pdfPath: `${pagePath}/pdf`,
    now: invoice.readAt,
    timeZone: BUSINESS_TIME_ZONE,
    branding: { ...branding, logoPath: logo === null ? null : `${pagePath}/logo` },
    invoice: {
      number: invoiceNumber(invoice) ?? '',
      status: status === 'DRAFT' ? 'ISSUED' : hasExpired(invoice, open) ? 'EXPIRED' : status,
      issueDate: invoice.issuedAt === null ? null : deps.calendar.today(invoice.issuedAt),
      dueDate: invoice.dueDate,
      payBefore: payBeforeOf(deps, invoice),
      currency: invoice.currency,
      lines: invoice.lines,
      subtotalMinor: invoice.subtotalMinor,
      discountMinor: invoice.discountMinor,
      taxes: invoice.taxTotals,
      totalMinor: invoice.totalMinor,
      paidMinor: invoice.paidMinor,
      dueMinor: dueMinorOf(invoice),
      installments: stateOf(invoice.installments, invoice.paidMinor, today),
      notes: invoice.notes,
      payments: payments.map((payment) => ({
        paidAt: payment.paidAt ?? payment.updatedAt,
        amountMinor: payment.amountMinor,
        refundedMinor: refunded.get(payment.id) ?? 0n,
        gatewayName: gatewayName(deps.gateways, payment.gateway) ?? '',
        gatewayTransactionId: payment.gatewayTxnId ?? null,
      })),
    },
    paying: payingOf(amountsOf(deps, { invoice, rules, gateways }), { pagePath, problem }),
    unapplied: unapplied.map((money) => ({ ...shownUnapplied(money), unpaid: money.unpaid })),
    inProgress: inProgressOf(open),
  };
}

/** Returns when an invoice expires; null if that is the end of its due date, which the page shows as a day, or never. */
function payBeforeOf({ calendar }: ApiDependencies, { dueDate, expiresAt }: InvoiceRecord): Date | null {
  const endOfDay = dueDate === null ? null : calendar.startOf(addDays(dueDate, 1));
  return expiresAt?.getTime() === endOfDay?.getTime() ? null : expiresAt;
}

/** Returns true even before the workflow has recorded the expiry: a new payment can no longer start, and none is in progress. */
function hasExpired(invoice: InvoiceRecord, open: readonly PaymentRecord[]): boolean {
  const waits = dueMinorOf(invoice) > 0n && isPastExpiry(invoice, invoice.readAt);
  return invoice.expiredAt !== null || (waits && open.length === 0);
}

function payingOf(
  amounts: PayableAmounts | null,
  { pagePath, problem }: { readonly pagePath: string; readonly problem: Shown['problem'] },
): Paying | null {
  return amounts === null
    ? null
    : {
        action: `${pagePath}/pay`,
        requestedMinor: amounts.requestedMinor,
        wholeAtOnce: amounts.wholeAtOnce,
        anyAmount: amounts.own,
        problem: problem?.kind ?? null,
        typed: problem?.typed ?? null,
      };
}

function inProgressOf(open: readonly PaymentRecord[]): InProgress | null {
  const payment = open.find(canGoOn);
  return payment === undefined
    ? null
    : {
        checkoutPath: checkoutPath(payment.reference),
        amountMinor: payment.amountMinor,
        since: payment.createdAt,
      };
}
