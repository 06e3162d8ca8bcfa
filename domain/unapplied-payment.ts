import { toJsonInteger } from './money.ts';
import type { Mode } from './mode.ts';
import { isPaid, type PaymentStatus } from './payment.ts';
import { statusesBefore, type Transitions } from './transitions.ts';

/** The statuses of money that no payment asks for. */
export const UNAPPLIED_STATUSES = ['HELD', 'REFUNDING', 'REFUNDED', 'KEPT'] as const;
export type UnappliedStatus = (typeof UNAPPLIED_STATUSES)[number];

/** Money is held again when a refund of it fails, even one that counted as successful. What the application keeps stays kept. */
const TRANSITIONS = {
  HELD: ['REFUNDING', 'KEPT'],
  REFUNDING: ['REFUNDED', 'HELD'],
  REFUNDED: ['HELD'],
  KEPT: [],
} as const satisfies Transitions<UnappliedStatus>;

/** Returns the statuses from which `to` can be reached: the guard of the status update. */
export function unappliedStatusesBefore(to: UnappliedStatus): UnappliedStatus[] {
  return statusesBefore(TRANSITIONS, { statuses: UNAPPLIED_STATUSES, to });
}

/** Statuses in which the payer still waits for what happens to the money. */
export const WAITING_UNAPPLIED_STATUSES = ['HELD', 'REFUNDING'] as const satisfies readonly UnappliedStatus[];

/** Why money is not part of its payment: the payment had ended, it was already paid, or its invoice asked for less. */
export const UNAPPLIED_REASONS = ['PAYMENT_ENDED', 'ALREADY_PAID', 'OVERPAYMENT'] as const;
export type UnappliedReason = (typeof UNAPPLIED_REASONS)[number];

/** Money that has arrived and is applied to nothing: a row of `unapplied_payments`. */
export interface UnappliedFacts {
  readonly id: bigint;
  readonly kind: 'late' | 'overpayment';
  readonly status: UnappliedStatus;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly gateway: string;
  readonly gatewayTxnId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The payment for which the money arrived. */
export interface UnappliedOf {
  readonly id: bigint;
  readonly reference: string;
  readonly mode: Mode;
  readonly status: PaymentStatus;
}

/** Returns `data` of `unapplied_payment.*` events. */
export function unappliedView(unapplied: UnappliedFacts, payment: UnappliedOf) {
  return {
    id: toJsonInteger(unapplied.id),
    paymentId: toJsonInteger(payment.id),
    paymentReference: payment.reference,
    mode: payment.mode,
    reason: unappliedReason(unapplied, payment),
    status: unapplied.status,
    amountMinor: toJsonInteger(unapplied.amountMinor),
    currency: unapplied.currency,
    gateway: unapplied.gateway,
    gatewayTxnId: unapplied.gatewayTxnId,
    createdAt: unapplied.createdAt.toISOString(),
    updatedAt: unapplied.updatedAt.toISOString(),
  };
}

function unappliedReason({ kind }: UnappliedFacts, { status }: UnappliedOf): UnappliedReason {
  return kind === 'overpayment' ? 'OVERPAYMENT' : isPaid(status) ? 'ALREADY_PAID' : 'PAYMENT_ENDED';
}
