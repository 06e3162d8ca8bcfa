/**
 * Drives one payment from checkout to its end. The row's status is authoritative. Every state can continue from the row alone, so a fresh run can
 * resume wherever another one stopped.
 *
 *   opening    opens the gateway's page, or finds that the payer still has to choose a gateway → waiting
 *   waiting    for the payer, or for the gateway to confirm what a message claims → querying | opening, after a choice | expiring
 *   querying   asks the gateway whether money moved → ended | review | back to opening or waiting
 *   expiring   the payment has expired: asks the gateway for up to 72 hours how the payment ended → ended | review
 *   review     a charge disagrees with the order, or the gateway never answered: only an operator's decision ends it → ended
 *
 * ARCHITECTURE.md draws every transition; `next` defines the priority of messages. Messages: updates `checkout-opened` and `gateway-chosen`, signals
 * `callback`, `cancel-requested`, `gateway-chosen` and `decision`, query `progress`.
 */
import {
  allHandlersFinished,
  condition,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { isOpen, REVIEW_REJECTED, type PaymentStatus, type ReviewReason, type FinalStatus } from '../domain/payment.ts';
import { GATEWAY_RATE_LIMITED, SEARCH_ATTRIBUTES } from './messages/names.ts';
import {
  callbackSignal,
  cancelRequestedSignal,
  checkoutOpenedUpdate,
  gatewayChosenSignal,
  gatewayChosenUpdate,
  progressQuery,
  type Expiry,
  type PaymentActivities,
  type PaymentProgress,
  type PaymentWorkflowInput,
  type FinalizeInput,
  type Verdict,
  type VerifyInput,
} from './messages/payment.ts';
import { decisionSignal } from './messages/refund.ts';
import { record, utc } from './recording.ts';
import { Inbox } from './inbox.ts';
import { failureOfType } from './failure-type.ts';
import { failIfRowMissing, unlessRowMissing } from './missing-row.ts';
import {
  QUERY_BRIEFLY,
  QUERY_GATEWAY,
  RECORD,
  DECIDE,
  FINAL_PAUSES_MS,
  FINAL_QUERIES_FOR_MS,
  HOPEFUL_PAUSES_MS,
  OPEN_CHECKOUT,
  OPEN_PAUSES_MS,
  pauseAfter,
} from './options.ts';
import { historyIsLong, renewWhenLong } from './renew.ts';
import { showSearchable } from './searchable.ts';

const { openCheckout } = proxyLocalActivities<PaymentActivities>(OPEN_CHECKOUT);
const { verifyPayment } = proxyActivities<PaymentActivities>(QUERY_GATEWAY);
const { verifyPayment: verifyBriefly } = proxyLocalActivities<PaymentActivities>(QUERY_BRIEFLY);
const { finalizePayment, markForReview, readReviewDecision, declineDecision } =
  proxyLocalActivities<PaymentActivities>(RECORD);
const { lookForUnappliedMoney } = proxyActivities<PaymentActivities>(DECIDE);

/** The shortest wait before the expiry is checked again, so that the history does not fill up. */
const EXPIRY_LOOK_MIN_MS = 1_000;

/** `expiry` comes from the workflow's own timer. The caller that reports a choice waits until `isTried`: the workflow has tried to open the page. */
type Message =
  | { readonly kind: 'callback' | 'cancel' | 'expiry' }
  | { readonly kind: 'choice'; isTried: boolean }
  | { readonly kind: 'decision'; readonly decisionId: string };

/** The state to return to when there is no message and nothing is due. */
type Resting = { readonly name: 'opening'; readonly tries: number } | { readonly name: 'waiting' };

type State =
  | Resting
  | { readonly name: 'querying'; readonly rest: Resting }
  | { readonly name: 'expiring'; readonly rest: Resting; readonly tries: number }
  | { readonly name: 'review'; readonly reason: ReviewReason }
  | { readonly name: 'ended'; readonly status: FinalStatus; readonly failureCode: string | undefined };
type In<Name extends State['name']> = Extract<State, { readonly name: Name }>;

export async function paymentWorkflow(input: PaymentWorkflowInput): Promise<FinalStatus> {
  const payment = new PaymentRun(input);
  const { inbox } = payment;
  setHandler(checkoutOpenedUpdate, async () => {
    // A caller that still waits when the history is long gets the current status, so that the run can continue as new. It then reads the row.
    await condition(() => payment.status !== 'CREATED' || historyIsLong());
    return { status: payment.status };
  });
  setHandler(gatewayChosenUpdate, async () => {
    const choice = { kind: 'choice' as const, isTried: false };
    inbox.put(choice);
    await condition(() => choice.isTried || !isOpen(payment.status));
    return { status: payment.status };
  });
  setHandler(gatewayChosenSignal, () => inbox.put({ kind: 'choice', isTried: false }));
  setHandler(callbackSignal, () => inbox.put({ kind: 'callback' }));
  setHandler(cancelRequestedSignal, () => inbox.put({ kind: 'cancel' }));
  setHandler(decisionSignal, (decisionId) => inbox.put({ kind: 'decision', decisionId }));
  setHandler(progressQuery, () => payment.progress);
  return payment.run();
}

class PaymentRun {
  readonly inbox = new Inbox<Message>();
  status: PaymentStatus = 'CREATED';
  progress: PaymentProgress = { status: 'CREATED', waitingFor: 'gateway-session', until: null, reviewReason: null };
  private readonly input: PaymentWorkflowInput;
  /** From the row; zero before the row was read. */
  private expiresAtMs = 0;
  private isExpiryWatched = false;
  /** Set while something claims that money moved and the gateway does not confirm it: the number of queries so far, and the time of the next. */
  private claim: { readonly tries: number; readonly queryAtMs: number } | null = null;
  private shownGateway = '';
  /** Whether a query can move money at the gateway; true until its page is open. */
  private mayExecute = true;

  constructor(input: PaymentWorkflowInput) {
    this.input = input;
  }

  async run(): Promise<FinalStatus> {
    let state: State = { name: 'opening', tries: 0 };
    while (state.name !== 'ended') {
      await renewWhenLong<typeof paymentWorkflow>(this.inbox, this.input);
      state = await this.step(state);
    }
    this.status = state.status;
    this.show({ waitingFor: 'nothing', details: `Ended: ${state.status}.` });
    showSearchable({ status: state.status, waitsFor: null });
    if (state.failureCode === REVIEW_REJECTED) {
      await lookForUnappliedMoney(this.input);
    }
    await condition(allHandlersFinished);
    return state.status;
  }

  private step(state: Exclude<State, In<'ended'>>): Promise<State> {
    switch (state.name) {
      case 'opening':
        return this.opening(state);
      case 'waiting':
        return this.waiting(state);
      case 'querying':
        return this.querying(state);
      case 'expiring':
        return this.expiring(state);
      case 'review':
        return this.review(state);
    }
  }

  /** Chooses the next state. A query comes first, since money can have moved; then the expiry; then another page. */
  private next(rest: Resting): State {
    if (this.inbox.has('callback', 'cancel')) {
      return { name: 'querying', rest };
    }
    if (this.inbox.has('expiry')) {
      return { name: 'expiring', rest, tries: 0 };
    }
    if (this.claim !== null && this.claim.queryAtMs <= Date.now()) {
      return { name: 'querying', rest };
    }
    return this.inbox.has('choice') ? { name: 'opening', tries: 0 } : rest;
  }

  private async opening({ tries }: In<'opening'>): Promise<State> {
    const choices = this.inbox.take('choice');
    this.mayExecute = true;
    const opened = await openCheckout(this.input).catch(unlessRowMissing({ kind: 'lost' as const }));
    choices.forEach((choice) => (choice.isTried = true));
    switch (opened.kind) {
      case 'ended':
        return { name: 'ended', status: opened.status, failureCode: opened.failureCode };
      case 'refused':
        return this.finalize({ status: 'FAILED', failureCode: opened.code });
      case 'review':
        return this.beginReview(opened.reason);
      case 'open':
      case 'choosing':
        this.status = 'PENDING';
        this.expireAt(byWorkflowClock(opened));
        if (opened.attention === true) {
          this.inbox.put({ kind: 'callback' });
        }
        this.mayExecute = opened.kind !== 'open' || opened.executes === true;
        this.showGateway(opened.kind === 'open' ? opened.gateway : undefined);
        return this.next({ name: 'waiting' });
      case 'unavailable':
        this.expireAt(byWorkflowClock(opened));
        break;
      case 'lost':
    }
    const again = { name: 'opening', tries: tries + 1 } as const;
    this.show({
      waitingFor: 'gateway-session',
      details: `The gateway cannot be reached; attempt ${tries + 2} follows.`,
    });
    if (this.expiresAtMs === 0) {
      // Lenden's database could not be reached. The row has to be read before any message is handled.
      await sleep(pauseAfter(tries, OPEN_PAUSES_MS), { summary: 'the payment is read again' });
      return again;
    }
    showSearchable({ waitsFor: 'gateway' });
    await this.news(Math.min(Date.now() + pauseAfter(tries, OPEN_PAUSES_MS), this.claim?.queryAtMs ?? Infinity));
    return this.next(again);
  }

  private async waiting(rest: In<'waiting'>): Promise<State> {
    const { claim, expiresAtMs } = this;
    this.show({
      waitingFor: claim === null ? 'payer' : 'gateway-answer',
      until: expiresAtMs,
      details: `Waiting for ${claim === null ? 'the payer' : 'the gateway to confirm'} until ${utc(expiresAtMs)}.`,
    });
    showSearchable({ waitsFor: claim === null ? 'payer' : 'gateway' });
    await this.news(claim?.queryAtMs);
    const next = this.next(rest);
    // While something claims that money moved, query once more before the payer is sent to another page.
    return claim !== null && next.name === 'opening' ? { name: 'querying', rest } : next;
  }

  private async querying({ rest }: In<'querying'>): Promise<State> {
    const messages = this.inbox.take('callback', 'cancel');
    const verdict = await this.query({ final: false, finalizes: true });
    if (verdict.kind !== 'undecided') {
      return this.conclude(verdict);
    }
    // Each new message restarts the short series of queries, however often earlier claims were not confirmed.
    const tries = messages.length > 0 ? 0 : (this.claim?.tries ?? 0);
    const pauseMs = verdict.hopeful ? HOPEFUL_PAUSES_MS[tries] : undefined;
    this.claim = pauseMs === undefined ? null : { tries: tries + 1, queryAtMs: Date.now() + pauseMs };
    // A payer who has cancelled needs no page. The gateway decides whether they can still pay.
    return this.next(messages.some(({ kind }) => kind === 'cancel') ? { name: 'waiting' } : rest);
  }

  private async expiring({ rest, tries }: In<'expiring'>): Promise<State> {
    this.inbox.take('callback', 'cancel', 'expiry');
    const verdict = await this.query({ final: true, finalizes: true });
    if (verdict.kind !== 'undecided') {
      return this.conclude(verdict);
    }
    if (verdict.expiresInMs !== undefined) {
      // The timer's clock is ahead of the database's: by the row, there is time left.
      this.expireAt(Date.now() + Math.max(verdict.expiresInMs, EXPIRY_LOOK_MIN_MS));
      return this.next(rest);
    }
    const giveUpAtMs = this.expiresAtMs + FINAL_QUERIES_FOR_MS;
    const withOperator = verdict.withOperator === true;
    if (Date.now() >= giveUpAtMs && !withOperator) {
      return this.beginReview('GATEWAY_UNREACHABLE');
    }
    this.show(
      withOperator
        ? {
            waitingFor: 'operator',
            details: 'Expired, but the payer has submitted a transaction: an operator decides.',
          }
        : {
            waitingFor: 'gateway-answer',
            until: giveUpAtMs,
            details: `Expired, but the gateway does not report the outcome. Querying it until ${utc(giveUpAtMs)}.`,
          },
    );
    showSearchable({ waitsFor: withOperator ? 'review' : 'gateway' });
    this.refuseChoices();
    await this.news(Date.now() + pauseAfter(tries, FINAL_PAUSES_MS));
    return { name: 'expiring', rest, tries: tries + 1 };
  }

  private async review(state: In<'review'>): Promise<State> {
    const { reason } = state;
    this.progress = { status: 'PENDING', waitingFor: 'operator', until: null, reviewReason: reason };
    setCurrentDetails(`Under review (${reason}): waiting for an operator's decision, without a deadline.`);
    await condition(() => !this.inbox.isEmpty);
    const decisions = this.inbox.take('decision');
    if (decisions.length > 0) {
      return (await this.decide(decisions.map(({ decisionId }) => decisionId))) ?? state;
    }
    this.refuseChoices();
    this.inbox.take('expiry');
    if (this.inbox.take('callback', 'cancel').length > 0) {
      // The answer is evidence for the operator and does not end the review.
      await this.query({ final: false });
    }
    return state;
  }

  /**
   * Applies the operator's decision from its row. An accepted risk still needs the gateway to confirm everything else. Returns null when the review
   * continues.
   */
  private async decide(decisionIds: readonly string[]): Promise<State | null> {
    const decision = await this.record(() => readReviewDecision({ ...this.input, decisionIds }));
    switch (decision.kind) {
      case 'none':
        return null;
      case 'ended':
        return { name: 'ended', status: decision.status, failureCode: decision.failureCode };
      case 'reject':
        return this.finalize({ status: 'FAILED', failureCode: REVIEW_REJECTED, decisionId: decision.decisionId });
      case 'accept':
    }
    const { decisionId } = decision;
    const verdict = await this.query({ final: false, riskAccepted: true });
    if (verdict.kind === 'charged') {
      return this.finalize({ status: 'SUCCEEDED', decisionId });
    }
    const outcome = verdict.kind === 'review' ? verdict.reason : verdict.kind.toUpperCase();
    await this.record(() => declineDecision({ ...this.input, decisionId, outcome }));
    return null;
  }

  private async conclude(verdict: Exclude<Verdict, { kind: 'undecided' }>): Promise<State> {
    switch (verdict.kind) {
      case 'charged':
        return verdict.isFinalized === true
          ? { name: 'ended', status: 'SUCCEEDED', failureCode: undefined }
          : this.finalize({ status: 'SUCCEEDED' });
      case 'failed':
        return this.finalize({ status: 'FAILED', failureCode: 'GATEWAY_DECLINED' });
      case 'cancelled':
        return this.finalize({ status: 'CANCELLED' });
      case 'expired':
        return this.finalize({ status: 'EXPIRED' });
      case 'review':
        return this.beginReview(verdict.reason);
    }
  }

  private async finalize(end: Omit<FinalizeInput, keyof PaymentWorkflowInput>): Promise<State> {
    this.show({ waitingFor: 'nothing', details: `Recording ${end.status}.` });
    const status = await this.record(() => finalizePayment({ ...this.input, ...end }));
    return { name: 'ended', status, failureCode: end.failureCode };
  }

  private async beginReview(reason: ReviewReason): Promise<State> {
    this.status = 'PENDING';
    await this.record(() => markForReview({ ...this.input, reason }));
    showSearchable({ status: 'PENDING', waitsFor: 'review' });
    return { name: 'review', reason };
  }

  /** Queries the gateway once. A failed query decides nothing. */
  private async query(how: Pick<VerifyInput, 'final' | 'finalizes' | 'riskAccepted'>): Promise<Verdict> {
    this.show({ waitingFor: 'gateway-answer', details: 'Querying the gateway.' });
    const input = { ...this.input, ...how };
    try {
      let verdict = await this.queryBriefly(input);
      if (verdict === null) {
        if (!this.mayExecute) {
          // The gateway is silent. Otherwise an operator would still see that the payment waits for its payer.
          showSearchable({ waitsFor: 'gateway' });
        }
        verdict = await verifyPayment(input);
      }
      if (verdict.kind === 'undecided' && verdict.more === true) {
        this.inbox.put({ kind: 'callback' });
      }
      return verdict;
    } catch (error) {
      failIfRowMissing(error);
      return { kind: 'undecided', hopeful: true };
    }
  }

  /**
   * Returns null if the gateway gave no answer within a few seconds, or if the query can move money: a local activity that timed out may still be
   * running beside the next one.
   */
  private async queryBriefly(input: VerifyInput): Promise<Verdict | null> {
    if (this.mayExecute) {
      return null;
    }
    try {
      return await verifyBriefly({ ...input, executesNothing: true });
    } catch (error) {
      failIfRowMissing(error);
      // A gateway that asks for fewer requests must not get another one at once.
      return failureOfType(error, GATEWAY_RATE_LIMITED) === null ? null : { kind: 'undecided', hopeful: true };
    }
  }

  /** Answers the callers that wait for a page, since no page will be opened any more. */
  private refuseChoices(): void {
    this.inbox.take('choice').forEach((choice) => (choice.isTried = true));
  }

  /** Waits until this time, or for a message that an open payment handles. */
  private async news(untilMs?: number): Promise<void> {
    const hasCome = (): boolean => this.inbox.has('callback', 'cancel', 'choice', 'expiry');
    await (untilMs === undefined
      ? condition(hasCome)
      : condition(hasCome, Math.max(untilMs - Date.now(), 1), { summary: 'the gateway is queried again' }));
  }

  private expireAt(expiresAtMs: number): void {
    this.expiresAtMs = expiresAtMs;
    if (!this.isExpiryWatched) {
      this.isExpiryWatched = true;
      // When the workflow is cancelled, the timer rejects too. The wait itself reports the cancellation.
      this.watchExpiry().catch(() => undefined);
    }
  }

  /** Uses one timer for the whole wait. A message does not cancel or restart it, which saves two history events. */
  private async watchExpiry(): Promise<void> {
    let watchedMs: number;
    do {
      watchedMs = this.expiresAtMs;
      await sleep(Math.max(this.expiresAtMs - Date.now(), 1), { summary: 'the payment expires' });
      // A gateway that the payer chose meanwhile can allow more time.
    } while (watchedMs !== this.expiresAtMs);
    this.isExpiryWatched = false;
    this.inbox.put({ kind: 'expiry' });
  }

  private record<T>(step: () => Promise<T>): Promise<T> {
    return record(step, (details) => this.show({ waitingFor: 'nothing', details }));
  }

  /** Shows the payer's choice in the search attributes. */
  private showGateway(gateway: string | undefined): void {
    if (gateway !== undefined && gateway !== this.shownGateway) {
      this.shownGateway = gateway;
      upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.gateway, value: gateway }]);
    }
  }

  private show({ waitingFor, until, details }: Shown): void {
    this.progress = {
      status: this.status,
      waitingFor,
      until: until === undefined ? null : new Date(until).toISOString(),
      reviewReason: null,
    };
    setCurrentDetails(details);
  }
}

/** A workflow that starts while its payment's test clock is ahead has the real time, and measures from now on. */
function byWorkflowClock({ expiresAtMs, nowMs }: Expiry): number {
  return nowMs === undefined ? expiresAtMs : Date.now() + expiresAtMs - nowMs;
}

interface Shown {
  readonly waitingFor: PaymentProgress['waitingFor'];
  readonly until?: number;
  readonly details: string;
}
