import { constraintOf, type Scope } from '../../../database/connection.ts';
import { expressionBuilder } from 'kysely';
import { constantSpan, now, plus, timeOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { DomainError, notFound } from '../../../domain/errors.ts';
import { isPaid } from '../../../domain/payment.ts';
import { APPROVAL_HOURS, RESERVING_STATUSES, type RefundBoundsOf, type RefundStatus } from '../../../domain/refund.ts';
import { unappliedStatusesBefore } from '../../../domain/unapplied-payment.ts';
import { needsSecondPerson } from '../../decisions/store/approval.ts';
import { refundRuledOut, unappliedRefundRuledOut } from './refund-bounds.ts';
import { REFUND, type RefundRecord } from './refunds.ts';

/** Who requests a refund. */
export type RefundCreator =
  { readonly type: 'APP' | 'SYSTEM' } | { readonly type: 'USER'; readonly operatorId: bigint };

export interface NewRefund {
  readonly scope: Scope;
  readonly paymentId: bigint;
  readonly reference: string;
  /** Null: everything that is left. */
  readonly amountMinor: bigint | null;
  readonly reason: string | null;
  readonly merchantReference?: string | null;
  readonly creator: RefundCreator;
  readonly boundsOf: RefundBoundsOf;
}

const LOCK_PAYMENT = statement((db, $: Given<Scope & { paymentId: bigint }>) =>
  db
    .selectFrom('payments')
    .select('id')
    .where('id', '=', $('paymentId'))
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .forUpdate(),
);

const READ_CHARGE = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('payments as p')
    .leftJoin('payment_attempts as c', (join) =>
      join
        .onRef('c.paymentId', '=', 'p.id')
        .on('c.status', '=', 'CONFIRMED')
        .onRef('c.gatewayTxnId', '=', 'p.gatewayTxnId'),
    )
    .select((eb) => [
      'p.status',
      'p.currency',
      'p.gateway',
      'p.overpaymentMinor',
      'c.storeId',
      'c.gatewayTxnId',
      'c.grossMinor',
      eb
        .selectFrom('refunds as r')
        .select((r) => r.cast<bigint | null>(r.fn.sum('r.amountMinor'), 'bigint').as('reserved'))
        .whereRef('r.paymentId', '=', 'p.id')
        .where('r.unappliedPaymentId', 'is', null)
        .where('r.status', 'in', RESERVING_STATUSES)
        .as('reservedMinor'),
    ])
    .where('p.id', '=', $('paymentId')),
);

/**
 * Reserves a part of the captured amount and inserts the refund, in the caller's transaction. The payment's row is locked first and the balance is
 * read in a separate statement, so that concurrent refunds are counted one after the other.
 * @throws DomainError RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE if nothing was captured or the gateway's bounds rule it out, REFUND_EXCEEDS_BALANCE
 */
export async function reserveRefund(
  statements: Statements,
  {
    scope,
    paymentId,
    reference,
    amountMinor: wantedMinor,
    reason,
    merchantReference = null,
    creator,
    boundsOf,
  }: NewRefund,
): Promise<RefundRecord> {
  const { applicationId, mode } = scope;
  if ((await LOCK_PAYMENT.first(statements, { applicationId, mode, paymentId })) === undefined) {
    throw notFound('payment');
  }
  const charge = await READ_CHARGE.first(statements, { paymentId });
  if (charge === undefined || !isPaid(charge.status)) {
    throw new DomainError('INVALID_OPERATION_STATE', 'only a payment that succeeded can be refunded');
  }
  const { currency, gateway, storeId, gatewayTxnId, grossMinor } = charge;
  if (gateway === null || grossMinor === null || gatewayTxnId === null || storeId === null) {
    throw new Error('a payment succeeded without a confirmed charge');
  }
  const ruledOut = await refundRuledOut(statements, boundsOf(gateway), { paymentId, gatewayTxnId });
  if (ruledOut !== null) {
    throw new DomainError('INVALID_OPERATION_STATE', ruledOut);
  }
  // Overpayment is held as unapplied money and refunded as such.
  const refundable = grossMinor - charge.overpaymentMinor - (charge.reservedMinor ?? 0n);
  const amountMinor = wantedMinor ?? refundable;
  if (amountMinor > refundable) {
    throw new DomainError('REFUND_EXCEEDS_BALANCE', `at most ${refundable} can be refunded`, {
      fields: { amountMinor: `must be at most ${refundable}` },
    });
  }
  if (amountMinor === 0n) {
    throw new DomainError('REFUND_EXCEEDS_BALANCE', 'nothing is left to refund');
  }
  const amount = { amountMinor, currency };
  // Only an operator's refund may need a second operator. Refunds by an application or a policy do not.
  const awaitsApproval =
    creator.type === 'USER' &&
    (await needsSecondPerson(statements, { scope, operatorId: creator.operatorId, paymentId, amount }));
  return insertRefund(statements, {
    applicationId,
    mode,
    paymentId,
    unappliedPaymentId: null,
    reference,
    amountMinor,
    currency,
    reason,
    merchantReference,
    gateway,
    storeId,
    gatewayTxnId,
    creator,
    awaitsApproval,
  });
}

