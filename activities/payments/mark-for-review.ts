import { Payment } from '../../database/entities/payment.ts';
import { MissingRow } from '../../database/missing-row.ts';
import { OPEN_STATUSES } from '../../domain/payment.ts';
import type { ReviewInput } from '../../workflows/messages/payment.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { scopeOf } from './scope.ts';

/** Stops the clock for a payment and says why. Repeated, it keeps the first reason and time. */
export async function markForReview(deps: ActivityDependencies, input: ReviewInput): Promise<void> {
  const now = new Date();
  const marked = await deps.database.withScope(scopeOf(input), async (em) => {
    const updated = await em.nativeUpdate(
      Payment,
      { reference: input.reference, status: { $in: [...OPEN_STATUSES] }, reviewReason: null },
      { reviewReason: input.reason, reviewSince: now, status: 'PENDING', updatedAt: now },
    );
    if (updated === 0 && (await em.count(Payment, { reference: input.reference })) === 0) {
      throw new MissingRow('payment', input.reference);
    }
    return updated;
  });
  if (marked > 0) {
    deps.log.error(
      { payment: input.reference, reason: input.reason, alert: 'payment-review' },
      'payment needs an operator',
    );
  }
}
