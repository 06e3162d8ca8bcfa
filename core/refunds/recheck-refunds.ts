import type { Scope } from '../../database/connection.ts';
import { doubtSucceededRefund } from './store/refund-steps.ts';
import { findSucceededRefund } from './store/refunds.ts';
import { readRefundedCharge } from './store/refunded-charge.ts';
import { GatewayFailure, type Gateway } from '../../gateways/port.ts';
import { describeError } from '../../runtime/logger.ts';
import { refundHandleOf } from '../dispatch.ts';
import type { CoreDependencies } from '../dependencies.ts';

export interface ClaimedFailures {
  readonly scope: Scope;
  readonly gateway: Gateway;
  readonly paymentReference: string;
  /** The gateway's ids of refunds that notifications report as failed. */
  readonly gatewayRefundIds: readonly string[];
  readonly applicationName: string;
}

/**
 * Queries refunds that had succeeded and that a notification reports as failed. Only the gateway's answer counts. Even then nothing is reversed
 * automatically: the refund goes under review until operators decide.
 * @throws GatewayFailure `ambiguous` if the gateway does not clearly state the refund's status
 */
export async function recheckRefunds(
  deps: CoreDependencies,
  { scope, gateway, paymentReference, gatewayRefundIds, applicationName }: ClaimedFailures,
): Promise<void> {
  for (const gatewayRefundId of gatewayRefundIds) {
    const found = await deps.database.withScope(scope, async (statements) => {
      const refund = await findSucceededRefund(statements, { paymentReference, gatewayRefundId });
      return refund === null ? null : { refund, charge: await readRefundedCharge(statements, refund.id) };
    });
    if (found === null || found.refund.storeId !== gateway.storeId) {
      continue;
    }
    const { refund, charge } = found;
    const { gatewayTxnId, reference } = refund;
    const answer = await gateway.queryRefund(gatewayRefundId, { gatewayTxnId, validationId: charge.validationId });
    if (answer.kind === 'refunded') {
      continue;
    }
    if (answer.kind !== 'refused') {
      throw new GatewayFailure('ambiguous', 'the gateway does not report the state of a refund that it had completed');
    }
    const { evidence } = answer;
    if (
      await deps.database.withScope(scope, (statements) => doubtSucceededRefund(statements, { reference, evidence }))
    ) {
      deps.log.error(
        { refund: reference, reason: 'FAILED_AFTER_SUCCESS', alert: 'refund-review' },
        'a refund failed after it had succeeded; an operator must decide',
      );
      await deps.dispatch.startRefund(refundHandleOf(refund, applicationName)).catch((error: unknown) => {
        deps.log.warn(
          { refund: reference, error: describeError(error) },
          'workflow of a refund under review not started; the decision starts it',
        );
      });
    }
  }
}
