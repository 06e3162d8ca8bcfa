import { canFollow, statusesBefore, type Transitions } from './transitions.ts';

/** The refund statuses of the native API. REJECTED is Lenden's addition, for a refund that was not approved. */
export const REFUND_STATUSES = ['AWAITING_APPROVAL', 'PENDING', 'SUCCEEDED', 'FAILED', 'REJECTED'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/** Why a refund waits for an operator: its outcome at the gateway is unknown, and Lenden does not guess. */
export const REFUND_REVIEW_REASONS = [
  'GATEWAY_CANCELLED',
  'REFUSED_AFTER_DOUBT',
  'STUCK_AT_GATEWAY',
  // Rejected, or not approved in time, although the gateway may have it: an older database was restored.
  'REJECTED_AFTER_DOUBT',
  // No gateway can make the refund: operators make it by hand and confirm it.
  'PAID_BACK_BY_HAND',
  // The gateway reported a failure after success. The refund counts as successful until operators decide.
  'FAILED_AFTER_SUCCESS',
] as const;
export type RefundReviewReason = (typeof REFUND_REVIEW_REASONS)[number];

/** A refund that counted as successful fails if operators find that the payer did not receive it. */
const TRANSITIONS = {
  AWAITING_APPROVAL: ['PENDING', 'REJECTED'],
  PENDING: ['SUCCEEDED', 'FAILED'],
  SUCCEEDED: ['FAILED'],
  FAILED: [],
  REJECTED: [],
} as const satisfies Transitions<RefundStatus>;

export function canRefundBecome(from: RefundStatus, to: RefundStatus): boolean {
  return canFollow(TRANSITIONS, { from, to });
}

/** Returns the statuses from which `to` can be reached: the guard of the status update. */
export function refundStatusesBefore(to: RefundStatus): RefundStatus[] {
  return statusesBefore(TRANSITIONS, { statuses: REFUND_STATUSES, to });
}

/** Statuses in which a refund's workflow is still running. */
export const OPEN_REFUND_STATUSES = ['AWAITING_APPROVAL', 'PENDING'] as const satisfies readonly RefundStatus[];

/** Statuses that reserve a part of the refundable balance. Only a refund that certainly failed releases it. */
export const RESERVING_STATUSES = [
  'AWAITING_APPROVAL',
  'PENDING',
  'SUCCEEDED',
] as const satisfies readonly RefundStatus[];

export const FINAL_REFUND_STATUSES = ['SUCCEEDED', 'FAILED', 'REJECTED'] as const satisfies readonly RefundStatus[];
export type FinalRefundStatus = (typeof FINAL_REFUND_STATUSES)[number];

export function isFinalRefund(status: RefundStatus): status is FinalRefundStatus {
  return status === 'SUCCEEDED' || status === 'FAILED' || status === 'REJECTED';
}

/** Which refunds of one charge a gateway accepts. A bound is null if there is none. */
export interface RefundBounds {
  /** False if the gateway makes no refunds at all and money is returned outside it. */
  readonly refunds: boolean;
  readonly refundsPerPaymentMax: number | null;
  /** Counted from the charge. */
  readonly refundWindowDays: number | null;
}

/** Returns the bounds of a gateway by its name. */
export type RefundBoundsOf = (gateway: string) => RefundBounds;

export const WITHOUT_REFUND_BOUNDS: RefundBounds = {
  refunds: true,
  refundsPerPaymentMax: null,
  refundWindowDays: null,
};

/** How long a refund waits for a second operator before it is rejected automatically, and when a reminder is sent. */
export const APPROVAL_HOURS = 7 * 24;
export const APPROVAL_REMINDER_HOURS = 24;

/** The period over which an operator's actions in one application are summed. Actions on one payment are summed without a time limit. */
export const APPROVAL_SUM_HOURS = 24;

/** The currency whose threshold has its own setting. */
export const APPROVAL_CURRENCY = 'BDT';

/** What one operator of an application may do alone, in minor units. */
export interface ApprovalThresholds {
  readonly bdtMinor: bigint | null;
  /** Keyed by the codes of other currencies. */
  readonly othersMinor: Readonly<Record<string, bigint>>;
}

export function isThresholdSet({ bdtMinor, othersMinor }: ApprovalThresholds): boolean {
  return bdtMinor !== null || Object.keys(othersMinor).length > 0;
}

/**
 * Returns the amount above which an action needs approval; null if no threshold is set. Once one is set, a currency without one always needs
 * approval.
 */
export function approvalLimit(thresholds: ApprovalThresholds, currency: string): bigint | null {
  if (!isThresholdSet(thresholds)) {
    return null;
  }
  const own = currency === APPROVAL_CURRENCY ? thresholds.bdtMinor : thresholds.othersMinor[currency];
  return own ?? 0n;
}

/** Returns the lowest limit of applications that share an account, or null if none of them has a threshold. */
export function strictestLimit(thresholds: readonly ApprovalThresholds[], currency: string): bigint | null {
  return thresholds
    .map((each) => approvalLimit(each, currency))
    .reduce((lowest, limit) => (lowest === null || (limit !== null && limit < lowest) ? limit : lowest), null);
}

export interface ApprovalRule {
  readonly amountMinor: bigint;
  /** What the same operator has already done and the threshold counts. */
  readonly actedMinor: bigint;
  /** Null: nothing needs approval. */
  readonly limitMinor: bigint | null;
}

/** Reports whether an action needs a second operator: it brings the sum of the operator's actions above the limit. */
export function needsApproval({ amountMinor, actedMinor, limitMinor }: ApprovalRule): boolean {
  return limitMinor !== null && actedMinor + amountMinor > limitMinor;
}
