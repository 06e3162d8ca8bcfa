/**
 * Drives one refund from its reservation to its end. The row's status is authoritative.
 *
 *   reading    reads the state from the row → awaiting | querying | review | ended
 *   awaiting   a second person decides; the decision's row counts, never a signal alone. Without a decision in time, the refund is rejected
 *   querying   asks the gateway to refund, or for the state of the refund
 *   waiting    until the next query, for up to 30 days
 *   review     the gateway does not say what became of the refund; only a person ends that
 *   ended      the row has a final status
 *
 * Messages: signal `decision`, query `progress`.
 */
import { condition, proxyActivities, proxyLocalActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { FinalRefundStatus, RefundReviewReason, RefundStatus } from '../domain/refund.ts';
import { record, utc } from './recording.ts';
import { Inbox } from './inbox.ts';
import { unlessRowMissing } from './missing-row.ts';
import {
  decisionSignal,
  refundProgressQuery,
  type RefundActivities,
  type RefundAnswer,
  type RefundEndInput,
  type RefundProgress,
  type RefundState,
  type RefundWorkflowInput,
} from './messages/refund.ts';
import { QUERY_REFUND, RECORD, pauseAfter, REFUND_PAUSES_MS, REFUND_POLLED_FOR_MS, REMIND } from './options.ts';
import { renewWhenLong } from './renew.ts';
import { showSearchable } from './searchable.ts';

/** The shortest wait for the end of the time for an approval, so that the history does not fill up. */
const LOOK_MIN_MS = 1_000;

const { readRefund, decideRefund, endRefund, markRefundForReview } = proxyLocalActivities<RefundActivities>(RECORD);
const { driveRefund } = proxyActivities<RefundActivities>(QUERY_REFUND);
const { remindOfApproval } = proxyActivities<RefundActivities>(REMIND);

type Message = { readonly kind: 'decision'; readonly decisionId: string };

type Polling = { readonly sinceMs: number; readonly tries: number };
type State =
  | { readonly kind: 'reading' }
  | Exclude<RefundState, { kind: 'pending' }>
  | (Polling & { readonly kind: 'querying' })
  | (Polling & { readonly kind: 'waiting'; readonly untilMs: number });
type In<Kind extends State['kind']> = Extract<State, { readonly kind: Kind }>;

export async function refundWorkflow(input: RefundWorkflowInput): Promise<FinalRefundStatus> {
  const refund = new RefundRun(input);
  setHandler(decisionSignal, (decisionId) => refund.inbox.put({ kind: 'decision', decisionId }));
  setHandler(refundProgressQuery, () => refund.progress);
  return refund.run();
}

class RefundRun {
  readonly inbox = new Inbox<Message>();
  progress: RefundProgress = { status: 'PENDING', waitingFor: 'nothing', until: null, reviewReason: null };
  private readonly input: RefundWorkflowInput;

  constructor(input: RefundWorkflowInput) {
    this.input = input;
  }

  async run(): Promise<FinalRefundStatus> {
    let state: State = { kind: 'reading' };
    while (state.kind !== 'ended') {
      await renewWhenLong<typeof refundWorkflow>(this.inbox, this.inputFrom(state));
      state = await this.step(state);
    }
    this.show({ status: state.status, waitingFor: 'nothing', details: `Ended: ${state.status}.` });
    showSearchable({ status: state.status, waitsFor: null });
    return state.status;
  }

  private step(state: Exclude<State, In<'ended'>>): Promise<State> {
    switch (state.kind) {
      case 'reading':
        return this.reading();
      case 'awaiting':
        return this.awaiting(state);
      case 'querying':
        return this.querying(state);
      case 'waiting':
        return this.waiting(state);
      case 'review':
        return this.review(state);
    }
  }

  private async reading(): Promise<State> {
    return this.at(await this.record(() => readRefund(this.input)));
  }

  private async awaiting({ dueAtMs, remindAtMs, nowMs }: In<'awaiting'>): Promise<State> {
    this.show({
      status: 'AWAITING_APPROVAL',
      waitingFor: 'approval',
      until: dueAtMs,
      details: `Waiting until ${utc(dueAtMs)} for a second person to approve or reject.`,
    });
    showSearchable({ status: 'AWAITING_APPROVAL', waitsFor: 'approval' });
    // Computed from the database's time, since its clock and the workflow's can differ. In the end the database decides whether time is up.
    const remindInMs = remindAtMs - nowMs;
    const dueByMs = Date.now() + Math.max(dueAtMs - nowMs, LOOK_MIN_MS);
    if (remindInMs > 0 && !(await this.decidedBy(Date.now() + remindInMs, 'the operators are reminded'))) {
      await remindOfApproval(this.input);
    }
    const expired = !(await this.decidedBy(dueByMs, 'the time for the approval is over'));
    return this.at(await this.decide(expired));
  }

  /** A failed query or the passing of time never fails a refund. */
  private async querying({ sinceMs, tries }: In<'querying'>): Promise<State> {
    this.show({ status: 'PENDING', waitingFor: 'gateway', details: 'Querying the gateway.' });
    showSearchable({ status: 'PENDING', waitsFor: 'gateway' });
    const answer = await driveRefund(this.input).catch(unlessRowMissing<RefundAnswer>({ kind: 'waiting' }));
    switch (answer.kind) {
      case 'refunded':
        return this.end({ status: 'SUCCEEDED' });
      case 'failed':
        return this.end({ status: 'FAILED', failureCode: answer.code });
      case 'unclear':
        return this.beginReview(answer.reason);
      case 'ended':
        return answer;
      case 'waiting':
    }
    if (Date.now() >= sinceMs + REFUND_POLLED_FOR_MS) {
      return this.beginReview('STUCK_AT_GATEWAY');
    }
    const untilMs = Date.now() + pauseAfter(tries, REFUND_PAUSES_MS);
    return { kind: 'waiting', sinceMs, tries, untilMs };
  }

  /** Waits for the next query. A decision can end the refund meanwhile; one that does not leaves the wait as it is. */
  private async waiting(state: In<'waiting'>): Promise<State> {
    const { sinceMs, tries, untilMs } = state;
    this.show({
      status: 'PENDING',
      waitingFor: 'gateway',
      until: untilMs,
      details: `The gateway has not finished the refund; next query at ${utc(untilMs)}.`,
    });
    if (!(await this.decidedBy(untilMs, 'the gateway is queried again'))) {
      return { kind: 'querying', sinceMs, tries: tries + 1 };
    }
    const refund = await this.decide(false);
    return refund.kind === 'pending' ? state : this.at(refund);
  }

  private async review({ reason }: In<'review'>): Promise<State> {
    const status = reason === 'FAILED_AFTER_SUCCESS' ? 'SUCCEEDED' : 'PENDING';
    this.progress = { status, waitingFor: 'operator', until: null, reviewReason: reason };
    showSearchable({ status, waitsFor: 'review' });
    setCurrentDetails(`Under review (${reason}): an operator must check the refund in the gateway's panel.`);
    await condition(() => !this.inbox.isEmpty);
    return this.at(await this.decide(false));
  }

  private at(refund: RefundState): State {
    return refund.kind === 'pending'
      ? { kind: 'querying', sinceMs: this.input.pollingSinceMs ?? Date.now(), tries: 0 }
      : refund;
  }

  private async beginReview(reason: RefundReviewReason): Promise<State> {
    await this.record(() => markRefundForReview({ ...this.input, reason }));
    return { kind: 'review', reason };
  }

  private async end(end: Pick<RefundEndInput, 'status' | 'failureCode'>): Promise<State> {
    this.show({ status: 'PENDING', waitingFor: 'nothing', details: `Recording ${end.status}.` });
    return { kind: 'ended', status: await this.record(() => endRefund({ ...this.input, ...end })) };
  }

  /** Waits until this time; returns true when a decision has been signalled. */
  private async decidedBy(untilMs: number, summary: string): Promise<boolean> {
    const isDecided = (): boolean => !this.inbox.isEmpty;
    const withinMs = untilMs - Date.now();
    return isDecided() || (withinMs > 0 && (await condition(isDecided, withinMs, { summary })));
  }

  private decide(expired: boolean): Promise<RefundState> {
    const decisionIds = this.inbox.take('decision').map(({ decisionId }) => decisionId);
    return this.record(() => decideRefund({ ...this.input, decisionIds, expired }));
  }

  private record<T>(step: () => Promise<T>): Promise<T> {
    return record(step, setCurrentDetails);
  }

  /** The row holds everything that a fresh run needs except the time of the first query, which limits the polling. */
  private inputFrom(state: State): RefundWorkflowInput {
    return 'sinceMs' in state ? { ...this.input, pollingSinceMs: state.sinceMs } : this.input;
  }

  private show({ status, waitingFor, until, details }: Shown): void {
    this.progress = {
      status,
      waitingFor,
      until: until === undefined ? null : new Date(until).toISOString(),
      reviewReason: null,
    };
    setCurrentDetails(details);
  }
}

interface Shown {
  readonly status: RefundStatus;
  readonly waitingFor: RefundProgress['waitingFor'];
  readonly until?: number;
  readonly details: string;
}
