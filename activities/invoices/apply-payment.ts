import type { Scope } from '../../database/connection.ts';
import { callOffOpenPayments, changePaid, forgetViewed } from '../../database/invoice-steps.ts';
import { lockInvoicePaidBy, paymentsOf, readInvoice, type InvoiceRecord } from '../../database/invoices.ts';
import {
  grossOfLate,
  holdOverpayment,
  invoiceRulesOf,
  noteApplied,
  type HeldOverpayment,
} from '../../database/invoice-overpayment.ts';
import { MissingRow } from '../../database/missing-row.ts';
import type { PaymentRecord } from '../../database/payments.ts';
import { refundUnappliedMoney } from '../../database/refunds.ts';
import type { Statements } from '../../database/statements.ts';
import { appliedOf, dueMinorOf, isPastExpiry } from '../../domain/invoice.ts';
import { invoiceEventView, invoiceView } from '../../domain/invoice-view.ts';
import { refundReference } from '../../domain/references.ts';
import { refundBoundsIn } from '../../gateways/refund-bounds.ts';
import { invoiceHandleOf, refundHandleOf, type InvoiceHandle } from '../../temporal/dispatch.ts';
import type { PaymentWorkflowInput } from '../../workflows/messages/payment.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import type { FollowUp } from '../follow-up.ts';
import { scopeOf } from '../payments/scope.ts';
import { recordUnapplied } from '../unapplied-event.ts';
import { recordAndDeliver } from './tell-event.ts';

/** The lock order is invoice, payment, refund, everywhere. Null for a payment without an invoice. */
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
  /** Locked, as it stood before the payment. */
  readonly invoice: InvoiceRecord;
  readonly payment: PaymentRecord;
}

/**
 * What an invoice gets of a payment that has just succeeded: as much as it still asks for. The rest is held as unapplied money, and given back at
 * once where the application wants that.
 */
export async function applyPayment(
  deps: ActivityDependencies,
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
      'more was paid than an invoice asked for; the overpayment is held in suspense',
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

/** An attempt to pay an invoice came to nothing: it counts as not opened again, and may have waited for just this to expire. */
export async function noteUnpaidAttempt(
  deps: ActivityDependencies,
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
 * Unapplied money that an operator lets the application keep also pays the invoice that it was meant for, as far as that asks for anything. The
 * invoice is locked; it may have got money since it was read, by an earlier decision of the same transaction.
 */
export async function applyKept(
  deps: ActivityDependencies,
  statements: Statements,
  {
    invoice: before,
    unappliedPaymentId,
  }: { readonly invoice: InvoiceRecord; readonly unappliedPaymentId: bigint | null },
): Promise<FollowUp[]> {
  const scope = { applicationId: before.applicationId, mode: before.mode };
  const invoice = await readInvoice(statements, scope, before.id);
  if (invoice === null || unappliedPaymentId === null) {
    throw new Error('kept money names no invoice that there is');
  }
  const kept = await grossOfLate(statements, unappliedPaymentId);
  // Nobody has said what money in another currency is worth here: it stays the application's, and pays nothing.
  const appliedMinor = kept.currency === invoice.currency ? appliedOf(invoice, kept.amountMinor) : 0n;
  if (appliedMinor === 0n) {
    return [];
  }
  await noteApplied(statements, { unappliedPaymentId, appliedMinor });
  const { applicationName } = await invoiceRulesOf(statements, scope);
  return raisePaid(deps, statements, { invoice, appliedMinor, handle: invoiceHandleOf(invoice, applicationName) });
}

/** The invoice is locked, as it stands before. */
export async function raisePaid(
  deps: ActivityDependencies,
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
  const calledOff = await callOffOpenPayments(statements, { invoiceId: invoice.id, dueMinor: dueMinorOf(changed) });
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

/** By policy it goes back at once; otherwise, and where its gateway takes no refund of it any more, its workflow waits for a person, in sight of everybody. */
async function decideOverpayment(
  deps: ActivityDependencies,
  statements: Statements,
  { scope, payment, held, unappliedPaymentPolicy, applicationName }: OverpaymentDecision,
): Promise<FollowUp> {
  if (unappliedPaymentPolicy === 'REFUND') {
    const refund = await refundUnappliedMoney(statements, {
      scope,
      unappliedPaymentId: held.unappliedPaymentId,
      reference: refundReference(),
      reason: 'More than the invoice asked for',
      creator: { type: 'SYSTEM' },
      boundsOf: refundBoundsIn(deps.gateways),
    });
    if (refund !== null) {
      return { what: 'refund', start: () => deps.dispatch.startRefund(refundHandleOf(refund, applicationName)) };
    }
  }
  const { reference, gateway, amountMinor, currency, invoiceId } = payment;
  const handle = {
    reference,
    ...scope,
    applicationName,
    gateway,
    amount: { amountMinor, currency },
    invoiceId,
  };
  const late = { attemptReference: held.attemptReference, callbackId: 0n };
  return { what: 'unapplied payment', start: () => deps.dispatch.startUnappliedPayment(handle, late) };
}
