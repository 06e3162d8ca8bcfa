import { toJsonInteger } from './money.ts';
import type { Mode } from './mode.ts';
import type { PaymentStatus, ReviewReason } from './payment.ts';

/** The facts of a payment that its public view shows. The documented PaymentDto has no customer data. */
export interface PaymentFacts {
  readonly id: bigint;
  readonly reference: string;
  readonly status: PaymentStatus;
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** Null until the payer has chosen. */
  readonly gateway?: string | null | undefined;
  readonly gatewayTxnId?: string | null | undefined;
  readonly gatewayRedirectUrl?: string | null | undefined;
  readonly returnUrl?: string | null | undefined;
  readonly invoiceId?: bigint | null | undefined;
  /** The amount of a paid payment that exceeds what its invoice asked for. */
  readonly overpaymentMinor?: bigint | undefined;
  readonly reviewReason?: ReviewReason | null | undefined;
  readonly reviewSince?: Date | null | undefined;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/**
 * PaymentDto of the native API and `data` of its payment events. `overpaymentMinor`, `returnUrl`, `expiresAt` and `review` are Lenden's own members.
 */
export type PaymentView = ReturnType<typeof paymentView>;

export function paymentView(payment: PaymentFacts, webUrl: string) {
  return {
    id: toJsonInteger(payment.id),
    reference: payment.reference,
    status: payment.status,
    applicationId: toJsonInteger(payment.applicationId),
    mode: payment.mode,
    amountMinor: toJsonInteger(payment.amountMinor),
    currency: payment.currency,
    gateway: payment.gateway ?? null,
    gatewayTxnId: payment.gatewayTxnId ?? null,
    checkoutUrl: checkoutUrl(payment.reference, webUrl),
    redirectUrl: payment.gatewayRedirectUrl ?? null,
    invoiceId: typeof payment.invoiceId === 'bigint' ? toJsonInteger(payment.invoiceId) : null,
    overpaymentMinor: toJsonInteger(payment.overpaymentMinor ?? 0n),
    returnUrl: payment.returnUrl ?? null,
    expiresAt: payment.expiresAt.toISOString(),
    review:
      typeof payment.reviewReason === 'string' && payment.reviewSince instanceof Date
        ? { reason: payment.reviewReason, since: payment.reviewSince.toISOString() }
        : null,
    createdAt: payment.createdAt.toISOString(),
    updatedAt: payment.updatedAt.toISOString(),
  };
}

export function checkoutUrl(reference: string, webUrl: string): string {
  return `${webUrl}${checkoutPath(reference)}`;
}

/** Returns the path of the checkout page; in ShadhinPay's contract it differs. */
export function checkoutPath(reference: string): string {
  return `${reference.startsWith('PAY_') ? '/pay' : '/checkout'}/${reference}`;
}
