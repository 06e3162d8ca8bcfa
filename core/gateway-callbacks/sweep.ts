import { outcomeWithoutQuery } from '../../domain/callback.ts';
import { isOpen } from '../../domain/payment.ts';
import { openOrAlert } from '../../gateways/open-or-alert.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { resumePayment } from '../payments/sweep.ts';
import { attempt, BATCH_MAX, type Sweep } from '../sweep/engine.ts';
import { takeDueCallbacks, type WaitingCallback } from './due.ts';
import { closeCallback } from './store/closing.ts';

/**
 * Handles stored callbacks that were not processed: signals them again, or passes them to the attempt's unapplied-payment workflow if the payment has
 * ended.
 */
export function dueCallbacks(deps: CoreDependencies): Sweep<WaitingCallback> {
  return {
    due: (em) => takeDueCallbacks(em, BATCH_MAX),
    select: (callbacks) => closeAnswered(deps, callbacks),
    drive: (callback) => signal(deps, callback),
  };
}

/** Closes callbacks that need no query. Returns the newest one per attempt of the others, since one query answers them all. */
async function closeAnswered(
  deps: CoreDependencies,
  callbacks: readonly WaitingCallback[],
): Promise<readonly WaitingCallback[]> {
  const unanswered = new Map<string, WaitingCallback>();
  for (const callback of callbacks) {
    const { callbackId, payment, attemptReference } = callback;
    const outcome = outcomeOf(deps, callback);
    if (outcome !== null) {
      await deps.database.withSystem((em) => closeCallback(em, callbackId, outcome));
    } else if (!payment.underReview || !isOpen(payment.status)) {
      // While a payment is under review, its callbacks wait for the decision.
      unanswered.set(attemptReference, callback);
    }
  }
  return [...unanswered.values()];
}

/** The browser's return often arrives while the IPN before it is being processed. After that it contains nothing new. */
function outcomeOf(deps: CoreDependencies, callback: WaitingCallback): ReturnType<typeof outcomeWithoutQuery> {
  const { payment, gateway, storeId, sealedSecret, rawPayload, finalizedBy } = callback;
  const store = { storeId, sealedSecret };
  const parsed = openOrAlert(deps, { gateway, mode: payment.handle.mode, store })?.parseCallback(rawPayload);
  if (parsed === undefined) {
    return null;
  }
  // The signature was checked on arrival, with the headers. It is checked again here in case the store's secret was unavailable then.
  const signatureValid = callback.signatureValid || parsed.signatureValid;
  return outcomeWithoutQuery({ status: payment.status, finalizedBy }, { ...parsed, signatureValid });
}

async function signal(deps: CoreDependencies, callback: WaitingCallback): Promise<boolean> {
  const { callbackId, payment, attemptReference } = callback;
  const { handle } = payment;
  let heard = true;
  const signalled = await attempt(deps, { payment: handle.reference, what: 'callback not signalled' }, async () => {
    if (isOpen(payment.status)) {
      heard = await deps.dispatch.signalCallback(handle.reference, callbackId);
    } else {
      await deps.dispatch.startUnappliedPayment(handle, { attemptReference, callbackId });
    }
  });
  return heard ? signalled : resumePayment(deps, payment);
}
