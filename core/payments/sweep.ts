import type { CoreDependencies } from '../dependencies.ts';
import { attempt, BATCH_MAX, type Sweep } from '../sweep/engine.ts';
import {
  isPaymentOpen,
  postponeUntilExpiry,
  readUnfinishedPayments,
  takeDuePayments,
  type SweptPayment,
} from './store/due.ts';

/**
 * Resumes open payments that are due for a check: never started, lost, or still waiting. Starting a workflow that is already running has no effect. A
 * payment with a running workflow is next checked when it should have ended; until then callbacks and the list of ended workflows cover it.
 */
export function duePayments(deps: CoreDependencies): Sweep<SweptPayment> {
  return {
    due: (em) => takeDuePayments(em, BATCH_MAX),
    drive: (payment) => resumePayment(deps, payment),
    async afterwards(resumed) {
      const references = resumed.map(({ handle }) => handle.reference);
      if (references.length > 0) {
        await deps.database.withSystem((em) => postponeUntilExpiry(em, references));
      }
    },
  };
}

export async function resumeEndedPayments(deps: CoreDependencies, references: readonly string[]): Promise<number> {
  if (references.length === 0) {
    return 0;
  }
  const payments = await deps.database.withSystem((em) => readUnfinishedPayments(em, references));
  for (const payment of payments) {
    await resumePayment(deps, payment);
  }
  return payments.length;
}

/** Starts the payment's workflow if it does not run, and repeats the requests that its row holds. Returns false if that failed. */
export function resumePayment(deps: CoreDependencies, payment: SweptPayment): Promise<boolean> {
  const { handle, cancelRequested, underReview, choiceWaits } = payment;
  const { reference } = handle;
  return attempt(deps, { payment: reference, what: 'payment not resumed' }, async () => {
    if ((await deps.dispatch.startPayment(handle)) === 'completed') {
      await alertIfStillOpen(deps, reference);
      return;
    }
    // Under review only a decision ends the payment. Each cancel signal would only repeat the query.
    if (cancelRequested && !underReview) {
      await deps.dispatch.signalCancel(reference);
    }
    if (choiceWaits) {
      await deps.dispatch.signalChoice(reference);
    }
  });
}

/** The payment may have ended after its row was read. Its row ends before its workflow, so an open row here is an error. */
async function alertIfStillOpen({ database, log }: CoreDependencies, reference: string): Promise<void> {
  if (await database.withSystem((em) => isPaymentOpen(em, reference))) {
    // This happens only after an older database was restored. An operator must compare the gateway with the ledger.
    log.error({ payment: reference, alert: 'payment-behind-workflow' }, 'an open payment has a completed workflow');
  }
}
