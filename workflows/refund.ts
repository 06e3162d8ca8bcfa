/**
 * One refund, from its reservation to its end.
 *
 * States (the row's status is the authority, this is what drives it):
 *   awaiting approval → pending                     a second person approved; the decision's row says so, never a signal alone
 *                     → rejected                    he rejected it, or nobody decided in time
 *   pending → asking the gateway → succeeded | failed
 *                                ↘ review           the gateway does not say what became of it; only a person ends that
 * Messages: signal `decision`, query `progress`.
 */
import {
  allHandlersFinished,
  condition,
  makeContinueAsNewFunc,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { FinalRefundStatus, RefundReviewReason, RefundStatus } from '../domain/refund.ts';
import { book, utc } from './booking.ts';
import { unlessRowMissing } from './missing-row.ts';
import { SEARCH_ATTRIBUTES } from './messages/names.ts';
import {
  decisionSignal,
  refundProgressQuery,
  type RefundActivities,
  type RefundAnswer,
  type RefundProgress,
  type RefundState,
  type RefundWorkflowInput,
} from './messages/refund.ts';
import { QUERY_REFUND, BOOK, REFUND_PAUSES_MS, REFUND_POLLED_FOR_MS, REMIND } from './options.ts';

/** However close the end of the time for an approval is: a history does not fill with looks at it. */
const LOOK_MIN_MS = 1_000;

const { readRefund, decideRefund, endRefund, markRefundForReview } = proxyLocalActivities<RefundActivities>(BOOK);
const { driveRefund } = proxyActivities<RefundActivities>(QUERY_REFUND);
const { remindOfApproval } = proxyActivities<RefundActivities>(REMIND);

export async function refundWorkflow(input: RefundWorkflowInput): Promise<FinalRefundStatus> {
  const refund = new RefundRun(input);
  setHandler(decisionSignal, (decisionId) => refund.hear(decisionId));
  setHandler(refundProgressQuery, () => refund.progress);
  return refund.run();
}

class RefundRun {
  progress: RefundProgress = { status: 'PENDING', waitingFor: 'nothing', until: null, reviewReason: null };
  private readonly input: RefundWorkflowInput;
  private decisionIds: string[] = [];

  constructor(input: RefundWorkflowInput) {
    this.input = input;
  }

  hear(decisionId: string): void {
    this.decisionIds.push(decisionId);
  }

  async run(): Promise<FinalRefundStatus> {
    let stand = await this.book(() => readRefund(this.input));
    while (stand.kind !== 'ended') {
      switch (stand.kind) {
        case 'awaiting':
          stand = await this.awaitApproval(stand);
          break;
        case 'pending':
          stand = await this.carryOut();
          break;
        case 'review':
          stand = await this.awaitOperator(stand.reason);
          break;
      }
      await this.renewWhenLong();
    }
    this.tell({ status: stand.status, waitingFor: 'nothing', details: `Ended: ${stand.status}.` });
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: stand.status }]);
    return stand.status;
  }

  private async awaitApproval({
    dueAtMs,
    remindAtMs,
    nowMs,
  }: RefundState & { kind: 'awaiting' }): Promise<RefundState> {
    this.tell({
      status: 'AWAITING_APPROVAL',
      waitingFor: 'approval',
      until: dueAtMs,
      details: `Waiting until ${utc(dueAtMs)} for a second person to approve or reject.`,
    });
    // As long as the database says: its clock and the workflow's may be apart. It judges again in the end.
    const remindInMs = remindAtMs - nowMs;
    const dueByMs = Date.now() + Math.max(dueAtMs - nowMs, LOOK_MIN_MS);
    if (remindInMs > 0 && !(await this.decided(remindInMs))) {
      await remindOfApproval(this.input);
    }
    const heard = await this.decided(dueByMs - Date.now());
    return this.decide(!heard);
  }

  /** The gateway is asked until it says how the refund ended. Time alone never makes a refund failed. */
  private async carryOut(): Promise<RefundState> {
    const sinceMs = this.input.pollingSinceMs ?? Date.now();
    for (let tries = 0; ; tries += 1) {
      this.tell({ status: 'PENDING', waitingFor: 'gateway', details: 'Asking the gateway.' });
      const answer = await driveRefund(this.input).catch(unlessRowMissing<RefundAnswer>({ kind: 'waiting' }));
      switch (answer.kind) {
        case 'refunded':
          return this.end({ status: 'SUCCEEDED' });
        case 'failed':
          return this.end({ status: 'FAILED', failureCode: answer.code });
        case 'unclear':
          return this.review(answer.reason);
        case 'ended':
          return answer;
        case 'waiting':
      }
      if (Date.now() >= sinceMs + REFUND_POLLED_FOR_MS) {
        return this.review('STUCK_AT_GATEWAY');
      }
      const pauseMs = REFUND_PAUSES_MS[Math.min(tries, REFUND_PAUSES_MS.length - 1)] ?? 3_600_000;
      this.tell({
        status: 'PENDING',
        waitingFor: 'gateway',
        until: Date.now() + pauseMs,
        details: `The gateway has not finished; it is asked again at ${utc(Date.now() + pauseMs)}.`,
      });
      const changed = await this.pause(pauseMs);
      if (changed !== null) {
        return changed;
      }
      await this.renewWhenLong(sinceMs);
    }
  }

  private async review(reason: RefundReviewReason): Promise<RefundState> {
    await this.book(() => markRefundForReview({ ...this.input, reason }));
    return { kind: 'review', reason };
  }

  private async awaitOperator(reason: RefundReviewReason): Promise<RefundState> {
    const status = reason === 'FAILED_AFTER_SUCCESS' ? 'SUCCEEDED' : 'PENDING';
    this.progress = { status, waitingFor: 'operator', until: null, reviewReason: reason };
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: 'REVIEW' }]);
    setCurrentDetails(`Under review (${reason}): an operator has to find out at the gateway what became of the money.`);
    await condition(() => this.decisionIds.length > 0);
    return this.decide(false);
  }

  /** Takes up whatever is decided during a pause, without shortening it. Null when the refund still goes its way. */
  private async pause(forMs: number): Promise<RefundState | null> {
    const untilMs = Date.now() + forMs;
    while (await this.decided(untilMs - Date.now())) {
      const stand = await this.decide(false);
      if (stand.kind !== 'pending') {
        return stand;
      }
    }
    return null;
  }

  /** True when a decision was signalled within the time. */
  private async decided(withinMs: number): Promise<boolean> {
    const heard = (): boolean => this.decisionIds.length > 0;
    return heard() || (withinMs > 0 && (await condition(heard, withinMs)));
  }

  private decide(expired: boolean): Promise<RefundState> {
    const decisionIds = this.decisionIds.splice(0);
    return this.book(() => decideRefund({ ...this.input, decisionIds, expired }));
  }

  private async end(end: { status: 'SUCCEEDED' | 'FAILED'; failureCode?: string }): Promise<RefundState> {
    this.tell({ status: 'PENDING', waitingFor: 'nothing', details: `Booking ${end.status}.` });
    return { kind: 'ended', status: await this.book(() => endRefund({ ...this.input, ...end })) };
  }

  private book<T>(step: () => Promise<T>): Promise<T> {
    return book(step, setCurrentDetails);
  }

  /** A refund may be polled for a month: the row holds all that a fresh run needs, but for the time of the first question. */
  private async renewWhenLong(pollingSinceMs?: number): Promise<void> {
    const { continueAsNewSuggested, typedSearchAttributes, workflowType } = workflowInfo();
    if (continueAsNewSuggested && this.decisionIds.length === 0 && allHandlersFinished()) {
      const next = pollingSinceMs === undefined ? this.input : { ...this.input, pollingSinceMs };
      await makeContinueAsNewFunc<typeof refundWorkflow>({ workflowType, typedSearchAttributes })(next);
    }
  }

  private tell({ status, waitingFor, until, details }: Telling): void {
    this.progress = {
      status,
      waitingFor,
      until: until === undefined ? null : new Date(until).toISOString(),
      reviewReason: null,
    };
    setCurrentDetails(details);
  }
}

interface Telling {
  readonly status: RefundStatus;
  readonly waitingFor: RefundProgress['waitingFor'];
  readonly until?: number;
  readonly details: string;
}
