/** A refund's life as the native API publishes it; REJECTED is Lenden's own end of one that nobody approved. */
export const REFUND_STATUSES = ['AWAITING_APPROVAL', 'PENDING', 'SUCCEEDED', 'FAILED', 'REJECTED'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/** Why a refund waits for a person: what became of it at the gateway is not known, and no guess is made. */
export const REFUND_REVIEW_REASONS = [
  'GATEWAY_CANCELLED',
  'REFUSED_AFTER_DOUBT',
  'STUCK_AT_GATEWAY',
  // No gateway gives it back: people do, and say so.
  'PAID_BACK_BY_HAND',
  // The gateway took back its word: the refund counts as made until people decide.
  'FAILED_AFTER_SUCCESS',
] as const;
export type RefundReviewReason = (typeof REFUND_REVIEW_REASONS)[number];

/** Statuses that hold a part of the refundable balance: only a refund that certainly came to nothing frees it. */
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

/** Which refunds of one charge a gateway makes; a bound is null where it has none. */
export interface RefundBounds {
  /** False where it makes none at all: what is given back goes around it. */
  readonly refunds: boolean;
  readonly refundsPerPaymentMax: number | null;
  /** Counted from the charge. */
  readonly refundWindowDays: number | null;
}

/** The bounds of a gateway by its name. */
export type RefundBoundsOf = (gateway: string) => RefundBounds;

export const WITHOUT_REFUND_BOUNDS: RefundBounds = {
  refunds: true,
  refundsPerPaymentMax: null,
  refundWindowDays: null,
};

/** How long a refund waits for a second person before it is rejected by itself, and when it reminds of itself. */
export const APPROVAL_HOURS = 7 * 24;
export const APPROVAL_REMINDER_HOURS = 24;

/** Over how long a person's actions in one application are summed. Those on one payment are summed whenever they were. */
export const APPROVAL_SUM_HOURS = 24;

/** The currency whose threshold has a setting of its own. */
export const APPROVAL_CURRENCY = 'BDT';

/** What one operator of an application may do alone, in minor units. */
export interface ApprovalThresholds {
  readonly bdtMinor: bigint | null;
  /** By the codes of other currencies. */
  readonly othersMinor: Readonly<Record<string, bigint>>;
}

export function isThresholdSet({ bdtMinor, othersMinor }: ApprovalThresholds): boolean {
  return bdtMinor !== null || Object.keys(othersMinor).length > 0;
}

/** Null: nothing waits, since no threshold is set. Once one is set, a currency without one always waits. */
export function approvalLimit(thresholds: ApprovalThresholds, currency: string): bigint | null {
  if (!isThresholdSet(thresholds)) {
    return null;
  }
  const own = currency === APPROVAL_CURRENCY ? thresholds.bdtMinor : thresholds.othersMinor[currency];
  return own ?? 0n;
}

/** Of applications that share an account: what one person may do alone in none of them may be done alone in all. Null: no threshold is set. */
export function strictestLimit(thresholds: readonly ApprovalThresholds[], currency: string): bigint | null {
  return thresholds
    .map((each) => approvalLimit(each, currency))
    .reduce((lowest, limit) => (lowest === null || (limit !== null && limit < lowest) ? limit : lowest), null);
}

export interface ApprovalRule {
  readonly amountMinor: bigint;
  /** What the same person has done already and the threshold counts. */
  readonly actedMinor: bigint;
  /** Null: nothing needs approval. */
  readonly limitMinor: bigint | null;
}

/** A person who takes the sum of their actions above the limit needs a second person for the action that does. */
export function needsApproval({ amountMinor, actedMinor, limitMinor }: ApprovalRule): boolean {
  return limitMinor !== null && actedMinor + amountMinor > limitMinor;
}
