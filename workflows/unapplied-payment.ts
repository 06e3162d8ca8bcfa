/**
 * Money that may have arrived for a payment that had already ended, or for an attempt that did not settle it.
 *
 * States: asking → nothing-late (the gateway confirms no such money)
 *                → held (booked to suspense; open until somebody decides) → kept
 *                                                                        → refunding (open until the refund ends) → refunded
 *                                                                                                                 → held (it failed)
 *                → unclear (the gateway gave no plain answer for 72 hours; open until an operator has looked)
 * Messages: signal `callback`, which asks again: one attempt can be charged more than once; signal `decision`, whose row says what becomes
 * of held money; signal `refundEnded`, whose row says whether the money is gone or held again.
 */
import {
  allHandlersFinished,
  condition,
  isCancellation,
  makeContinueAsNewFunc,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  refundEndedSignal,
  type UnappliedPaymentActivities,
  type UnappliedPaymentInput,
  type UnappliedPaymentResult,
} from './messages/unapplied-payment.ts';
import { SEARCH_ATTRIBUTES } from './messages/names.ts';
import { callbackSignal } from './messages/payment.ts';
import { decisionSignal } from './messages/refund.ts';
import { failIfRowMissing } from './missing-row.ts';
import {
  QUERY_GATEWAY,
  DECIDE,
  FINAL_PAUSES_MS,
  FINAL_QUESTIONS_FOR_MS,
  LOOK,
  PARK,
  REFUND_LOOK_PAUSES_MS,
} from './options.ts';

const { recordUnappliedPayment } = proxyActivities<UnappliedPaymentActivities>(QUERY_GATEWAY);
const { parkUnappliedPayment } = proxyActivities<UnappliedPaymentActivities>(PARK);
const { decideUnappliedPayment } = proxyActivities<UnappliedPaymentActivities>(DECIDE);
const { readUnappliedPayment } = proxyActivities<UnappliedPaymentActivities>(LOOK);

/** What of the money is said when nothing is left to be done for it. */
type LateEnd = 'nothing-late' | 'refunded' | 'kept';

export async function unappliedPaymentWorkflow(input: UnappliedPaymentInput): Promise<LateEnd> {
  const call = new Call();
  setHandler(callbackSignal, () => call.raise());
  const decisionIds: string[] = [];
  setHandler(decisionSignal, (decisionId) => void decisionIds.push(decisionId));
  const decided = (): boolean => decisionIds.length > 0;
  let refundEnded = false;
  let looks = input.looks ?? 0;
  setHandler(refundEndedSignal, () => {
    refundEnded = true;
  });
  const inbox: Inbox = {
    call,
    isEmpty: () => !call.waiting() && !decided() && !refundEnded && allHandlersFinished(),
  };
  const { queryingSinceMs: _earlier, looks: _earlierLooks, ...question } = input;
  let situation = await queryUntilAnswered(input, inbox);
  show(situation);
  for (let end = endOf(situation); end === null || call.waiting() || decided(); end = endOf(situation)) {
    const woken = (): boolean => call.waiting() || decided() || refundEnded;
    const lookInMs = situation.kind === 'refunding' ? REFUND_LOOK_PAUSES_MS[looks] : undefined;
    await (lookInMs === undefined ? condition(woken) : condition(woken, lookInMs));
    if (decided()) {
      situation = await decideUnappliedPayment({ ...question, decisionIds: decisionIds.splice(0) });
      show(situation);
      continue;
    }
    const before: Situation = situation;
    if (call.waiting()) {
      const answer = await queryUntilAnswered(question, inbox);
      // What is booked stays booked, whatever a later question brings.
      situation = before.kind !== 'nothing' && answer.kind === 'unclear' ? before : answer;
    } else {
      refundEnded = false;
      looks += 1;
      situation = before.kind === 'unclear' ? before : await readUnappliedPayment(question);
    }
    if (situation.kind !== before.kind) {
      looks = 0;
      show(situation);
    }
    describe(situation);
    await renewWhenLong(looks === 0 ? question : { ...question, looks }, inbox);
  }
  return endOf(situation) ?? 'nothing-late';
}

type Situation = UnappliedPaymentResult | { readonly kind: 'unclear' };

const STATUS = {
  nothing: 'NOTHING_LATE',
  held: 'HELD',
  refunding: 'REFUNDING',
  refunded: 'REFUNDED',
  kept: 'KEPT',
  unclear: 'REVIEW',
} as const;

/** Null while somebody has to do something yet. */
function endOf({ kind }: Situation): LateEnd | null {
  switch (kind) {
    case 'nothing':
      return 'nothing-late';
    case 'refunded':
    case 'kept':
      return kind;
    case 'held':
    case 'refunding':
    case 'unclear':
      return null;
  }
}

/** What operators find the workflow by. */
function show(situation: Situation): void {
  describe(situation);
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: STATUS[situation.kind] }]);
}

function describe(situation: Situation): void {
  switch (situation.kind) {
    case 'nothing':
      setCurrentDetails('The gateway confirms no charge beyond the one that settled the payment, if any.');
      break;
    case 'refunding':
      setCurrentDetails(`${amountOf(situation)} is being refunded; this workflow ends with the refund.`);
      break;
    case 'refunded':
      setCurrentDetails(`${amountOf(situation)} was refunded.`);
      break;
    case 'kept':
      setCurrentDetails(`${amountOf(situation)} was kept by the application.`);
      break;
    case 'held':
      setCurrentDetails(`${amountOf(situation)} is held in suspense until it is refunded or kept.`);
      break;
    case 'unclear':
      setCurrentDetails(
        'The gateway gave no plain answer for 72 hours: an operator has to find out whether money moved. A new callback asks again.',
      );
  }
}

function amountOf({ amountMinor, currency }: { readonly amountMinor: string; readonly currency: string }): string {
  return `${amountMinor} ${currency} (minor units)`;
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

/** What signals have brought and the workflow has not taken up. */
interface Inbox {
  readonly call: Call;
  readonly isEmpty: () => boolean;
}

/** Every question takes up the call that led to it, so that a callback ends one pause, never all that follow. */
async function queryUntilAnswered(input: UnappliedPaymentInput, inbox: Inbox): Promise<Situation> {
  const { call } = inbox;
  const queryingSinceMs = input.queryingSinceMs ?? Date.now();
  for (let tries = 0; ; tries += 1) {
    call.take();
    setCurrentDetails('The payment has ended: asking the gateway whether money moved all the same.');
    try {
      return await recordUnappliedPayment(input);
    } catch (error) {
      failIfRowMissing(error);
      if (isCancellation(error)) {
        throw error;
      }
    }
    if (Date.now() >= queryingSinceMs + FINAL_QUESTIONS_FOR_MS) {
      await parkUnappliedPayment(input);
      return { kind: 'unclear' };
    }
    setCurrentDetails('The gateway cannot be asked; trying again.');
    await renewWhenLong({ ...input, queryingSinceMs }, inbox);
    await condition(call.waiting, FINAL_PAUSES_MS[Math.min(tries, FINAL_PAUSES_MS.length - 1)] ?? 60_000);
  }
}

/** The rows hold what a fresh run needs: it asks again, and books nothing twice. What this one was told is told to nobody else. */
async function renewWhenLong(input: UnappliedPaymentInput, { isEmpty }: Inbox): Promise<void> {
  const { continueAsNewSuggested, typedSearchAttributes, workflowType } = workflowInfo();
  if (continueAsNewSuggested && isEmpty()) {
    await makeContinueAsNewFunc<typeof unappliedPaymentWorkflow>({ workflowType, typedSearchAttributes })(input);
  }
}
