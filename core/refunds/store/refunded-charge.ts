import type { Statements } from '../../../database/statements.ts';

/** The charge of a refund as a gateway needs it, and the number of its other refunds. */
export interface RefundedChargeRecord {
  readonly validationId: string;
  readonly attemptReference?: string;
  readonly otherRefunds: number;
}

/**
 * Reads the charge of a refund. A charge that an operator accepted despite a doubt has no validation id; the session's key replaces it. Refunds that
 * failed or were never requested from a gateway do not count.
 */
export async function readRefundedCharge(statements: Statements, refundId: bigint): Promise<RefundedChargeRecord> {
  const [row] = await statements.execute<
    { validation_id: string | null; attempt_reference: string | null; others: number }[]
  >(
    `select coalesce(l.validation_id, (select coalesce(a.validation_id, a.session_key) from payment_attempts a
         where a.payment_id = r.payment_id and a.gateway_txn_id = r.gateway_txn_id order by a.number desc limit 1)) as validation_id,
       coalesce((select a.reference from payment_attempts a where a.id = l.attempt_id),
         (select a.reference from payment_attempts a where a.payment_id = r.payment_id and a.gateway_txn_id = r.gateway_txn_id
           order by a.number desc limit 1)) as attempt_reference,
       (select count(*)::integer from refunds o where o.payment_id = r.payment_id and o.gateway_txn_id = r.gateway_txn_id and o.id <> r.id
         and o.queried_at is not null and o.status in ('PENDING', 'SUCCEEDED')) as others
     from refunds r left join unapplied_payments l on l.id = r.unapplied_payment_id where r.id = ?`,
    [refundId],
  );
  const attemptReference = row?.attempt_reference ?? null;
  return {
    validationId: row?.validation_id ?? '',
    otherRefunds: row?.others ?? 0,
    ...(attemptReference === null ? {} : { attemptReference }),
  };
}
