import { FIRST_LATE_QUERY_MINUTES } from '../../../domain/late-queries.ts';
import { isOpen, type PaymentStatus, type FinalStatus } from '../../../domain/payment.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import { PAYMENT_COLUMNS, paymentOf, type PaymentRecord, type PaymentRow } from './payments.ts';
import type { Statements } from '../../../database/statements.ts';

export interface PaymentEnd {
  readonly reference: string;
  readonly status: FinalStatus;
  readonly failureCode: string | null;
  /** The amount due of its invoice; anything paid beyond it is overpayment. Null for a payment without an invoice. */
  readonly invoiceDueMinor: bigint | null;
  /** Gateways that send no notification of a charge. */
  readonly silentGateways: readonly string[];
}

export interface ConfirmedCharge {
  readonly gateway: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly gatewayTxnId: string;
}

export interface FinalizedPayment {
  readonly payment: PaymentRecord;
  /** The charge that the gateway confirmed; null unless the payment succeeded. */
  readonly charge: ConfirmedCharge | null;
}

const ENDED = `status = ?, ended_at = now(), updated_at = now(), event_sequence = event_sequence + 1, failure_code = ?, review_reason = null,
  review_since = null`;
const IS_OPEN = `status in ('CREATED', 'PENDING')`;

/**
 * Plans a late query together with the end of the payment. Its workflow ends too, so money paid later on a page that stayed open at a gateway without
 * notifications would otherwise never be noticed.
 */
const asking = (end: string): string => `with ended as (${end}),
  asked as (
    update payment_attempts t set query_again_at = now() + interval '${FIRST_LATE_QUERY_MINUTES} minutes', updated_at = now() from ended
    where t.payment_id = ended.id and t.status in ('OPEN', 'UNKNOWN') and t.opened_at is not null and t.query_again_at is null
      and t.gateway = any(?::text[]))
  select * from ended`;

interface ChargeRow {
  charge_gross: string | null;
  charge_fee: string | null;
  charge_txn: string | null;
  charge_gateway: string;
}

/**
 * Checks and changes the status in one statement, so that only one caller gets the row; the others get null. A payment succeeds only through an
 * attempt that the gateway confirmed, whose charge is returned with the row. The same statement plans the first late query about its pages that are
 * still open at gateways without notifications.
 */
export async function endPayment(
  statements: Statements,
  { reference, status, failureCode, invoiceDueMinor, silentGateways }: PaymentEnd,
): Promise<FinalizedPayment | null> {
  const questions = [`{${silentGateways.join(',')}}`];
  if (status !== 'SUCCEEDED') {
    const [row] = await statements.execute<PaymentRow[]>(
      asking(`update payments p set ${ENDED} where p.reference = ? and ${IS_OPEN} returning ${PAYMENT_COLUMNS}`),
      [status, failureCode, reference, ...questions],
    );
    return row === undefined ? null : { payment: paymentOf(row), charge: null };
  }
  const [row] = await statements.execute<(PaymentRow & ChargeRow)[]>(
    asking(`update payments p set ${ENDED}, paid_at = now(), gateway = c.gateway, gateway_txn_id = c.gateway_txn_id, fee_minor = c.fee_minor,
       overpayment_minor = greatest(p.amount_minor - coalesce(?::bigint, p.amount_minor), 0)
     from payment_attempts c where c.payment_id = p.id and c.status = 'CONFIRMED' and p.reference = ? and p.${IS_OPEN}
     returning ${PAYMENT_COLUMNS}, c.gross_minor as charge_gross, c.fee_minor as charge_fee, c.gateway_txn_id as charge_txn, c.gateway as charge_gateway`),
    [status, failureCode, invoiceDueMinor, reference, ...questions],
  );
  return row === undefined ? null : { payment: paymentOf(row), charge: chargeOf(row) };
}

function chargeOf({
  reference,
  charge_gross: gross,
  charge_fee: fee,
  charge_txn: gatewayTxnId,
  charge_gateway: gateway,
}: PaymentRow & ChargeRow) {
  if (gross === null || fee === null || gatewayTxnId === null) {
    throw new TypeError(`the confirmed attempt of ${reference} lacks the charge's data`);
  }
  return { gateway, grossMinor: BigInt(gross), feeMinor: BigInt(fee), gatewayTxnId };
}

export interface EndedPayment {
  readonly status: PaymentStatus;
  /** The event of the end, until its delivery is finished. */
  readonly waitingEventId: string | null;
}

/**
 * Returns the state of a payment that another process has ended. Throws if it is still open.
 *
 * @throws MissingRow if the scope has no such payment
 */
export async function readEnded(statements: Statements, reference: string): Promise<EndedPayment> {
  const [row] = await statements.execute<{ status: PaymentStatus; event_id: string | null }[]>(
    `select p.status, e.event_id from payments p
       left join webhook_events e on e.payment_id = p.id and e.sequence = 1 and e.delivery_status in ('PENDING', 'RETRYING')
     where p.reference = ?`,
    [reference],
  );
  if (row === undefined) {
    throw new MissingRow('payment', reference);
  }
  if (isOpen(row.status)) {
    throw new Error('the payment is open, but none of its attempts is confirmed');
  }
  return { status: row.status, waitingEventId: row.event_id };
}
