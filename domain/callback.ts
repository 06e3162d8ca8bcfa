import { isOpen, isPaid, type PaymentStatus } from './payment.ts';

/** How a payment stands when a callback of one of its attempts is looked at. */
export interface CallbackSituation {
  readonly status: PaymentStatus;
  /** The validation id of the charge that settled the payment through this attempt; null when none did. */
  readonly finalizedBy: string | null;
}

export interface CallbackClaim {
  readonly signatureValid: boolean;
  readonly claims: 'paid' | 'failed' | 'cancelled' | 'expired' | 'refund-failed' | 'unknown';
  readonly claimedValidationId: string | null;
}

/** Of a callback that says itself that nothing was paid. */
export function claimsNoMoney({ claims }: Pick<CallbackClaim, 'claims'>): boolean {
  return claims === 'failed' || claims === 'cancelled' || claims === 'expired';
}

/**
 * What becomes of a callback that can change nothing for a payment that has ended: the charge that settled it once more, or a signed word
 * that no money was taken. Null when the gateway must be asked.
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
