/**
 * Money that may have arrived for a payment that had already ended, or for an attempt that did not settle it.
 *
 * States: asking → ended (the gateway confirms nothing new) | held (booked to suspense; open until it is refunded or kept).
 * Message: signal `callback`, which asks again: one attempt can be charged more than once.
 */
import {
  condition,
  makeContinueAsNewFunc,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { LatePaymentActivities, LatePaymentInput, LatePaymentResult } from './messages/late-payment.ts';
import { SEARCH_ATTRIBUTES } from './messages/names.ts';
import { callbackSignal } from './messages/payment.ts';
import { ASK_GATEWAY, FINAL_PAUSES_MS, FINAL_QUESTIONS_FOR_MS } from './options.ts';

const { bookLatePayment } = proxyActivities<LatePaymentActivities>(ASK_GATEWAY);

export async function latePaymentWorkflow(input: LatePaymentInput): Promise<'nothing-late'> {
  let woken = true;
  let held: Extract<LatePaymentResult, { kind: 'held' }> | null = null;
  setHandler(callbackSignal, () => {
    woken = true;
  });
  while (woken || held !== null) {
    if (held !== null) {
      setCurrentDetails(
        `${held.amountMinor} ${held.currency} (minor units) is held in suspense until it is refunded or kept.`,
      );
    }
    await condition(() => woken);
    woken = false;
    const result = await askUntilAnswered(input, () => woken);
    if (result.kind === 'held' && held === null) {
      upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: 'HELD' }]);
    }
    held = result.kind === 'held' ? result : held;
    const { continueAsNewSuggested, typedSearchAttributes, workflowType } = workflowInfo();
    if (continueAsNewSuggested) {
      await makeContinueAsNewFunc<typeof latePaymentWorkflow>({ workflowType, typedSearchAttributes })(input);
    }
  }
  setCurrentDetails('The gateway confirms no charge beyond those that are booked.');
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: 'NOTHING_LATE' }]);
  return 'nothing-late';
}

async function askUntilAnswered(input: LatePaymentInput, woken: () => boolean): Promise<LatePaymentResult> {
  const giveUpAtMs = Date.now() + FINAL_QUESTIONS_FOR_MS;
  for (let tries = 0; ; tries += 1) {
    setCurrentDetails('A callback came after the payment had ended: asking the gateway whether money moved.');
    try {
      return await bookLatePayment(input);
    } catch (error) {
      if (Date.now() >= giveUpAtMs) {
        throw error;
      }
      setCurrentDetails('The gateway cannot be asked; trying again.');
      await condition(woken, FINAL_PAUSES_MS[Math.min(tries, FINAL_PAUSES_MS.length - 1)] ?? 60_000);
    }
  }
}
