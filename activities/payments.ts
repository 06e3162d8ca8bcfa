import type { InvoiceActivities } from '../workflows/messages/invoice.ts';
import type { UnappliedPaymentActivities } from '../workflows/messages/unapplied-payment.ts';
import type { PaymentActivities } from '../workflows/messages/payment.ts';
import type { RefundActivities } from '../workflows/messages/refund.ts';
import type { MailingDependencies } from '../core/dependencies.ts';
import { guarded } from './failures.ts';
import { driveInvoice } from '../core/invoices/drive-invoice.ts';
import { sendInvoiceEmails } from '../core/invoices/send-emails.ts';
import { decideUnappliedPayment } from '../core/unapplied-payments/decide-unapplied.ts';
import { readUnappliedPayment } from '../core/unapplied-payments/read-unapplied.ts';
import { parkUnappliedPayment, recordUnappliedPayment } from '../core/unapplied-payments/record-charges.ts';
import { declineDecision, lookForUnappliedMoney, readReviewDecision } from '../core/payments/decide-review.ts';
import { markForReview } from '../core/payments/mark-for-review.ts';
import { openCheckout } from '../core/payments/open-checkout.ts';
import { finalizePayment } from '../core/payments/finalize-payment.ts';
import { verifyPayment } from '../core/payments/verify-payment.ts';
import { decideRefund, readRefundState, remindOfApproval } from '../core/refunds/decide-refund.ts';
import { driveRefund } from '../core/refunds/drive-refund.ts';
import { endRefund, markRefundForReview } from '../core/refunds/end-refund.ts';

export function createPaymentActivities(
  deps: MailingDependencies,
): PaymentActivities & UnappliedPaymentActivities & RefundActivities & InvoiceActivities {
  const run = <T>(activity: string, work: () => Promise<T>): Promise<T> => guarded({ log: deps.log, activity }, work);
  return {
    openCheckout: (input) => run('openCheckout', () => openCheckout(deps, input)),
    verifyPayment: (input) => run('verifyPayment', () => verifyPayment(deps, input)),
    finalizePayment: (input) => run('finalizePayment', () => finalizePayment(deps, input)),
    markForReview: (input) => run('markForReview', () => markForReview(deps, input)),
    readReviewDecision: (input) => run('readReviewDecision', () => readReviewDecision(deps, input)),
    declineDecision: (input) => run('declineDecision', () => declineDecision(deps, input)),
    lookForUnappliedMoney: (input) => run('lookForUnappliedMoney', () => lookForUnappliedMoney(deps, input)),
    recordUnappliedPayment: (input) => run('recordUnappliedPayment', () => recordUnappliedPayment(deps, input)),
    decideUnappliedPayment: (input) => run('decideUnappliedPayment', () => decideUnappliedPayment(deps, input)),
    readUnappliedPayment: (input) => run('readUnappliedPayment', () => readUnappliedPayment(deps, input)),
    parkUnappliedPayment: (input) => run('parkUnappliedPayment', () => parkUnappliedPayment(deps, input)),
    readRefund: (input) => run('readRefund', () => readRefundState(deps, input)),
    decideRefund: (input) => run('decideRefund', () => decideRefund(deps, input)),
    remindOfApproval: (input) => run('remindOfApproval', () => remindOfApproval(deps, input)),
    driveRefund: (input) => run('driveRefund', () => driveRefund(deps, input)),
    endRefund: (input) => run('endRefund', () => endRefund(deps, input)),
    driveInvoice: (input) => run('driveInvoice', () => driveInvoice(deps, input)),
    sendInvoiceEmails: (input) => run('sendInvoiceEmails', () => sendInvoiceEmails(deps, input)),
    markRefundForReview: (input) => run('markRefundForReview', () => markRefundForReview(deps, input)),
  };
}
