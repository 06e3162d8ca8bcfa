import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

/** The charge of a refund as a gateway needs it, and the number of its other refunds. */
export interface RefundedChargeRecord {
  readonly validationId: string;
  readonly attemptReference?: string;
  readonly otherRefunds: number;
}

const READ = statement((db, $: Given<{ refundId: bigint }>) =>
  db
    .selectFrom('refunds as r')
    .leftJoin('unapplied_payments as l', 'l.id', 'r.unappliedPaymentId')
    .select((eb) => {
      const charged = eb
        .selectFrom('payment_attempts as a')
        .whereRef('a.paymentId', '=', 'r.paymentId')
        .whereRef('a.gatewayTxnId', '=', 'r.gatewayTxnId')
        .orderBy('a.number', 'desc')
        .limit(1);
      return [
        eb.fn
          .coalesce(
            'l.validationId',
            charged.select((a) => a.fn.coalesce('a.validationId', 'a.sessionKey').as('validationId')),
          )
          .as('validationId'),
        eb.fn
          .coalesce(
            eb.selectFrom('payment_attempts as a').select('a.reference').whereRef('a.id', '=', 'l.attemptId'),
            charged.select('a.reference'),
          )
          .as('attemptReference'),
        eb
          .selectFrom('refunds as o')
          .select((o) => o.cast<number>(o.fn.countAll(), 'integer').as('count'))
          .whereRef('o.paymentId', '=', 'r.paymentId')
          .whereRef('o.gatewayTxnId', '=', 'r.gatewayTxnId')
          .whereRef('o.id', '<>', 'r.id')
          .where('o.queriedAt', 'is not', null)
          .where('o.status', 'in', ['PENDING', 'SUCCEEDED'])
          .as('otherRefunds'),
      ];
    })
    .where('r.id', '=', $('refundId')),
);

/**
 * Reads the charge of a refund. A charge that an operator accepted despite a doubt has no validation id; the session's key replaces it. Refunds that
 * failed or were never requested from a gateway do not count.
 */
export async function readRefundedCharge(statements: Statements, refundId: bigint): Promise<RefundedChargeRecord> {
  const charge = await READ.first(statements, { refundId });
  const attemptReference = charge?.attemptReference ?? null;
  return {
    validationId: charge?.validationId ?? '',
    otherRefunds: charge?.otherRefunds ?? 0,
    ...(attemptReference === null ? {} : { attemptReference }),
  };
}
