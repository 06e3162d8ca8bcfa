import type { LatePaymentActivities } from '../workflows/messages/late-payment.ts';
import type { PaymentActivities } from '../workflows/messages/payment.ts';
import { describeError } from '../runtime/logger.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { asApplicationFailure } from './failures.ts';
import { bookLatePayment, parkLatePayment } from './late-payments.ts';
import { markForReview } from './payments/mark-for-review.ts';
import { openCheckout } from './payments/open-checkout.ts';
import { settlePayment } from './payments/settle-payment.ts';
import { verifyPayment } from './payments/verify-payment.ts';

export function createPaymentActivities(deps: ActivityDependencies): PaymentActivities & LatePaymentActivities {
  return {
    openCheckout: (input) => guarded(deps, 'openCheckout', () => openCheckout(deps, input)),
    verifyPayment: (input) => guarded(deps, 'verifyPayment', () => verifyPayment(deps, input)),
    settlePayment: (input) => guarded(deps, 'settlePayment', () => settlePayment(deps, input)),
    markForReview: (input) => guarded(deps, 'markForReview', () => markForReview(deps, input)),
    bookLatePayment: (input) => guarded(deps, 'bookLatePayment', () => bookLatePayment(deps, input)),
    parkLatePayment: (input) => guarded(deps, 'parkLatePayment', () => parkLatePayment(deps, input)),
  };
}

/** The log keeps the whole error, Temporal only a code and our own words. */
async function guarded<T>(deps: ActivityDependencies, activity: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    deps.log.warn({ activity, error: describeError(error) }, 'activity failed');
    throw asApplicationFailure(error);
  }
}
