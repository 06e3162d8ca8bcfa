import { sql } from 'kysely';
import { minus, now, span } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { RESERVING_STATUSES, type RefundBounds, type RefundBoundsOf } from '../../../domain/refund.ts';

/** One charge at a gateway. */
interface ChargedPayment {
  readonly paymentId: bigint;
  readonly gatewayTxnId: string;
}

const READ_CHARGE = statement((db, $: Given<ChargedPayment & { windowDays: number | null }>) =>
  db.selectNoFrom((eb) => [
    eb
      .selectFrom('refunds as r')
      .select((r) => r.cast<number>(r.fn.countAll(), 'integer').as('count'))
      .where('r.paymentId', '=', $('paymentId'))
      .where('r.gatewayTxnId', '=', $('gatewayTxnId'))
      .where('r.status', 'in', RESERVING_STATUSES)
      .as('refunds'),
    eb.fn
      .coalesce(
        eb(
          eb
            .selectFrom(
              eb
                .selectFrom('payment_attempts as a')
                .select('a.confirmedAt as at')
                .where('a.paymentId', '=', $('paymentId'))
                .where('a.gatewayTxnId', '=', $('gatewayTxnId'))
                .unionAll(
                  eb
                    .selectFrom('unapplied_payments as l')
                    .select('l.createdAt as at')
                    .where('l.paymentId', '=', $('paymentId'))
                    .where('l.gatewayTxnId', '=', $('gatewayTxnId')),
                )
                .as('charged'),
            )
            .select((charged) => charged.fn.min('charged.at').as('first')),
          '<',
          minus(now, span($('windowDays'), 'day')),
        ),
        sql.lit(false),
      )
      .$castTo<boolean>()
      .as('tooOld'),
  ]),
);

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
  const charge = await READ_CHARGE.first(statements, { paymentId, gatewayTxnId, windowDays: refundWindowDays });
  if (charge === undefined) {
    return null;
  }
  if (refundsPerPaymentMax !== null && (charge.refunds ?? 0) >= refundsPerPaymentMax) {
    return `the gateway refunds a payment only ${refundsPerPaymentMax === 1 ? 'once' : `${refundsPerPaymentMax} times`}, in part or in full`;
  }
  return charge.tooOld ? `the gateway refunds only within ${refundWindowDays} days of the payment` : null;
}

const UNAPPLIED_CHARGE = statement((db, $: Given<{ unappliedPaymentId: bigint }>) =>
  db
    .selectFrom('unapplied_payments')
    .select(['paymentId', 'gateway', 'gatewayTxnId'])
    .where('id', '=', $('unappliedPaymentId')),
);

/** Does the same for unapplied money. Also returns null if there is no such money. */
export async function unappliedRefundRuledOut(
  statements: Statements,
  unappliedPaymentId: bigint,
  boundsOf: RefundBoundsOf,
): Promise<string | null> {
  const charge = await UNAPPLIED_CHARGE.first(statements, { unappliedPaymentId });
  return charge === undefined ? null : refundRuledOut(statements, boundsOf(charge.gateway), charge);
}
