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
  const call = new Call();
  let held: Extract<LatePaymentResult, { kind: 'held' }> | null = null;
  setHandler(callbackSignal, () => call.raise());
  while (call.waiting() || held !== null) {
    if (held !== null) {
      setCurrentDetails(
        `${held.amountMinor} ${held.currency} (minor units) is held in suspense until it is refunded or kept.`,
      );
    }
    await condition(call.waiting);
    const result = await askUntilAnswered(input, call);
    if (result.kind === 'held' && held === null) {
      upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: 'HELD' }]);
    }
    held = result.kind === 'held' ? result : held;
    await renewWhenLong(input);
  }
  setCurrentDetails('The gateway confirms no charge beyond those that are booked.');
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: 'NOTHING_LATE' }]);
  return 'nothing-late';
}

/** Something came about which the gateway has not been asked. A run begins with one: whatever started it. */
class Call {
  private raised = true;
  readonly waiting = (): boolean => this.raised;

  raise(): void {
    this.raised = true;
  }

  take(): void {
    this.raised = false;
  }
}

/** Every question takes up the call that led to it, so that a callback ends one pause, never all that follow. */
async function askUntilAnswered(input: LatePaymentInput, call: Call): Promise<LatePaymentResult> {
  const giveUpAtMs = Date.now() + FINAL_QUESTIONS_FOR_MS;
  for (let tries = 0; ; tries += 1) {
    call.take();
    setCurrentDetails('A callback came after the payment had ended: asking the gateway whether money moved.');
    try {
      return await bookLatePayment(input);
    } catch (error) {
      if (Date.now() >= giveUpAtMs) {
        throw error;
      }
      setCurrentDetails('The gateway cannot be asked; trying again.');
      await renewWhenLong(input);
      await condition(call.waiting, FINAL_PAUSES_MS[Math.min(tries, FINAL_PAUSES_MS.length - 1)] ?? 60_000);
    }
  }
}

/** The rows hold what a fresh run needs: it asks again, and books nothing twice. */
async function renewWhenLong(input: LatePaymentInput): Promise<void> {
  const { continueAsNewSuggested, typedSearchAttributes, workflowType } = workflowInfo();
  if (continueAsNewSuggested) {
    await makeContinueAsNewFunc<typeof latePaymentWorkflow>({ workflowType, typedSearchAttributes })(input);
  }
}
