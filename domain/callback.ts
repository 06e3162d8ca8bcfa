import { isOpen, isPaid, type PaymentStatus } from './payment.ts';

/** The state of a payment when a callback of one of its attempts is examined. */
export interface CallbackSituation {
  readonly status: PaymentStatus;
  /** The validation id of the charge that finalized the payment through this attempt; null if none did. */
  readonly finalizedBy: string | null;
}

export interface CallbackClaim {
  readonly signatureValid: boolean;
  readonly claims: 'paid' | 'failed' | 'cancelled' | 'expired' | 'refund-failed' | 'unknown';
  readonly claimedValidationId: string | null;
}

/** Reports whether a callback itself says that nothing was paid. */
export function claimsNoMoney({ claims }: Pick<CallbackClaim, 'claims'>): boolean {
  return claims === 'failed' || claims === 'cancelled' || claims === 'expired';
}

/**
 * Returns the outcome of a callback that cannot change an ended payment: it repeats the charge that finalized the payment, or it is signed and says
 * that no money was taken. Returns null if the gateway must be queried.
 */
export function outcomeWithoutQuery(
  { status, finalizedBy }: CallbackSituation,
  { signatureValid, claims, claimedValidationId }: CallbackClaim,
): 'DUPLICATE' | 'FORGED' | 'IGNORED' | null {
  if (isOpen(status)) {
    return null;
  }
  if (claims === 'refund-failed') {
    return null;
  }
  const sameCharge = claimedValidationId === null || claimedValidationId === finalizedBy;
  if (isPaid(status) && finalizedBy !== null && sameCharge) {
    return signatureValid ? 'DUPLICATE' : 'FORGED';
  }
  return signatureValid && claimsNoMoney({ claims }) ? 'IGNORED' : null;
}
