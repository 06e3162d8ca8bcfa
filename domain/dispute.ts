import { toJsonInteger } from './money.ts';

/**
 * How a dispute stands. `NOTICED`: a callback spoke of it, and the gateway was not asked yet. `CLOSED`: it ended before money was taken, such as an inquiry that
 * the payer's bank did not pursue.
 */
export const DISPUTE_STATUSES = ['NOTICED', 'OPEN', 'WON', 'LOST', 'CLOSED'] as const;
export type DisputeStatus = (typeof DISPUTE_STATUSES)[number];

/** What a gateway says of a dispute. It never says `NOTICED`. */
export type StatedDisputeStatus = Exclude<DisputeStatus, 'NOTICED'>;

/** Why a dispute is a case. */
export const DISPUTE_REASONS = ['DISPUTE_OPEN', 'DISPUTE_WON', 'DISPUTE_LOST'] as const;
export type DisputeReason = (typeof DISPUTE_REASONS)[number];

interface DisputeFacts {
  readonly id: bigint;
  readonly status: DisputeStatus;
  readonly reason: string | null;
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
  readonly gateway: string;
  readonly gatewayTxnId: string;
  readonly respondBy: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface DisputeOf {
  readonly id: bigint;
  readonly reference: string;
  readonly mode: string;
}

/** Returns a dispute as applications see it. */
export function disputeView(dispute: DisputeFacts, payment: DisputeOf) {
  const { amountMinor, currency } = dispute;
  if (dispute.status === 'NOTICED' || amountMinor === null || currency === null) {
    throw new Error('a dispute that no gateway has confirmed is shown to nobody');
  }
  return {
    id: toJsonInteger(dispute.id),
    paymentId: toJsonInteger(payment.id),
    paymentReference: payment.reference,
    mode: payment.mode,
    status: dispute.status,
    reason: dispute.reason,
    amountMinor: toJsonInteger(amountMinor),
    currency,
    gateway: dispute.gateway,
    gatewayTxnId: dispute.gatewayTxnId,
    respondBy: dispute.respondBy?.toISOString() ?? null,
    createdAt: dispute.createdAt.toISOString(),
    updatedAt: dispute.updatedAt.toISOString(),
  };
}
