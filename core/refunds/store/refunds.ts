import { sql } from 'kysely';
import type { Scope } from '../../../database/connection.ts';
import { timeOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

/** Columns of `refunds r`. Its time by the database decides whether the approval is overdue. */
export const REFUND = [
  'r.id',
  'r.applicationId',
  'r.mode',
  'r.paymentId',
  'r.unappliedPaymentId',
  'r.reference',
  'r.status',
  'r.amountMinor',
  'r.currency',
  'r.reason',
  'r.gateway',
  'r.storeId',
  'r.gatewayTxnId',
  'r.gatewayRefundId',
  'r.merchantReference',
  'r.queriedAt',
  'r.acceptedAt',
  'r.doubtful',
  'r.failureCode',
  'r.reviewReason',
  'r.reviewSince',
  'r.createdByType',
  'r.createdByOperatorId',
  'r.approvedByOperatorId',
  'r.approvalDueAt',
  'r.reopensInvoice',
  'r.endedAt',
  'r.createdAt',
  'r.updatedAt',
  timeOf(sql.ref('r.clockOffset')).as('readAt'),
] as const;

const BY_REFERENCE = statement((db, $: Given<Scope & { reference: string }>) =>
  db
    .selectFrom('refunds as r')
    .select(REFUND)
    .where('r.reference', '=', $('reference'))
    .where('r.applicationId', '=', $('applicationId'))
    .where('r.mode', '=', $('mode')),
);

/** A refund's row. */
export type RefundRecord = RowOf<typeof BY_REFERENCE>;

/** Returns null if the scope has no refund with this reference. */
export async function readRefundByReference(
  statements: Statements,
  { applicationId, mode }: Scope,
  reference: string,
): Promise<RefundRecord | null> {
  return (await BY_REFERENCE.first(statements, { applicationId, mode, reference })) ?? null;
}

const BY_ID = statement((db, $: Given<Scope & { id: bigint }>) =>
  db
    .selectFrom('refunds as r')
    .select(REFUND)
    .where('r.id', '=', $('id'))
    .where('r.applicationId', '=', $('applicationId'))
    .where('r.mode', '=', $('mode')),
);

/** Returns null if the scope has no such refund. */
export async function readRefund(
  statements: Statements,
  { applicationId, mode }: Scope,
  refundId: bigint,
): Promise<RefundRecord | null> {
  return (await BY_ID.first(statements, { applicationId, mode, id: refundId })) ?? null;
}

const SUCCEEDED_AT_GATEWAY = statement((db, $: Given<{ paymentReference: string; gatewayRefundId: string }>) =>
  db
    .selectFrom('refunds as r')
    .innerJoin('payments as p', 'p.id', 'r.paymentId')
    .select(REFUND)
    .where('p.reference', '=', $('paymentReference'))
    .where('r.gatewayRefundId', '=', $('gatewayRefundId'))
    .where('r.status', '=', 'SUCCEEDED')
    .where('r.reviewReason', 'is', null),
);

/** Returns the successful refund of a payment with the gateway's id, or null if there is none. */
export async function findSucceededRefund(
  statements: Statements,
  { paymentReference, gatewayRefundId }: { readonly paymentReference: string; readonly gatewayRefundId: string },
): Promise<RefundRecord | null> {
  return (await SUCCEEDED_AT_GATEWAY.first(statements, { paymentReference, gatewayRefundId })) ?? null;
}

const REFUNDED = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('refunds')
    .select((eb) => eb.cast<bigint | null>(eb.fn.sum('amountMinor'), 'bigint').as('minor'))
    .where('paymentId', '=', $('paymentId'))
    .where('unappliedPaymentId', 'is', null)
    .where('status', '=', 'SUCCEEDED'),
);

/** Returns the amount of a payment that was refunded. */
export async function refundedOf(statements: Statements, paymentId: bigint): Promise<bigint> {
  return (await REFUNDED.first(statements, { paymentId }))?.minor ?? 0n;
}

const REFUNDED_OF_ALL = statement((db, $: Given<{ paymentIds: readonly bigint[] }>) =>
  db
    .selectFrom('refunds')
    .select((eb) => ['paymentId', eb.cast<bigint>(eb.fn.sum('amountMinor'), 'bigint').as('minor')])
    .where('paymentId', '=', (eb) => eb.fn.any($('paymentIds')))
    .where('unappliedPaymentId', 'is', null)
    .where('status', '=', 'SUCCEEDED')
    .groupBy('paymentId'),
);

/** Returns the refunded amount of several payments, by the payment's id. Payments without a refund are absent. */
export async function refundedOfAll(
  statements: Statements,
  payments: readonly { readonly id: bigint }[],
): Promise<ReadonlyMap<bigint, bigint>> {
  const rows = await REFUNDED_OF_ALL.all(statements, { paymentIds: payments.map(({ id }) => id) });
  return new Map(rows.map(({ paymentId, minor }) => [paymentId, minor]));
}

const OF_PAYMENT = statement((db, $: Given<Scope & { paymentId: bigint; limit: number }>) =>
  db
    .selectFrom('refunds as r')
    .select(REFUND)
    .where('r.applicationId', '=', $('applicationId'))
    .where('r.mode', '=', $('mode'))
    .where('r.paymentId', '=', $('paymentId'))
    .orderBy('r.id')
    .limit($('limit')),
);

/** Returns the refunds of one payment, oldest first. */
export function listRefunds(
  statements: Statements,
  { applicationId, mode }: Scope,
  { paymentId, limit }: { paymentId: bigint; limit: number },
): Promise<RefundRecord[]> {
  return OF_PAYMENT.all(statements, { applicationId, mode, paymentId, limit });
}
