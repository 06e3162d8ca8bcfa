import type { Scope } from '../../database/connection.ts';
import { notFound } from '../../domain/errors.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { explainPayment as explanationOf, type Explanation } from './store/explanation.ts';
import { readPayment, type PaymentRecord } from './store/payments.ts';

export interface ExplainedPayment {
  readonly payment: PaymentRecord;
  readonly explanation: Explanation;
}

/**
 * Explains an application's payment: its state in words and its timeline.
 * @throws DomainError RESOURCE_NOT_FOUND
 */
export function explainPayment(
  { database }: Pick<CoreDependencies, 'database'>,
  scope: Scope,
  paymentId: bigint,
): Promise<ExplainedPayment> {
  return database.withScope(scope, async (statements) => {
    const payment = await readPayment(statements, scope, paymentId);
    if (payment === null) {
      throw notFound('payment');
    }
    return { payment, explanation: await explanationOf(statements, payment) };
  });
}
