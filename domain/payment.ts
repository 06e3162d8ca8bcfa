/** The payment's life as the native API publishes it (seed 000), with our own exits from CREATED. */
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
} as const satisfies Record<PaymentStatus, readonly PaymentStatus[]>;

/** The ends of the payment workflow: nothing but refunds changes them. */
export const FINAL_STATUSES = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const;
export type FinalStatus = (typeof FINAL_STATUSES)[number];

/** Statuses in which the payment workflow still has something to do. */
export const OPEN_STATUSES = ['CREATED', 'PENDING'] as const satisfies readonly PaymentStatus[];

export function canBecome(from: PaymentStatus, to: PaymentStatus): boolean {
  const targets: readonly PaymentStatus[] = TRANSITIONS[from];
  return targets.includes(to);
}

/** The statuses from which `to` may be reached: the guard of the status update. */
export function statusesBefore(to: PaymentStatus): PaymentStatus[] {
  return PAYMENT_STATUSES.filter((from) => canBecome(from, to));
}

export function isOpen(status: PaymentStatus): boolean {
  return status === 'CREATED' || status === 'PENDING';
}

/** Money has been taken and at least a part of it is still with the app. */
export function isPaid(status: PaymentStatus): boolean {
  return status === 'SUCCEEDED' || status === 'PARTIALLY_REFUNDED' || status === 'REFUNDED';
}

/** Why a payment waits for a person instead of ending. */
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

/** The failure code of a payment that an operator rejected under review; money that was taken for it is looked for as unapplied money. */
export const REVIEW_REJECTED = 'REVIEW_REJECTED';

/** The state of one session at a gateway. UNKNOWN is neither open nor ended until the gateway has been asked. */
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
