import { toJsonInteger } from './money.ts';
import type { Mode } from './mode.ts';
import type { RefundReviewReason, RefundStatus } from './refund.ts';

/** The facts of a refund that its public view shows. */
export interface RefundFacts {
  readonly id: bigint;
  readonly paymentId: bigint;
  readonly mode: Mode;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly reason: string | null;
  readonly status: RefundStatus;
  readonly gatewayRefundId: string | null;
  readonly failureCode: string | null;
  readonly reviewReason: RefundReviewReason | null;
  readonly reviewSince: Date | null;
  readonly createdByType: 'APP' | 'USER' | 'SYSTEM';
  readonly createdByOperatorId: bigint | null;
  readonly approvedByOperatorId: bigint | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** RefundDto of the native API and `data` of refund events. `failureCode` and `review` are Lenden's own members. */
export type RefundView = ReturnType<typeof refundView>;

export function refundView(refund: RefundFacts) {
  return {
    id: toJsonInteger(refund.id),
    paymentId: toJsonInteger(refund.paymentId),
    mode: refund.mode,
    amountMinor: toJsonInteger(refund.amountMinor),
    currency: refund.currency,
    reason: refund.reason,
    status: refund.status,
    gatewayRefundId: refund.gatewayRefundId,
    failureCode: refund.failureCode,
    review:
      refund.reviewReason === null || refund.reviewSince === null
        ? null
        : { reason: refund.reviewReason, since: refund.reviewSince.toISOString() },
    createdBy: creator(refund),
    approvedBy: refund.approvedByOperatorId === null ? null : `operator:${refund.approvedByOperatorId}`,
    createdAt: refund.createdAt.toISOString(),
    updatedAt: refund.updatedAt.toISOString(),
  };
}

/** Applications see an operator's id, not their name or email address. */
function creator({ createdByType, createdByOperatorId }: RefundFacts): string {
  switch (createdByType) {
    case 'APP':
      return 'app';
    case 'USER':
      return `operator:${createdByOperatorId ?? ''}`;
    case 'SYSTEM':
      return 'system';
  }
}
