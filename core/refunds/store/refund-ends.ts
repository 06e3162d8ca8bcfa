import { sql, type QueryCreator } from 'kysely';
import { later, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { statusesBefore, type PaymentStatus } from '../../../domain/payment.ts';
import { canRefundBecome, type FinalRefundStatus } from '../../../domain/refund.ts';
import { unappliedStatusesBefore } from '../../../domain/unapplied-payment.ts';
import { numberEvents } from '../../payments/store/event-numbers.ts';
import { lockPayment } from '../../payments/store/locks.ts';
import { PAYMENT, type PaymentRecord } from '../../payments/store/payments.ts';
import { REFUND, type RefundRecord } from './refunds.ts';

/** By then a workflow runs for money that is held again, or the sweeper starts one. */
const WATCHED_BY = later('1 minute');

export interface RefundEnd {
  readonly refund: RefundRecord;
  /** The payment after the refund's end, with the sequence of the last event of this end. */
  readonly payment: PaymentRecord;
}

export interface EndingRefund {
  readonly refundId: bigint;
  readonly paymentId: bigint;
  readonly status: FinalRefundStatus;
  readonly failureCode: string | null;
  /** The status from which it may end. */
  readonly from: 'PENDING' | 'AWAITING_APPROVAL';
}

const END = statement((db, $: Given<EndingRefund>) =>
  db
    .updateTable('refunds as r')
    .set((eb) => ({
      status: $('status'),
      failureCode: $('failureCode'),
      succeededAt: eb.case().when($('status'), '=', 'SUCCEEDED').then(now).end(),
      endedAt: now,
      updatedAt: now,
      reviewReason: null,
      reviewSince: null,
    }))
    .where('r.id', '=', $('refundId'))
    .where('r.paymentId', '=', $('paymentId'))
    .where('r.status', '=', $('from'))
    .returning(REFUND),
);

const VOID_DECISIONS = statement((db, $: Given<{ refundId: bigint; status: FinalRefundStatus }>) =>
  db
    .updateTable('decisions')
    .set({ consumedAt: now, outcome: $('status') })
    .where('refundId', '=', $('refundId'))
    .where('consumedAt', 'is', null),
);

const RECORD_UNAPPLIED_REFUNDED = statement((db, $: Given<{ id: bigint }>) =>
  db
    .updateTable('unapplied_payments')
    .set({ status: 'REFUNDED', updatedAt: now })
    .where('id', '=', $('id'))
    .where('status', 'in', unappliedStatusesBefore('REFUNDED')),
);

const holdAgain = (from: 'REFUNDING' | 'REFUNDED') =>
  statement((db, $: Given<{ id: bigint }>) =>
    db
      .updateTable('unapplied_payments')
      .set({ status: 'HELD', nextSweepAt: WATCHED_BY, updatedAt: now })
      .where('id', '=', $('id'))
      .where('status', '=', from),
  );
const HOLD_UNREFUNDED = holdAgain('REFUNDING');
const HOLD_RETURNED = holdAgain('REFUNDED');

/** The refunded sum of a payment, which includes the rows of this transaction. */
function refundedSum(q: QueryCreator<Tables>, $: Given<{ paymentId: bigint }>) {
  return q
    .selectFrom('refunds')
    .select((eb) => eb.fn.coalesce(eb.fn.sum<bigint>('amountMinor'), sql.lit(0n)).as('minor'))
    .where('paymentId', '=', $('paymentId'))
    .where('unappliedPaymentId', 'is', null)
    .where('status', '=', 'SUCCEEDED')
    .as('refunded');
}

const lit = sql.lit<PaymentStatus>;

/** Reserves two event sequences: the refund's and the payment's. */
const COUNT_REFUND = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .updateTable('payments as p')
    .from(['payment_attempts as c', refundedSum(db, $)])
    .set((eb) => ({
      eventSequence: eb('p.eventSequence', '+', 2),
      updatedAt: now,
      status: eb
        .case()
        .when('refunded.minor', '>=', eb('c.grossMinor', '-', eb.ref('p.overpaymentMinor')))
        .then(lit('REFUNDED'))
        .else(lit('PARTIALLY_REFUNDED'))
        .end(),
    }))
    .where('p.id', '=', $('paymentId'))
    .where('p.status', 'in', statusesBefore('REFUNDED'))
    .whereRef('c.paymentId', '=', 'p.id')
    .where('c.status', '=', 'CONFIRMED')
    .whereRef('c.gatewayTxnId', '=', 'p.gatewayTxnId')
    .returning(PAYMENT),
);

