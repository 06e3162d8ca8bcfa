import { MissingRow } from '../../database/missing-row.ts';
import type { ReviewInput } from '../../workflows/messages/payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { scopeOf } from '../scope.ts';

/** Puts a payment under review, which stops its expiry. Repeated, it keeps the first reason and time. */
export async function markForReview(deps: CoreDependencies, input: ReviewInput): Promise<void> {
  const marked = await deps.database.inTransaction(scopeOf(input), async (statements) => {
    const updated = await statements.execute<object[]>(
      `update payments set review_reason = ?, review_since = now(), status = 'PENDING', updated_at = now()
       where reference = ? and status in ('CREATED', 'PENDING') and review_reason is null returning 1`,
      [input.reason, input.reference],
    );
    const found =
      updated.length > 0 ||
      (await statements.execute<object[]>('select 1 from payments where reference = ?', [input.reference])).length > 0;
    if (!found) {
      throw new MissingRow('payment', input.reference);
    }
    return updated;
  });
  if (marked.length > 0) {
    deps.log.error(
      { payment: input.reference, reason: input.reason, alert: 'payment-review' },
      'payment under review; an operator must decide',
    );
  }
}
