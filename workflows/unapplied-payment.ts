/**
 * Drives money that may have arrived for a payment that had already ended, or for an attempt that did not finalize it.
 *
 *   querying   asks the gateway for up to 72 hours → nothing | held | refunding | refunded | kept | unclear
 *   nothing    the gateway confirms no such money; ends
 *   held       posted to suspense until an operator decides → refunding | kept
 *   refunding  until the refund ends                        → refunded | held, when it failed
 *   refunded, kept   end
 *   unclear    no clear answer for 72 hours: an operator finds out, or a callback starts another query
 *
 * Messages: signal `callback` starts another query, even in a state that ends, since one attempt can be charged more than once. Signal `decision`:
 * its row says what happens to held money. Signal `refundEnded`: its row says whether the money was refunded or is held again.
 */
import { condition, isCancellation, proxyActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { Inbox } from './inbox.ts';
import {
  refundEndedSignal,
  type UnappliedPaymentActivities,
  type UnappliedPaymentInput,
  type UnappliedPaymentResult,
} from './messages/unapplied-payment.ts';
import { callbackSignal } from './messages/payment.ts';
import { decisionSignal } from './messages/refund.ts';
import { failIfRowMissing } from './missing-row.ts';
import {
  QUERY_GATEWAY,
  DECIDE,
  FINAL_PAUSES_MS,
  FINAL_QUERIES_FOR_MS,
  LOOK,
  PARK,
  pauseAfter,
  REFUND_LOOK_PAUSES_MS,
} from './options.ts';
import { renewWhenLong } from './renew.ts';
import { showSearchable } from './searchable.ts';

const { recordUnappliedPayment } = proxyActivities<UnappliedPaymentActivities>(QUERY_GATEWAY);
const { parkUnappliedPayment } = proxyActivities<UnappliedPaymentActivities>(PARK);
const { decideUnappliedPayment } = proxyActivities<UnappliedPaymentActivities>(DECIDE);
const { readUnappliedPayment } = proxyActivities<UnappliedPaymentActivities>(LOOK);

/** The outcome when nothing is left to do. */
type UnappliedEnd = 'nothing-unapplied' | 'refunded' | 'kept';

type Message =
  { readonly kind: 'callback' | 'refundEnded' } | { readonly kind: 'decision'; readonly decisionId: string };

/** The known state of the money. */
type Known = UnappliedPaymentResult | { readonly kind: 'unclear' };

/** `looks`: how many times a refund's row was read without a signal. `before`: what was known before a callback started another query. */
type Querying = {
  readonly kind: 'querying';
  readonly sinceMs: number;
  readonly tries: number;
  readonly before: Known | null;
};
type State = (Known | Querying) & { readonly looks: number };

export async function unappliedPaymentWorkflow({
  queryingSinceMs: sinceMs = Date.now(),
  tries = 0,
  looks = 0,
  ...input
}: UnappliedPaymentInput): Promise<UnappliedEnd> {
  const late = new UnappliedPaymentRun(input);
  const { inbox } = late;
  setHandler(callbackSignal, () => inbox.put({ kind: 'callback' }));
  setHandler(decisionSignal, (decisionId) => inbox.put({ kind: 'decision', decisionId }));
  setHandler(refundEndedSignal, () => inbox.put({ kind: 'refundEnded' }));
  return late.run({ kind: 'querying', sinceMs, tries, before: null, looks });
}

class UnappliedPaymentRun {
  readonly inbox = new Inbox<Message>();
  private readonly input: UnappliedPaymentInput;

  constructor(input: UnappliedPaymentInput) {
    this.input = input;
  }

  async run(begin: State): Promise<UnappliedEnd> {
    for (let state = begin; ; state = await this.step(state)) {
      const end = endOf(state);
      if (end !== null && !this.inbox.has('callback', 'decision')) {
        return end;
      }
      await renewWhenLong<typeof unappliedPaymentWorkflow>(this.inbox, this.inputFrom(state));
    }
  }

  private step(state: State): Promise<State> {
    return state.kind === 'querying' ? this.querying(state) : this.resting(state);
  }

  /** Queries the gateway. A callback ends only the current pause between two queries. */
  private async querying(state: Querying & State): Promise<State> {
    const { sinceMs, tries, before, looks } = state;
    this.inbox.take('callback');
    setCurrentDetails('The payment has ended; querying the gateway for money that arrived anyway.');
    try {
      return this.found(await recordUnappliedPayment(this.input), { before, looks });
    } catch (error) {
      failIfRowMissing(error);
      if (isCancellation(error)) {
        throw error;
      }
    }
    if (Date.now() >= sinceMs + FINAL_QUERIES_FOR_MS) {
      await parkUnappliedPayment(this.input);
      // Money that is posted stays posted, whatever a later query finds.
      const isBooked = before !== null && before.kind !== 'nothing';
      return this.found(isBooked ? before : { kind: 'unclear' }, { before, looks });
    }
    setCurrentDetails('The gateway cannot be queried; retrying.');
    showSearchable({ waitsFor: 'gateway' });
    await condition(() => this.inbox.has('callback'), pauseAfter(tries, FINAL_PAUSES_MS), {
      summary: 'the gateway is queried again',
    });
    return { ...state, tries: tries + 1 };
  }

  /** Waits until an operator decides, a callback asks for another query, or a refund ends. */
  private async resting({ looks, ...before }: Known & State): Promise<State> {
    const lookInMs = before.kind === 'refunding' ? REFUND_LOOK_PAUSES_MS[looks] : undefined;
    const hasCome = (): boolean => !this.inbox.isEmpty;
    await (lookInMs === undefined
      ? condition(hasCome)
      : condition(hasCome, lookInMs, { summary: 'the refund is looked at again' }));
    const decisionIds = this.inbox.take('decision').map(({ decisionId }) => decisionId);
    if (decisionIds.length > 0) {
      return this.found(await decideUnappliedPayment({ ...this.input, decisionIds }), { before, looks });
    }
    if (this.inbox.has('callback')) {
      return { kind: 'querying', sinceMs: Date.now(), tries: 0, before, looks };
    }
    this.inbox.take('refundEnded');
    const now = before.kind === 'unclear' ? before : await readUnappliedPayment(this.input);
    return this.found(now, { before, looks: looks + 1 });
  }

  /** Records the state in the workflow's details and search attributes, where operators read it and search by it. */
  private found(now: Known, { before, looks }: { readonly before: Known | null; readonly looks: number }): State {
    setCurrentDetails(detailsOf(now));
    showSearchable(SEARCHED[now.kind]);
    return { ...now, looks: before !== null && now.kind !== before.kind ? 0 : looks };
  }

  /** The rows hold everything that a fresh run needs except its counters. It queries again, and never posts a charge twice. */
  private inputFrom(state: State): UnappliedPaymentInput {
    const { looks } = state;
    return {
      ...this.input,
      ...(state.kind === 'querying' ? { queryingSinceMs: state.sinceMs, tries: state.tries } : {}),
      ...(looks === 0 ? {} : { looks }),
    };
  }
}

/** The first and the last have no row, so their status is not the API's. */
const SEARCHED = {
  nothing: { status: 'NOTHING_LATE', waitsFor: null },
  held: { status: 'HELD', waitsFor: 'review' },
  refunding: { status: 'REFUNDING', waitsFor: 'gateway' },
  refunded: { status: 'REFUNDED', waitsFor: null },
  kept: { status: 'KEPT', waitsFor: null },
  unclear: { status: 'PENDING', waitsFor: 'review' },
} as const;

/** Returns null while something is left to do. */
function endOf({ kind }: State): UnappliedEnd | null {
  switch (kind) {
    case 'nothing':
      return 'nothing-unapplied';
    case 'refunded':
    case 'kept':
      return kind;
    case 'querying':
    case 'held':
    case 'refunding':
    case 'unclear':
      return null;
  }
}

function detailsOf(situation: Known): string {
  switch (situation.kind) {
    case 'nothing':
      return 'The gateway confirms no charge other than the one that paid the payment, if any.';
    case 'refunding':
      return `${amountOf(situation)} is being refunded; this workflow ends with the refund.`;
    case 'refunded':
      return `${amountOf(situation)} was refunded.`;
    case 'kept':
      return `${amountOf(situation)} was kept by the application.`;
    case 'held':
      return `${amountOf(situation)} is held in suspense until it is refunded or kept.`;
    case 'unclear':
      return 'The gateway has given no clear answer for 72 hours: an operator must find out whether money moved. A new callback starts another query.';
  }
}

function amountOf({ amountMinor, currency }: { readonly amountMinor: string; readonly currency: string }): string {
  return `${amountMinor} ${currency} (minor units)`;
}
