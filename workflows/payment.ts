/**
 * One payment, from checkout to its end.
 *
 * States (the row's status is the authority, this is what drives it):
 *   opening → waiting → asking → settled          the usual way
 *                 ↘ final questions → settled     at expiry: the gateway is asked once more, for 72 h if it must be
 *                 ↘ review                        a confirmed charge disagrees with the order; only an operator ends it
 * Where the payer may choose the gateway, he chooses while the payment waits, and may change his mind: each choice opens a page.
 * Messages: updates `checkout-opened` and `gateway-chosen`, signals `callback`, `cancel-requested`, `gateway-chosen` and `decision`, query
 * `progress`.
 */
import {
  allHandlersFinished,
  condition,
  makeContinueAsNewFunc,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { REVIEW_REJECTED, type PaymentStatus, type ReviewReason, type FinalStatus } from '../domain/payment.ts';
import { SEARCH_ATTRIBUTES } from './messages/names.ts';
import {
  callbackSignal,
  cancelRequestedSignal,
  checkoutOpenedUpdate,
  gatewayChosenSignal,
  gatewayChosenUpdate,
  progressQuery,
  type PaymentActivities,
  type PaymentProgress,
  type PaymentWorkflowInput,
  type Verdict,
} from './messages/payment.ts';
import { decisionSignal } from './messages/refund.ts';
import { book, utc } from './booking.ts';
import { failIfRowMissing, unlessRowMissing } from './missing-row.ts';
import {
  QUERY_GATEWAY,
  BOOK,
  DECIDE,
  FINAL_PAUSES_MS,
  FINAL_QUESTIONS_FOR_MS,
  HOPEFUL_PAUSES_MS,
  OPEN_CHECKOUT,
  OPEN_PAUSES_MS,
  PATCHES,
} from './options.ts';

const { openCheckout } = proxyLocalActivities<PaymentActivities>(OPEN_CHECKOUT);
const { verifyPayment } = proxyActivities<PaymentActivities>(QUERY_GATEWAY);
const { finalizePayment, markForReview, readReviewDecision, declineDecision } =
  proxyLocalActivities<PaymentActivities>(BOOK);
const { lookForUnappliedMoney } = proxyActivities<PaymentActivities>(DECIDE);

/** However close the clocks say that the expiry is: a history does not fill with looks at it. */
const EXPIRY_LOOK_MIN_MS = 1_000;

interface Ending {
  readonly status: FinalStatus;
  readonly failureCode?: string;
  readonly decisionId?: string;
  readonly booked?: true;
}

export async function paymentWorkflow(input: PaymentWorkflowInput): Promise<FinalStatus> {
  const payment = new PaymentRun(input);
  setHandler(checkoutOpenedUpdate, async () => {
    await condition(() => payment.checkoutDecided);
    return { status: payment.status };
  });
  setHandler(gatewayChosenUpdate, async () => {
    await payment.tried(payment.choose());
    return { status: payment.status };
  });
  setHandler(gatewayChosenSignal, () => {
    payment.choose();
  });
  setHandler(callbackSignal, () => payment.wake());
  setHandler(cancelRequestedSignal, () => payment.callOff());
  setHandler(decisionSignal, (decisionId) => payment.hear(decisionId));
  setHandler(progressQuery, () => payment.progress);
  return payment.run();
}

class PaymentRun {
  status: PaymentStatus = 'CREATED';
  checkoutDecided = false;
  progress: PaymentProgress = { status: 'CREATED', waitingFor: 'gateway-session', until: null, reviewReason: null };
  private readonly input: PaymentWorkflowInput;
  private woken = false;
  /** A question came between the tries to open the page. */
  private openingBrokenOff = false;
  private calledOff = false;
  /** How often the payer chose a gateway, and how many of these choices were tried to be opened. */
  private choices = 0;
  private choicesTried = 0;
  private decisionIds: string[] = [];
  private chosenGateway = '';
  private expired = false;
  private expiresAtMs = 0;

  constructor(input: PaymentWorkflowInput) {
    this.input = input;
  }

  wake(): void {
    this.woken = true;
  }

  /** The payer wants no page any more; whether he may still pay is the gateway's word. */
  callOff(): void {
    this.calledOff = true;
    this.wake();
  }

  /** The payer has chosen, as the row says; answers the number of that choice. */
  choose(): number {
    this.choices += 1;
    return this.choices;
  }

  /** Resolves when the page of that choice was tried to be opened, or when there is nothing to open any more. */
  async tried(choice: number): Promise<void> {
    await condition(() => this.choicesTried >= choice);
  }

  hear(decisionId: string): void {
    this.decisionIds.push(decisionId);
  }

  async run(): Promise<FinalStatus> {
    const ending = (await this.open()) ?? (await this.awaitOutcome());
    const status = ending.booked === true ? ending.status : await this.settle(ending);
    this.status = status;
    this.checkoutDecided = true;
    this.choicesTried = Number.MAX_SAFE_INTEGER;
    this.tell({ waitingFor: 'nothing', details: `Ended: ${status}.` });
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: status }]);
    if (ending.failureCode === REVIEW_REJECTED) {
      await lookForUnappliedMoney(this.input);
    }
    await condition(allHandlersFinished);
    return status;
  }

  /**
   * Opens the gateway's session, trying until the payment expires. Null when it is open and the payer may pay, or choose where; and when a
   * question is to be asked first, of a callback or at `askAtMs`.
   */
  private async open(askAtMs = Number.POSITIVE_INFINITY): Promise<Ending | null> {
    this.openingBrokenOff = false;
    for (let tries = 0; ; tries += 1) {
      await this.renewWhenLong();
      const covered = this.choices;
      const opened = await openCheckout(this.input).catch(unlessRowMissing({ kind: 'lost' as const }));
      this.choicesTried = covered;
      switch (opened.kind) {
        case 'ended':
          return { ...opened, booked: true };
        case 'refused':
          return { status: 'FAILED', failureCode: opened.code };
        case 'review':
          this.status = 'PENDING';
          this.checkoutDecided = true;
          return this.review(opened.reason);
        case 'open':
          this.status = 'PENDING';
          this.expiresAtMs = opened.expiresAtMs;
          this.checkoutDecided = true;
          this.woken ||= opened.attention;
          this.tellGateway(opened.gateway);
          return null;
        case 'choosing':
          this.status = 'PENDING';
          this.expiresAtMs = opened.expiresAtMs;
          this.checkoutDecided = true;
          this.woken ||= opened.attention ?? false;
          return null;
        case 'unavailable':
          this.expiresAtMs = opened.expiresAtMs;
          break;
        case 'lost':
          // Our own database could not be reached, so not even the expiry is known: try again and again.
          break;
      }
      const pauseMs = pause(OPEN_PAUSES_MS, tries);
      this.tell({ waitingFor: 'gateway-session', details: `The gateway cannot be reached; try ${tries + 2} follows.` });
      if (this.expiresAtMs === 0) {
        await sleep(pauseMs);
        continue;
      }
      await this.sleepUnlessWoken(Math.min(pauseMs, this.expiresAtMs - Date.now(), askAtMs - Date.now()));
      if (this.hasChosen) {
        continue;
      }
      this.woken ||= askAtMs <= Date.now();
      // A callback for a session that we believed unopened, whose answer was lost; or for a page that the payer has left.
      if (this.woken || this.expiresAtMs <= Date.now()) {
        this.openingBrokenOff = true;
        return null;
      }
    }
  }

  private async awaitOutcome(): Promise<Ending> {
    this.watchExpiry();
    let hopefulTries = 0;
    let queryAgainInMs: number | null = null;
    while (true) {
      await this.renewWhenLong();
      const leftMs = this.leftMs();
      const opensAgain = leftMs > 0 && !this.woken && this.opensAgain();
      if (opensAgain || (leftMs > 0 && this.hasChosen && !this.woken)) {
        // Money may be under way at the gateway that the payer has left: a page that does not open holds up no question.
        const asksMeanwhile = (): boolean => opensAgain || patched(PATCHES.askWhileOpening);
        const ending = await this.open(
          queryAgainInMs !== null && asksMeanwhile() ? Date.now() + queryAgainInMs : undefined,
        );
        if (ending !== null) {
          return ending;
        }
        continue;
      }
      if (leftMs > 0) {
        this.tell({
          waitingFor: queryAgainInMs === null ? 'payer' : 'gateway-answer',
          until: this.expiresAtMs,
          details: `Waiting for ${queryAgainInMs === null ? 'the payer' : 'the gateway to confirm'} until ${utc(this.expiresAtMs)}.`,
        });
        const due = (): boolean => this.woken || this.expired || this.hasChosen;
        await (queryAgainInMs === null ? condition(due) : condition(due, Math.min(queryAgainInMs, leftMs)));
      }
      const expired = this.leftMs() === 0;
      const asked = this.woken || queryAgainInMs !== null;
      if (expired && !this.woken) {
        const ending = await this.queryUntilFinal();
        if (ending !== null) {
          return ending;
        }
        this.watchExpiry();
        continue;
      }
      if (!asked) {
        continue;
      }
      // What was hoped for before is no reason to ask less about what a message tells of now.
      if (this.woken && hopefulTries > 0 && patched(PATCHES.hopeAnew)) {
        hopefulTries = 0;
      }
      this.woken = false;
      const verdict = await this.ask(false);
      if (verdict.kind !== 'undecided') {
        return this.endingOf(verdict);
      }
      queryAgainInMs = verdict.hopeful ? (HOPEFUL_PAUSES_MS[hopefulTries] ?? null) : null;
      hopefulTries += verdict.hopeful ? 1 : 0;
    }
  }

  /** The question that broke off the opening has decided nothing: the payer still waits for his page, unless he has called the payment off. */
  private opensAgain(): boolean {
    return this.openingBrokenOff && !this.calledOff && patched(PATCHES.openAfterQuestion);
  }

  /** The timer decides, since its server's clock may be a little ahead of the one that the workflow reads. */
  private leftMs(): number {
    return this.expired ? 0 : Math.max(this.expiresAtMs - Date.now(), 0);
  }

  /** One timer for the whole wait: a callback in between neither cancels nor restarts it, so it costs two events less. */
  private watchExpiry(): void {
    const watch = async (): Promise<void> => {
      // A way that the payer chooses meanwhile may give him longer.
      let watchedMs: number;
      do {
        watchedMs = this.expiresAtMs;
        await sleep(Math.max(this.expiresAtMs - Date.now(), 1), { summary: 'the payment expires' });
      } while (watchedMs !== this.expiresAtMs);
      this.expired = true;
    };
    // A cancelled workflow has no use for its timer; the wait itself reports the cancellation.
    watch().catch(() => undefined);
  }

  /**
   * Time is up, by the timer. The gateway is asked until it says how it ended, for 72 hours; then a person decides, never the clock. Null when the
   * row has time left: its clock is the database's, and this one is ahead.
   */
  private async queryUntilFinal(): Promise<Ending | null> {
    const giveUpAtMs = this.expiresAtMs + FINAL_QUESTIONS_FOR_MS;
    for (let tries = 0; ; tries += 1) {
      await this.renewWhenLong();
      this.woken = false;
      const verdict = await this.ask(true);
      if (verdict.kind !== 'undecided') {
        return this.endingOf(verdict);
      }
      if (verdict.expiresInMs !== undefined) {
        this.expired = false;
        this.expiresAtMs = Date.now() + Math.max(verdict.expiresInMs, EXPIRY_LOOK_MIN_MS);
        return null;
      }
      const withOperator = verdict.withOperator === true;
      if (Date.now() >= giveUpAtMs && !withOperator) {
        return this.review('GATEWAY_UNREACHABLE');
      }
      this.tell(
        withOperator
          ? { waitingFor: 'operator', details: 'Expired, but the payer says that he has paid: an operator decides.' }
          : {
              waitingFor: 'gateway-answer',
              until: giveUpAtMs,
              details: `Expired, but the gateway does not say how it ended. Asking again until ${utc(giveUpAtMs)}.`,
            },
      );
      // A choice opens no page any more: it is answered, and must not cut every pause short.
      if (this.hasChosen && patched(PATCHES.choiceAfterExpiry)) {
        this.choicesTried = this.choices;
      }
      await this.sleepUnlessWoken(pause(FINAL_PAUSES_MS, tries));
    }
  }

  /** One question to the gateway. No answer is an answer too: nothing is decided by it. */
  private async ask(final: boolean, riskAccepted = false): Promise<Verdict> {
    this.tell({ waitingFor: 'gateway-answer', details: 'Asking the gateway.' });
    try {
      return await verifyPayment({ ...this.input, final, ...(riskAccepted ? { riskAccepted } : {}) });
    } catch (error) {
      failIfRowMissing(error);
      return { kind: 'undecided', hopeful: true };
    }
  }

  private endingOf(verdict: Exclude<Verdict, { kind: 'undecided' }>): Ending | Promise<Ending> {
    switch (verdict.kind) {
      case 'charged':
        return { status: 'SUCCEEDED' };
      case 'failed':
        return { status: 'FAILED', failureCode: 'GATEWAY_DECLINED' };
      case 'cancelled':
        return { status: 'CANCELLED' };
      case 'expired':
        return { status: 'EXPIRED' };
      case 'review':
        return this.review(verdict.reason);
    }
  }

  /** Expiry stops here. Callbacks are still taken as evidence, but nothing except an operator's decision ends the payment. */
  private async review(reason: ReviewReason): Promise<Ending> {
    await this.book(() => markForReview({ ...this.input, reason }));
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: 'REVIEW' }]);
    while (true) {
      this.progress = { status: 'PENDING', waitingFor: 'operator', until: null, reviewReason: reason };
      setCurrentDetails(`Under review (${reason}): waiting for an operator's decision. Time alone does not end it.`);
      await condition(() => this.woken || this.decisionIds.length > 0);
      if (this.decisionIds.length > 0) {
        const ending = await this.decide();
        if (ending !== null) {
          return ending;
        }
        continue;
      }
      this.woken = false;
      await this.ask(false);
      await this.renewWhenLong();
    }
  }

  /** What the decision's row says. An accepted risk still needs the gateway's confirmation of everything else. */
  private async decide(): Promise<Ending | null> {
    const decisionIds = this.decisionIds.splice(0);
    const decision = await this.book(() => readReviewDecision({ ...this.input, decisionIds }));
    if (decision.kind === 'none') {
      return null;
    }
    if (decision.kind === 'ended') {
      const { kind: _kind, ...end } = decision;
      return { ...end, booked: true };
    }
    const { decisionId } = decision;
    if (decision.kind === 'reject') {
      return { status: 'FAILED', failureCode: REVIEW_REJECTED, decisionId };
    }
    const verdict = await this.ask(false, true);
    if (verdict.kind === 'charged') {
      return { status: 'SUCCEEDED', decisionId };
    }
    const outcome = verdict.kind === 'review' ? verdict.reason : verdict.kind.toUpperCase();
    await this.book(() => declineDecision({ ...this.input, decisionId, outcome }));
    return null;
  }

  /**
   * A history has an end, and callbacks can be sent for ever. The row holds all that a fresh run needs; but what was told to this one, and who waits for
   * its answer, is told to nobody else.
   */
  private async renewWhenLong(): Promise<void> {
    const { continueAsNewSuggested, typedSearchAttributes, workflowType } = workflowInfo();
    if (!continueAsNewSuggested || !this.isDrained) {
      return;
    }
    // Who still waits for a page has waited longer than any caller does, and reads the row next.
    this.checkoutDecided = true;
    // Whatever comes meanwhile is taken up by this run: a choice waits for its page, which only the loop opens.
    await condition(() => allHandlersFinished() || !this.isDrained);
    if (this.isDrained) {
      await makeContinueAsNewFunc<typeof paymentWorkflow>({ workflowType, typedSearchAttributes })(this.input);
    }
  }

  /** Nothing that this run was told is left to be taken up. */
  private get isDrained(): boolean {
    return !this.woken && !this.hasChosen && this.decisionIds.length === 0;
  }

  private settle(ending: Ending): Promise<FinalStatus> {
    this.tell({ waitingFor: 'nothing', details: `Booking ${ending.status}.` });
    const { booked: _booked, ...end } = ending;
    return this.book(() => finalizePayment({ ...this.input, ...end }));
  }

  private book<T>(step: () => Promise<T>): Promise<T> {
    return book(step, (details) => this.tell({ waitingFor: 'nothing', details }));
  }

  private async sleepUnlessWoken(forMs: number): Promise<void> {
    await condition(() => this.woken || this.hasChosen, Math.max(forMs, 1));
  }

  private get hasChosen(): boolean {
    return this.choices > this.choicesTried;
  }

  /** What the payer chose, for whoever searches for it. */
  private tellGateway(gateway: string | undefined): void {
    if (gateway !== undefined && gateway !== this.chosenGateway) {
      this.chosenGateway = gateway;
      upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.gateway, value: gateway }]);
    }
  }

  private tell({
    waitingFor,
    until,
    details,
  }: {
    waitingFor: PaymentProgress['waitingFor'];
    until?: number;
    details: string;
  }): void {
    this.progress = {
      status: this.status,
      waitingFor,
      until: until === undefined ? null : new Date(until).toISOString(),
      reviewReason: null,
    };
    setCurrentDetails(details);
  }
}

function pause(pausesMs: readonly number[], tries: number): number {
  return pausesMs[Math.min(tries, pausesMs.length - 1)] ?? 60_000;
}
