import type { InvoiceActivities } from '../workflows/messages/invoice.ts';
import type { UnappliedPaymentActivities } from '../workflows/messages/unapplied-payment.ts';
import type { PaymentActivities } from '../workflows/messages/payment.ts';
import type { RefundActivities } from '../workflows/messages/refund.ts';
import { MissingRow } from '../database/missing-row.ts';
import { describeError } from '../runtime/logger.ts';
import type { MailingDependencies } from '../core/dependencies.ts';
import { asApplicationFailure } from './failures.ts';
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
  return {
    openCheckout: (input) => guarded(deps, 'openCheckout', () => openCheckout(deps, input)),
    verifyPayment: (input) => guarded(deps, 'verifyPayment', () => verifyPayment(deps, input)),
    finalizePayment: (input) => guarded(deps, 'finalizePayment', () => finalizePayment(deps, input)),
    markForReview: (input) => guarded(deps, 'markForReview', () => markForReview(deps, input)),
    readReviewDecision: (input) => guarded(deps, 'readReviewDecision', () => readReviewDecision(deps, input)),
    declineDecision: (input) => guarded(deps, 'declineDecision', () => declineDecision(deps, input)),
    lookForUnappliedMoney: (input) => guarded(deps, 'lookForUnappliedMoney', () => lookForUnappliedMoney(deps, input)),
    recordUnappliedPayment: (input) =>
      guarded(deps, 'recordUnappliedPayment', () => recordUnappliedPayment(deps, input)),
    decideUnappliedPayment: (input) =>
      guarded(deps, 'decideUnappliedPayment', () => decideUnappliedPayment(deps, input)),
    readUnappliedPayment: (input) => guarded(deps, 'readUnappliedPayment', () => readUnappliedPayment(deps, input)),
    parkUnappliedPayment: (input) => guarded(deps, 'parkUnappliedPayment', () => parkUnappliedPayment(deps, input)),
    readRefund: (input) => guarded(deps, 'readRefund', () => readRefundState(deps, input)),
    decideRefund: (input) => guarded(deps, 'decideRefund', () => decideRefund(deps, input)),
    remindOfApproval: (input) => guarded(deps, 'remindOfApproval', () => remindOfApproval(deps, input)),
    driveRefund: (input) => guarded(deps, 'driveRefund', () => driveRefund(deps, input)),
    endRefund: (input) => guarded(deps, 'endRefund', () => endRefund(deps, input)),
    driveInvoice: (input) => guarded(deps, 'driveInvoice', () => driveInvoice(deps, input)),
    sendInvoiceEmails: (input) => guarded(deps, 'sendInvoiceEmails', () => sendInvoiceEmails(deps, input)),
    markRefundForReview: (input) => guarded(deps, 'markRefundForReview', () => markRefundForReview(deps, input)),
  };
}

/** Logs the whole error and passes only a code and our own message on to Temporal. */
async function guarded<T>(deps: MailingDependencies, activity: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MissingRow) {
      const { what, reference } = error;
      deps.log.error(
        { activity, what, reference, alert: 'workflow-without-row' },
        'the row of a workflow does not exist; the workflow ends. Was an older backup restored?',
      );
    } else {
      deps.log.warn({ activity, error: describeError(error) }, 'activity failed');
    }
    throw asApplicationFailure(error);
  }
}
