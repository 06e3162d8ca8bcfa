import type { Scope } from '../../database/connection.ts';
import { cancelOpenPayments } from './store/payments-of-invoice.ts';
import { changePaid, forgetViewed } from './store/invoice-changes.ts';
import { lockInvoicePaidBy, readInvoice, type InvoiceRecord } from './store/invoices.ts';
import { paymentsOf } from './store/payments-of-invoice.ts';
import {
  grossOfUnapplied,
  holdOverpayment,
  invoiceRulesOf,
  noteApplied,
  type HeldOverpayment,
} from './store/invoice-overpayment.ts';
import { MissingRow } from '../../database/missing-row.ts';
import type { PaymentRecord } from '../payments/store/payments.ts';
import { refundUnappliedMoney } from '../refunds/store/new-refunds.ts';
import type { Statements } from '../../database/statements.ts';
import { appliedOf, dueMinorOf, isPastExpiry } from '../../domain/invoice-due.ts';
import { invoiceEventView, invoiceView } from '../../domain/invoice-view.ts';
import { refundReference } from '../../domain/references.ts';
import { refundBoundsIn } from '../../gateways/refund-bounds.ts';
import { invoiceHandleOf, paymentHandleOf, refundHandleOf, type InvoiceHandle } from '../dispatch.ts';
import type { PaymentWorkflowInput } from '../../workflows/messages/payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { FollowUp } from '../follow-up.ts';
import { scopeOf } from '../scope.ts';
import { recordUnapplied } from '../unapplied-payments/unapplied-event.ts';
import { recordAndDeliver } from './record-event.ts';

/** Locks the invoice of a payment and returns it, or null for a payment without an invoice. Lock order everywhere: invoice, payment, refund. */
export async function lockInvoiceOf(
  statements: Statements,
  input: PaymentWorkflowInput,
): Promise<InvoiceRecord | null> {
  if (input.paysInvoice !== true) {
    return null;
  }
  const invoice = await lockInvoicePaidBy(statements, scopeOf(input), input.reference);
  if (invoice === null) {
    throw new MissingRow('invoice', input.reference);
  }
  return invoice;
}

export interface InvoicePayment {
  /** Locked; its state before the payment. */
  readonly invoice: InvoiceRecord;
  readonly payment: PaymentRecord;
}

/**
 * Applies a payment that has just succeeded to its invoice, up to the amount due. The rest is held as unapplied money, and refunded at once if the
 * application's policy says so.
 */
export async function applyPayment(
  deps: CoreDependencies,
  statements: Statements,
  { invoice, payment }: InvoicePayment,
): Promise<FollowUp[]> {
  const scope = { applicationId: payment.applicationId, mode: payment.mode };
  const { applicationName, unappliedPaymentPolicy } = await invoiceRulesOf(statements, scope);
  const handle = invoiceHandleOf(invoice, applicationName);
  const followUps: FollowUp[] = [];
  const appliedMinor = appliedOf(invoice, payment.amountMinor);
  if (appliedMinor > 0n) {
    followUps.push(...(await raisePaid(deps, statements, { invoice, appliedMinor, handle })));
  }
  if (payment.overpaymentMinor > 0n) {
    const held = await holdOverpayment(statements, payment);
    deps.log.error(
      { payment: payment.reference, invoice: invoice.reference, alert: 'invoice-overpayment' },
      'payment exceeds the amount due on its invoice; the overpayment is held in suspense',
    );
    followUps.push(
      await decideOverpayment(deps, statements, { scope, payment, held, unappliedPaymentPolicy, applicationName }),
    );
    const { unappliedPaymentId } = held;
    const event = { paymentId: payment.id, unappliedPaymentId, type: 'unapplied_payment.received' } as const;
    followUps.push(...(await recordUnapplied(deps, statements, event)));
  }
  return followUps;
}

/**
 * Handles an unpaid end of an attempt to pay an invoice. The invoice counts as not viewed again. If it is past its expiry, its workflow is notified,
 * since it may have waited only for this payment.
 */
export async function noteUnpaidAttempt(
  deps: CoreDependencies,
  statements: Statements,
  invoice: InvoiceRecord,
): Promise<FollowUp[]> {
  if (invoice.viewedAt !== null) {
    await forgetViewed(statements, invoice.id);
  }
  if (dueMinorOf(invoice) === 0n || !isPastExpiry(invoice, invoice.readAt)) {
    return [];
  }
  const { applicationName } = await invoiceRulesOf(statements, invoice);
  const handle = invoiceHandleOf(invoice, applicationName);
  return [{ what: 'invoice', start: () => deps.dispatch.notifyInvoice(handle, 'payment') }];
}

