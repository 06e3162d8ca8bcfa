import { RESERVING_STATUSES, type RefundBounds, type RefundBoundsOf } from '../../../domain/refund.ts';
import type { Statements } from '../../../database/statements.ts';
import { sqlList } from '../../../database/sql-list.ts';

const RESERVING = sqlList(RESERVING_STATUSES);

/** One charge at a gateway. */
interface ChargedPayment {
  readonly paymentId: bigint;
  readonly gatewayTxnId: string;
}

/**
 * Returns why the gateway would not refund a charge, in words for the caller, or null if nothing prevents it. Counts every refund of the charge that
 * may have reached the gateway, whether of the payment's own money or of unapplied money. The caller has locked the payment, so that concurrent
 * refunds are counted one after the other.
 */
export async function refundRuledOut(
  statements: Statements,
  { refunds, refundsPerPaymentMax, refundWindowDays }: RefundBounds,
  { paymentId, gatewayTxnId }: ChargedPayment,
): Promise<string | null> {
  if (!refunds) {
    return 'the gateway of this payment does not support refunds';
  }
  if (refundsPerPaymentMax === null && refundWindowDays === null) {
    return null;
  }
  const [charge] = await statements.execute<{ refunds: number; too_old: boolean }[]>(
    `select (select count(*)::integer from refunds r
         where r.payment_id = ? and r.gateway_txn_id = ? and r.status in (${RESERVING})) as refunds,
       coalesce((select min(at) from (
         select a.confirmed_at as at from payment_attempts a where a.payment_id = ? and a.gateway_txn_id = ?
         union all select l.created_at from unapplied_payments l where l.payment_id = ? and l.gateway_txn_id = ?) charged)
         < now() - make_interval(days => ?::integer), false) as too_old`,
    [paymentId, gatewayTxnId, paymentId, gatewayTxnId, paymentId, gatewayTxnId, refundWindowDays],
  );
  if (charge === undefined) {
    return null;
  }
  if (refundsPerPaymentMax !== null && charge.refunds >= refundsPerPaymentMax) {
    return `the gateway refunds a payment only ${refundsPerPaymentMax === 1 ? 'once' : `${refundsPerPaymentMax} times`}, in part or in full`;
  }
  return charge.too_old ? `the gateway refunds only within ${refundWindowDays} days of the payment` : null;
}

/** Does the same for unapplied money. Also returns null if there is no such money. */
export async function lateRefundRuledOut(
  statements: Statements,
  unappliedPaymentId: bigint,
  boundsOf: RefundBoundsOf,
): Promise<string | null> {
  const [late] = await statements.execute<{ payment_id: string; gateway: string; gateway_txn_id: string }[]>(
    'select payment_id, gateway, gateway_txn_id from unapplied_payments where id = ?',
    [unappliedPaymentId],
  );
  return late === undefined
    ? null
    : refundRuledOut(statements, boundsOf(late.gateway), {
        paymentId: BigInt(late.payment_id),
        gatewayTxnId: late.gateway_txn_id,
      });
}
