import { MissingRow } from '../../database/missing-row.ts';
import type { ReviewInput } from '../../workflows/messages/payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { noteReview, paymentExists } from './store/reviews.ts';
import { scopeOf } from '../scope.ts';

/** Puts a payment under review, which stops its expiry. Repeated, it keeps the first reason and time. */
export async function markForReview(deps: CoreDependencies, input: ReviewInput): Promise<void> {
  const marked = await deps.database.withScope(scopeOf(input), async (statements) => {
    const updated = await noteReview(statements, input);
    if (!updated && !(await paymentExists(statements, input.reference))) {
      throw new MissingRow('payment', input.reference);
    }
    return updated;
  });
  if (marked) {
    deps.log.error(
      { payment: input.reference, reason: input.reason, alert: 'payment-review' },
      'payment under review; an operator must decide',
    );
  }
}
