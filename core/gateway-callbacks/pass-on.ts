import type { AttemptIds } from './store/found-attempt.ts';
import type { KeptCallback } from './store/keep.ts';
import { isOpen } from '../../domain/payment.ts';
import { paymentHandleOf, type Dispatch } from '../dispatch.ts';

/** Signals a stored callback to the payment's workflow. If the payment has ended, starts a check for unapplied money. */
export async function passOn(
  deps: { readonly dispatch: Dispatch },
  kept: KeptCallback,
  { scope, gateway }: Pick<AttemptIds, 'scope'> & { readonly gateway: string },
): Promise<void> {
  const { payment, callbackId, attemptReference } = kept;
  if (isOpen(payment.status) && (await deps.dispatch.signalCallback(payment.reference, callbackId))) {
    return;
  }
  const handle = paymentHandleOf({ ...payment, ...scope, gateway }, payment.applicationName);
  if (isOpen(payment.status)) {
    await deps.dispatch.startPayment(handle);
  } else {
    await deps.dispatch.startUnappliedPayment(handle, { attemptReference, callbackId });
  }
}