export interface UnappliedRefund {
  readonly scope: Scope;
  readonly unappliedPaymentId: bigint;
  readonly reference: string;
  readonly reason: string | null;
  readonly creator: RefundCreator;
  readonly boundsOf: RefundBoundsOf;
}

const BEGIN_UNAPPLIED_REFUND = statement((db, $: Given<{ unappliedPaymentId: bigint }>) =>
  db
    .updateTable('unapplied_payments as l')
    .from('payment_attempts as t')
    .set({ status: 'REFUNDING', updatedAt: now })
    .where('l.id', '=', $('unappliedPaymentId'))
    .where('l.status', 'in', unappliedStatusesBefore('REFUNDING'))
    .whereRef('t.id', '=', 'l.attemptId')
    .returning([
      'l.paymentId',
      'l.grossMinor as amountMinor',
      'l.currency',
      'l.gateway',
      'l.gatewayTxnId',
      't.storeId',
    ]),
);

/**
 * Refunds unapplied money in full, in the caller's transaction. Returns null if it is no longer held, or if the gateway's bounds rule it out. It
 * needs no approval here, since a policy or enough operators have already decided on it.
 */
export async function refundUnappliedMoney(
  statements: Statements,
  { scope, unappliedPaymentId, reference, reason, creator, boundsOf }: UnappliedRefund,
): Promise<RefundRecord | null> {
  if ((await unappliedRefundRuledOut(statements, unappliedPaymentId, boundsOf)) !== null) {
    return null;
  }
  const money = await BEGIN_UNAPPLIED_REFUND.first(statements, { unappliedPaymentId });
  if (money === undefined) {
    return null;
  }
  return insertRefund(statements, {
    ...money,
    applicationId: scope.applicationId,
    mode: scope.mode,
    unappliedPaymentId,
    reference,
    reason,
    merchantReference: null,
    creator,
    awaitsApproval: false,
  });
}

interface RefundValues extends Scope {
  readonly paymentId: bigint;
  readonly unappliedPaymentId: bigint | null;
  readonly reference: string;
  readonly status: RefundStatus;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly reason: string | null;
  readonly merchantReference: string | null;
  readonly gateway: string;
  readonly storeId: string;
  readonly gatewayTxnId: string;
  readonly createdByType: RefundCreator['type'];
  readonly createdByOperatorId: bigint | null;
  readonly awaitsApproval: boolean;
}

/** A refund has the test clock of its payment. */
function clockOfPayment($: Given<RefundValues>) {
  return expressionBuilder<Tables>()
    .selectFrom('payments as p')
    .select('p.clockOffset')
    .where('p.id', '=', $('paymentId'))
    .$asScalar()
    .$notNull();
}

/** Kysely cannot name an alias for the table of an insert, so the columns of `REFUND` are read from what was inserted. */
const INSERT = statement((db, $: Given<RefundValues>) =>
  db
    .with('inserted', (q) =>
      q
        .insertInto('refunds')
        .values((eb) => ({
          applicationId: $('applicationId'),
          mode: $('mode'),
          paymentId: $('paymentId'),
          unappliedPaymentId: $('unappliedPaymentId'),
          reference: $('reference'),
          status: $('status'),
          amountMinor: $('amountMinor'),
          currency: $('currency'),
          reason: $('reason'),
          merchantReference: $('merchantReference'),
          gateway: $('gateway'),
          storeId: $('storeId'),
          gatewayTxnId: $('gatewayTxnId'),
          createdByType: $('createdByType'),
          createdByOperatorId: $('createdByOperatorId'),
          clockOffset: clockOfPayment($),
          approvalDueAt: eb
            .case()
            .when(eb.cast<boolean>($('awaitsApproval'), 'boolean'))
            .then(plus(timeOf(clockOfPayment($)), constantSpan(`${APPROVAL_HOURS} hours`)))
            .end(),
        }))
        .returningAll(),
    )
    .selectFrom('inserted as r')
    .select(REFUND),
);

type InsertedRefund = Omit<RefundValues, 'status' | 'createdByType' | 'createdByOperatorId'> & {
  readonly creator: RefundCreator;
};

async function insertRefund(statements: Statements, { creator, ...refund }: InsertedRefund): Promise<RefundRecord> {
  const inserted = await INSERT.first(statements, {
    ...refund,
    status: refund.awaitsApproval ? 'AWAITING_APPROVAL' : 'PENDING',
    createdByType: creator.type,
    createdByOperatorId: creator.type === 'USER' ? creator.operatorId : null,
  });
  if (inserted === undefined) {
    throw new Error('a refund was not stored');
  }
  return inserted;
}

/** Reports whether the reference of the new refund is already taken, in any application. */
export function isRefundReferenceTaken(error: unknown): boolean {
  return constraintOf(error) === 'refunds_reference_key';
}
