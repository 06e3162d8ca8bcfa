import type { InvoiceActivities } from '../workflows/messages/invoice.ts';
import type { LatePaymentActivities } from '../workflows/messages/late-payment.ts';
import type { PaymentActivities } from '../workflows/messages/payment.ts';
import type { RefundActivities } from '../workflows/messages/refund.ts';
import { MissingRow } from '../database/missing-row.ts';
import { describeError } from '../runtime/logger.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { asApplicationFailure } from './failures.ts';
import { driveInvoice } from './invoices/drive-invoice.ts';
import { sendInvoiceMails } from './invoices/send-mails.ts';
import { bookLatePayment, decideLatePayment, parkLatePayment, readLatePayment } from './late-payments.ts';
import { declineDecision, lookForLateMoney, readReviewDecision } from './payments/decide-review.ts';
import { markForReview } from './payments/mark-for-review.ts';
import { openCheckout } from './payments/open-checkout.ts';
import { settlePayment } from './payments/settle-payment.ts';
import { verifyPayment } from './payments/verify-payment.ts';
import { decideRefund, readRefundStand, remindOfApproval } from './refunds/decide-refund.ts';
import { driveRefund } from './refunds/drive-refund.ts';
import { endRefund, markRefundForReview } from './refunds/end-refund.ts';

export function createPaymentActivities(
  deps: ActivityDependencies,
): PaymentActivities & LatePaymentActivities & RefundActivities & InvoiceActivities {
  return {
    openCheckout: (input) => guarded(deps, 'openCheckout', () => openCheckout(deps, input)),
    verifyPayment: (input) => guarded(deps, 'verifyPayment', () => verifyPayment(deps, input)),
    settlePayment: (input) => guarded(deps, 'settlePayment', () => settlePayment(deps, input)),
    markForReview: (input) => guarded(deps, 'markForReview', () => markForReview(deps, input)),
    readReviewDecision: (input) => guarded(deps, 'readReviewDecision', () => readReviewDecision(deps, input)),
    declineDecision: (input) => guarded(deps, 'declineDecision', () => declineDecision(deps, input)),
    lookForLateMoney: (input) => guarded(deps, 'lookForLateMoney', () => lookForLateMoney(deps, input)),
    bookLatePayment: (input) => guarded(deps, 'bookLatePayment', () => bookLatePayment(deps, input)),
    decideLatePayment: (input) => guarded(deps, 'decideLatePayment', () => decideLatePayment(deps, input)),
    readLatePayment: (input) => guarded(deps, 'readLatePayment', () => readLatePayment(deps, input)),
    parkLatePayment: (input) => guarded(deps, 'parkLatePayment', () => parkLatePayment(deps, input)),
    readRefund: (input) => guarded(deps, 'readRefund', () => readRefundStand(deps, input)),
    decideRefund: (input) => guarded(deps, 'decideRefund', () => decideRefund(deps, input)),
    remindOfApproval: (input) => guarded(deps, 'remindOfApproval', () => remindOfApproval(deps, input)),
    driveRefund: (input) => guarded(deps, 'driveRefund', () => driveRefund(deps, input)),
    endRefund: (input) => guarded(deps, 'endRefund', () => endRefund(deps, input)),
    driveInvoice: (input) => guarded(deps, 'driveInvoice', () => driveInvoice(deps, input)),
    sendInvoiceMails: (input) => guarded(deps, 'sendInvoiceMails', () => sendInvoiceMails(deps, input)),
    markRefundForReview: (input) => guarded(deps, 'markRefundForReview', () => markRefundForReview(deps, input)),
  };
}

/** The log keeps the whole error, Temporal only a code and our own words. */
async function guarded<T>(deps: ActivityDependencies, activity: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MissingRow) {
      const { what, reference } = error;
      deps.log.error(
        { activity, what, reference, alert: 'workflow-without-row' },
        'a workflow is about a row that the database does not have; it ends. Was an older state restored?',
      );
    } else {
      deps.log.warn({ activity, error: describeError(error) }, 'activity failed');
    }
    throw asApplicationFailure(error);
  }
}
