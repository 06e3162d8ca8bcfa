import { canFollow, statusesBefore as allBefore, type Transitions } from './transitions.ts';

/** The payment statuses of the native API, with additional transitions from CREATED. */
export const PAYMENT_STATUSES = [
  'CREATED',
  'PENDING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
  'PARTIALLY_REFUNDED',
  'REFUNDED',
] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

const TRANSITIONS = {
  CREATED: ['PENDING', 'FAILED', 'CANCELLED', 'EXPIRED'],
  PENDING: ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'],
  SUCCEEDED: ['PARTIALLY_REFUNDED', 'REFUNDED'],
  FAILED: [],
  CANCELLED: [],
  EXPIRED: [],
  PARTIALLY_REFUNDED: ['PARTIALLY_REFUNDED', 'REFUNDED'],
  REFUNDED: [],
} as const satisfies Transitions<PaymentStatus>;

/** Statuses in which the charge was taken, even if it has been refunded since. */
export const PAID_STATUSES = [
  'SUCCEEDED',
  'PARTIALLY_REFUNDED',
  'REFUNDED',
] as const satisfies readonly PaymentStatus[];

/** The final statuses of the payment workflow. Only refunds change them. */
export const FINAL_STATUSES = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const;
export type FinalStatus = (typeof FINAL_STATUSES)[number];

/** Statuses in which the payment workflow is still running. */
export const OPEN_STATUSES = ['CREATED', 'PENDING'] as const satisfies readonly PaymentStatus[];

export function canBecome(from: PaymentStatus, to: PaymentStatus): boolean {
  return canFollow(TRANSITIONS, { from, to });
}

/** Returns the statuses from which `to` can be reached: the guard of the status update. */
export function statusesBefore(to: PaymentStatus): PaymentStatus[] {
  return allBefore(TRANSITIONS, { statuses: PAYMENT_STATUSES, to });
}

export function isOpen(status: PaymentStatus): boolean {
  return status === 'CREATED' || status === 'PENDING';
}

/** Reports whether the charge was taken, even if it has been refunded since. */
export function isPaid(status: PaymentStatus): boolean {
  return status === 'SUCCEEDED' || status === 'PARTIALLY_REFUNDED' || status === 'REFUNDED';
}

/** Returns the status in which the payment ended, whatever has been refunded since. */
export function statusAtEnd(status: PaymentStatus): PaymentStatus {
  return isPaid(status) ? 'SUCCEEDED' : status;
}

/** Why a payment waits for an operator instead of ending. */
export const REVIEW_REASONS = [
  'AMOUNT_MISMATCH',
  'CURRENCY_MISMATCH',
  'REFERENCE_MISMATCH',
  'STORE_MISMATCH',
  'RISK_FLAGGED',
  'GATEWAY_UNREACHABLE',
  'EVIDENCE_REUSED',
] as const;
export type ReviewReason = (typeof REVIEW_REASONS)[number];

/** The failure code of a payment that an operator rejected under review. If money was taken for it, Lenden records it as unapplied. */
export const REVIEW_REJECTED = 'REVIEW_REJECTED';

/** The status of one session at a gateway. UNKNOWN is neither open nor ended until the gateway has been queried. */
export const ATTEMPT_STATUSES = [
  'CREATED',
  'OPEN',
  'REFUSED',
  'CONFIRMED',
  'FAILED',
  'CANCELLED',
  'CLOSED',
  'UNKNOWN',
] as const;
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];