/**
 * Applies unapplied money that an operator keeps to the invoice for which it was paid, up to the amount due. The invoice is locked, and is read again
 * because an earlier decision in the same transaction may have paid it.
 */
export async function applyKept(
  deps: CoreDependencies,
  statements: Statements,
  {
    invoice: before,
    unappliedPaymentId,
  }: { readonly invoice: InvoiceRecord; readonly unappliedPaymentId: bigint | null },
): Promise<FollowUp[]> {
  const scope = { applicationId: before.applicationId, mode: before.mode };
  const invoice = await readInvoice(statements, scope, before.id);
  if (invoice === null || unappliedPaymentId === null) {
    throw new Error('a kept unapplied payment refers to an unknown invoice');
  }
  const kept = await grossOfUnapplied(statements, unappliedPaymentId);
  // Lenden has no exchange rate. Money in another currency stays with the application but pays nothing.
  const appliedMinor = kept.currency === invoice.currency ? appliedOf(invoice, kept.amountMinor) : 0n;
  if (appliedMinor === 0n) {
    return [];
  }
  await noteApplied(statements, { unappliedPaymentId, appliedMinor });
  const { applicationName } = await invoiceRulesOf(statements, scope);
  return raisePaid(deps, statements, { invoice, appliedMinor, handle: invoiceHandleOf(invoice, applicationName) });
}

/** Adds an amount to what an invoice has received. `invoice` is locked and has its state before the change. */
export async function raisePaid(
  deps: CoreDependencies,
  statements: Statements,
  {
    invoice,
    appliedMinor,
    handle,
  }: { readonly invoice: InvoiceRecord; readonly appliedMinor: bigint; readonly handle: InvoiceHandle },
): Promise<FollowUp[]> {
  const today = deps.calendar.today(invoice.readAt);
  const paidMinor = invoice.paidMinor + appliedMinor;
  const events = paidMinor === invoice.totalMinor ? 1 : 0;
  const changed = await changePaid(statements, { invoice, paidMinor, today, events });
  const followUps: FollowUp[] = [
    {
      what: 'invoice',
      start: () => deps.dispatch.notifyInvoice(handle, changed.status === 'PAID' ? 'paid' : 'payment'),
    },
  ];
  if (changed.status === 'PAID') {
    const payments = await paymentsOf(statements, invoice.id);
    const view = invoiceView(changed, { webUrl: deps.webUrl, today, payments });
    const event = { type: 'invoice.paid' as const, sequence: changed.eventSequence, data: invoiceEventView(view) };
    followUps.push(...(await recordAndDeliver(deps, statements, changed, event)));
  }
  const calledOff = await cancelOpenPayments(statements, { invoiceId: invoice.id, dueMinor: dueMinorOf(changed) });
  followUps.push(
    ...calledOff.map((reference) => ({ what: 'cancel', start: () => deps.dispatch.signalCancel(reference) })),
  );
  return followUps;
}

interface OverpaymentDecision {
  readonly scope: Scope;
  readonly payment: PaymentRecord;
  readonly held: HeldOverpayment;
  readonly unappliedPaymentPolicy: 'REVIEW' | 'REFUND';
  readonly applicationName: string;
}

/**
 * Starts a refund of an overpayment if the policy says so. Otherwise, or if the gateway no longer accepts a refund of it, its workflow waits for an
 * operator.
 */
async function decideOverpayment(
  deps: CoreDependencies,
  statements: Statements,
  { scope, payment, held, unappliedPaymentPolicy, applicationName }: OverpaymentDecision,
): Promise<FollowUp> {
  if (unappliedPaymentPolicy === 'REFUND') {
    const refund = await refundUnappliedMoney(statements, {
      scope,
      unappliedPaymentId: held.unappliedPaymentId,
      reference: refundReference(),
      reason: 'Overpayment of the invoice',
      creator: { type: 'SYSTEM' },
      boundsOf: refundBoundsIn(deps.gateways),
    });
    if (refund !== null) {
      return { what: 'refund', start: () => deps.dispatch.startRefund(refundHandleOf(refund, applicationName)) };
    }
  }
  const handle = paymentHandleOf(payment, applicationName);
  const attempt = { attemptReference: held.attemptReference, callbackId: 0n };
  return { what: 'unapplied payment', start: () => deps.dispatch.startUnappliedPayment(handle, attempt) };
}
