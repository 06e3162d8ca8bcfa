import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refundHandleOf } from '../dispatch.ts';
import type { RefundRecord } from '../refunds/store/refunds.ts';

/** Starts the refunds of unapplied money after the commit. The sweeper starts those that were not started here. */
export async function startRefunds(
  deps: CoreDependencies,
  refunds: readonly RefundRecord[],
  applicationName: string,
): Promise<void> {
  for (const refund of refunds) {
    await deps.dispatch.startRefund(refundHandleOf(refund, applicationName)).catch((error: unknown) => {
      deps.log.warn(
        { refund: refund.reference, error: describeError(error) },
        'refund not started; the sweeper retries',
      );
    });
  }
}
