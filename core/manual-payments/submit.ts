import { DomainError } from '../../domain/errors.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { PublicPayment } from '../payments/store/public-references.ts';
import { submitTransaction, type NewSubmission } from './store/submissions.ts';

/**
 * Stores the transaction that the payer reports, unless nothing can be stored any more.
 * @throws DomainError RATE_LIMITED after too many corrections
 */
export async function submit(
  { database }: Pick<CoreDependencies, 'database'>,
  { scope, payment }: PublicPayment,
  said: Omit<NewSubmission, 'paymentId'>,
): Promise<void> {
  const outcome = await database.withScope(scope, (statements) =>
    submitTransaction(statements, { paymentId: payment.id, ...said }),
  );
  if (outcome === 'too-often') {
    throw new DomainError('RATE_LIMITED', 'the transaction was corrected too often', { retryAfterSeconds: 3_600 });
  }
}
