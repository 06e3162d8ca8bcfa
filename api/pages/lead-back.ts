import { contractOf } from '../../core/contracts/contracts.ts';
import type { PaymentRecord } from '../../core/payments/store/payments.ts';
import { isOpen } from '../../domain/payment.ts';
import type { Context } from '../http/surface.ts';

const SHOWN_SECONDS = 5;
/** After this time the payer has not just paid but opens the page to read it. */
const LEADS_BACK_MS = 600_000;

/** Sends the payer back to the shop after showing the outcome for a moment, where the contract does. */
export function leadBack(context: Context, payment: PaymentRecord, returnUrl: string | null): void {
  const justEnded =
    !isOpen(payment.status) &&
    payment.readAt.getTime() - (payment.endedAt ?? payment.updatedAt).getTime() < LEADS_BACK_MS;
  if (contractOf(payment.contract).payer.sendsBack && justEnded && returnUrl !== null) {
    context.set('Refresh', `${SHOWN_SECONDS}; url=${new URL(returnUrl).href}`);
  }
}