/**
 * Ends a refund and updates its payment, in the caller's transaction: the payment is locked first, then the refund is updated if its status allows
 * it. Only one caller gets a result; the others get null.
 */
export async function endRefundRow(statements: Statements, ending: EndingRefund): Promise<RefundEnd | null> {
  const { refundId, paymentId, status, from } = ending;
  if (!canRefundBecome(from, status)) {
    throw new RangeError(`a refund that is ${from} cannot end as ${status}`);
  }
  await lockPayment(statements, paymentId);
  const refund = await END.first(statements, ending);
  if (refund === undefined) {
    return null;
  }
  // Decisions that were not carried out yet are void.
  await VOID_DECISIONS.all(statements, { refundId, status });
  const { unappliedPaymentId } = refund;
  if (unappliedPaymentId !== null) {
    const money = status === 'SUCCEEDED' ? RECORD_UNAPPLIED_REFUNDED : HOLD_UNREFUNDED;
    await money.all(statements, { id: unappliedPaymentId });
    // One for the refund, one for the unapplied money that is refunded or held again.
    return { refund, payment: await numberEvents(statements, { paymentId, count: 2 }) };
  }
  if (status !== 'SUCCEEDED') {
    return { refund, payment: await numberEvents(statements, { paymentId, count: 1 }) };
  }
  const payment = await COUNT_REFUND.first(statements, { paymentId });
  if (payment === undefined) {
    throw new Error('the refund’s payment does not exist or was never paid');
  }
  return { refund, payment };
}

const UNDO = statement((db, $: Given<{ refundId: bigint }>) =>
  db
    .updateTable('refunds as r')
    .set({
      status: 'FAILED',
      failureCode: 'FAILED_AFTER_SUCCESS',
      endedAt: now,
      updatedAt: now,
      reviewReason: null,
      reviewSince: null,
      reopensInvoice: false,
    })
    .where('r.id', '=', $('refundId'))
    .where('r.status', '=', 'SUCCEEDED')
    .returning(REFUND),
);

/** The failed refund is already updated in this transaction. */
const UNCOUNT_REFUND = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .updateTable('payments as p')
    .from(['payment_attempts as c', refundedSum(db, $)])
    .set((eb) => ({
      eventSequence: eb('p.eventSequence', '+', 1),
      updatedAt: now,
      status: eb
        .case()
        .when('refunded.minor', '=', sql.lit(0n))
        .then(lit('SUCCEEDED'))
        .when('refunded.minor', '>=', eb('c.grossMinor', '-', eb.ref('p.overpaymentMinor')))
        .then(lit('REFUNDED'))
        .else(lit('PARTIALLY_REFUNDED'))
        .end(),
    }))
    .where('p.id', '=', $('paymentId'))
    .where('p.status', 'in', ['PARTIALLY_REFUNDED', 'REFUNDED'])
    .whereRef('c.paymentId', '=', 'p.id')
    .where('c.status', '=', 'CONFIRMED')
    .whereRef('c.gatewayTxnId', '=', 'p.gatewayTxnId')
    .returning(PAYMENT),
);

/**
 * Marks a successful refund as failed and updates the unapplied money or payment that it came from. The payment is locked. Returns null if the refund
 * no longer counts as successful.
 */
export async function undoRefundRow(
  statements: Statements,
  { id: refundId, paymentId, unappliedPaymentId }: RefundRecord,
): Promise<RefundEnd | null> {
  const refund = await UNDO.first(statements, { refundId });
  if (refund === undefined) {
    return null;
  }
  if (unappliedPaymentId !== null) {
    await HOLD_RETURNED.all(statements, { id: unappliedPaymentId });
    return { refund, payment: await numberEvents(statements, { paymentId, count: 2 }) };
  }
  const payment = await UNCOUNT_REFUND.first(statements, { paymentId });
  if (payment === undefined) {
    throw new Error('the refund’s payment does not exist or was never refunded');
  }
  return { refund, payment };
}
