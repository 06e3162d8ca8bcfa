import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { FinalRefundStatus, RefundReviewReason, RefundStatus } from '../../domain/refund.ts';
import type { ScopeInput } from './names.ts';

export interface RefundWorkflowInput extends ScopeInput {
  readonly reference: string;
  /** Set by a run that goes on where a long one stopped: Unix time in milliseconds when the gateway accepted. */
  readonly pollingSinceMs?: number;
}

/** A decision row was written. The id names it; the row is the authority, and a signal without one changes nothing. */
export const decisionSignal = defineSignal<[decisionId: string]>('decision');

/** What a person or a program sees of a running refund, without asking the database. */
export interface RefundProgress {
  readonly status: RefundStatus;
  readonly waitingFor: 'approval' | 'gateway' | 'operator' | 'nothing';
  /** RFC 3339, UTC; null when nothing is timed. */
  readonly until: string | null;
  readonly reviewReason: RefundReviewReason | null;
}
export const refundProgressQuery = defineQuery<RefundProgress>('progress');

/** How a refund stands in its row. */
export type RefundState =
  /** Unix times in milliseconds; `nowMs` is the database's as this was found. */
  | { readonly kind: 'awaiting'; readonly dueAtMs: number; readonly remindAtMs: number; readonly nowMs: number }
  | { readonly kind: 'pending' }
  | { readonly kind: 'review'; readonly reason: RefundReviewReason }
  | { readonly kind: 'ended'; readonly status: FinalRefundStatus };

export type RefundAnswer =
  /** The gateway says that the payer has his money. */
  | { readonly kind: 'refunded' }
  /** The gateway says plainly that it will not, and nothing before has left a doubt. */
  | { readonly kind: 'failed'; readonly code: string }
  /** Accepted, or not known: ask again. */
  | { readonly kind: 'waiting' }
  /** Only a person can find out. */
  | { readonly kind: 'unclear'; readonly reason: RefundReviewReason }
  | { readonly kind: 'ended'; readonly status: FinalRefundStatus };

export interface RefundDecisionInput extends RefundWorkflowInput {
  /** The decisions that were signalled since the last look; empty when time has run out. */
  readonly decisionIds: readonly string[];
  /** The workflow's timer says that the time for an approval is over; whether it is says the row. */
  readonly expired: boolean;
}

export interface RefundEndInput extends RefundWorkflowInput {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly failureCode?: string;
}

export interface RefundReviewInput extends RefundWorkflowInput {
  readonly reason: RefundReviewReason;
}

/** What the refund workflow asks of the world. */
export interface RefundActivities {
  readRefund(input: RefundWorkflowInput): Promise<RefundState>;
  /** Takes up the decision row, or the end of the time for one; a signal without a row is written down and changes nothing. */
  decideRefund(input: RefundDecisionInput): Promise<RefundState>;
  /** Tells the operators that a refund still waits for a second person. */
  remindOfApproval(input: RefundWorkflowInput): Promise<void>;
  /** Asks the gateway to refund, always with the same key, or how the refund stands that it accepted. */
  driveRefund(input: RefundWorkflowInput): Promise<RefundAnswer>;
  endRefund(input: RefundEndInput): Promise<FinalRefundStatus>;
  markRefundForReview(input: RefundReviewInput): Promise<void>;
}
