import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { FinalRefundStatus, RefundReviewReason, RefundStatus } from '../../domain/refund.ts';
import type { ScopeInput } from './names.ts';

export interface RefundWorkflowInput extends ScopeInput {
  readonly reference: string;
  /** Unix time in milliseconds of the first query. Set when a long run continues as new. */
  readonly pollingSinceMs?: number;
}

/** A decision row was written. The id names it. The row is authoritative, and a signal without a row changes nothing. */
export const decisionSignal = defineSignal<[decisionId: string]>('decision');

/** The progress of a running refund, readable without the database. */
export interface RefundProgress {
  readonly status: RefundStatus;
  readonly waitingFor: 'approval' | 'gateway' | 'operator' | 'nothing';
  /** RFC 3339, UTC; null when the wait has no time limit. */
  readonly until: string | null;
  readonly reviewReason: RefundReviewReason | null;
}
export const refundProgressQuery = defineQuery<RefundProgress>('progress');

/** The state of a refund in its row. */
export type RefundState =
  /** Unix times in milliseconds. `nowMs` is the database's time of this reading. */
  | { readonly kind: 'awaiting'; readonly dueAtMs: number; readonly remindAtMs: number; readonly nowMs: number }
  | { readonly kind: 'pending' }
  | { readonly kind: 'review'; readonly reason: RefundReviewReason }
  | { readonly kind: 'ended'; readonly status: FinalRefundStatus };

export type RefundAnswer =
  /** The gateway says that the payer has the money. */
  | { readonly kind: 'refunded' }
  /** The gateway clearly refuses the refund, and no earlier request has an unknown result. */
  | { readonly kind: 'failed'; readonly code: string }
  /** The gateway accepted the refund, or its result is unknown: query again. */
  | { readonly kind: 'waiting' }
  /** Only a person can find out. */
  | { readonly kind: 'unclear'; readonly reason: RefundReviewReason }
  | { readonly kind: 'ended'; readonly status: FinalRefundStatus };

export interface RefundDecisionInput extends RefundWorkflowInput {
  /** The decisions that were signalled since the last read; empty when the time limit was reached. */
  readonly decisionIds: readonly string[];
  /** The workflow's timer says that the time for an approval is over. The row decides whether it is. */
  readonly expired: boolean;
}

export interface RefundEndInput extends RefundWorkflowInput {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly failureCode?: string;
}

export interface RefundReviewInput extends RefundWorkflowInput {
  readonly reason: RefundReviewReason;
}

/** The activities of the refund workflow. */
export interface RefundActivities {
  readRefund(input: RefundWorkflowInput): Promise<RefundState>;
  /** Applies the decision row or the expired time limit. A signal without a row is recorded in the audit log and changes nothing. */
  decideRefund(input: RefundDecisionInput): Promise<RefundState>;
  /** Reminds the operators that a refund still needs a second person. */
  remindOfApproval(input: RefundWorkflowInput): Promise<void>;
  /** Requests the refund at the gateway, always with the same key, or queries the state of one that the gateway accepted. */
  driveRefund(input: RefundWorkflowInput): Promise<RefundAnswer>;
  endRefund(input: RefundEndInput): Promise<FinalRefundStatus>;
  markRefundForReview(input: RefundReviewInput): Promise<void>;
}
