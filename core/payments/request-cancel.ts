import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { noteCancelRequest } from './store/payer-requests.ts';
import type { PublicPayment } from './store/public-references.ts';

/** Stores the payer's request to cancel, then signals it. The gateway decides whether the payment can still be cancelled. */
export async function requestCancel(
  deps: Pick<CoreDependencies, 'database' | 'dispatch' | 'log'>,
  { scope, payment }: PublicPayment,
): Promise<void> {
  const isNew = await deps.database.withScope(scope, (statements) => noteCancelRequest(statements, payment.id), {
    oneTrip: true,
  });
  if (isNew) {
    await deps.dispatch.signalCancel(payment.reference).catch((error: unknown) => {
      deps.log.warn(
        { payment: payment.reference, error: describeError(error) },
        'cancellation not signalled; the sweeper retries',
      );
    });
  }
}
