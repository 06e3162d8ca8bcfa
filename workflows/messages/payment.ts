import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PaymentStatus, ReviewReason, FinalStatus } from '../../domain/payment.ts';
import type { ScopeInput } from './names.ts';

export interface PaymentWorkflowInput extends ScopeInput {
  readonly reference: string;
  /** The payment pays an invoice. The invoice is locked before the payment. */
  readonly paysInvoice?: true;
}

/** The payment's status when the update completes. */
export interface CheckoutOpened {
  readonly status: PaymentStatus;
}

/** The progress of a running payment, readable without the database. */
export interface PaymentProgress {
  readonly status: PaymentStatus;
  readonly waitingFor: 'gateway-session' | 'payer' | 'gateway-answer' | 'operator' | 'nothing';
  /** RFC 3339, UTC; null when the wait has no time limit. */
  readonly until: string | null;
  readonly reviewReason: ReviewReason | null;
}

/** Completes when the workflow has opened the gateway's session, or has ended without one. */
export const checkoutOpenedUpdate = defineUpdate<CheckoutOpened, []>('checkout-opened');
/** The fixed update id, so that all callers for one payment wait for the same update. */
export const CHECKOUT_OPENED_UPDATE_ID = 'checkout-opened';

/** A stored callback is waiting. The id names its row, which holds the evidence. */
export const callbackSignal = defineSignal<[callbackId: string]>('callback');
/** The payer asked on Lenden's page to cancel. The row holds the request. */
export const cancelRequestedSignal = defineSignal('cancel-requested');
/**
 * The payer has chosen a gateway; the row holds the choice. Completes when the workflow has tried to open that gateway's page. The update's id is the
 * attempt's reference, so a duplicate request waits for the same update.
 */
export const gatewayChosenUpdate = defineUpdate<CheckoutOpened, []>('gateway-chosen');
/** The same message from the sweeper, which does not wait. */
export const gatewayChosenSignal = defineSignal('gateway-chosen');
export const progressQuery = defineQuery<PaymentProgress>('progress');

/** The activities of the payment workflow. */
export interface PaymentActivities {
  openCheckout(input: PaymentWorkflowInput): Promise<OpenCheckoutResult>;
  verifyPayment(input: VerifyInput): Promise<Verdict>;
  finalizePayment(input: FinalizeInput): Promise<FinalStatus>;
  markForReview(input: ReviewInput): Promise<void>;
  /** Returns the operator's decision from its row. A signal without a row is recorded in the audit log and changes nothing. */
  readReviewDecision(input: ReviewDecisionInput): Promise<ReviewDecision>;
  /** Closes a decision that could not be carried out because the gateway does not confirm the charge. */
  declineDecision(input: DeclinedDecisionInput): Promise<void>;
  /** Starts a query for money that can still be at the gateway after the payment has ended. */
  lookForUnappliedMoney(input: PaymentWorkflowInput): Promise<void>;
}

/** When a payment expires. */
export interface Expiry {
  /** Unix time in milliseconds, like `nowMs`. */
  readonly expiresAtMs: number;
  /** The time by the payment's test clock when the row was read; absent while it shows the real time. */
  readonly nowMs?: number;
}

export type OpenCheckoutResult =
  /** The session is open, or was opened before. */
  | (Expiry & {
      readonly kind: 'open';
      readonly attention: boolean;
      /** The payer's choice, where the payer can choose. */
      readonly gateway?: string;
      /** A query at this gateway can move money: it executes the payment that the payer has agreed to. */
      readonly executes?: true;
      /** The reference under which the gateway knows the payment. It stays in the history, where it can be found after a restore. */
      readonly attemptReference?: string;
    })
  /** The payer has not yet chosen a gateway. */
  | (Expiry & { readonly kind: 'choosing'; readonly attention?: boolean })
  /** The payment is already under review, and only an operator can end that. */
  | { readonly kind: 'review'; readonly reason: ReviewReason }
  | { readonly kind: 'refused'; readonly code: string }
  /** The gateway could not be reached, or its answer was lost. The workflow retries until the expiry. */
  | (Expiry & { readonly kind: 'unavailable' })
  | { readonly kind: 'ended'; readonly status: FinalStatus; readonly failureCode?: string };

export interface VerifyInput extends PaymentWorkflowInput {
  /** The workflow's timer says that the payment has expired. If the row agrees, this query ends an untouched session. */
  readonly final: boolean;
  /** An operator has accepted the risk that the gateway reported. Everything else must still agree with the order. */
  readonly riskAccepted?: boolean;
  /** The query may time out while it still runs, so it executes nothing. Closing a page that the payer has left is harmless to repeat. */
  readonly executesNothing?: true;
  /** A charge that agrees with the order ends the payment at once. Without it, an operator or another step decides. */
  readonly finalizes?: true;
}

export type Verdict =
  /**
   * The gateway confirmed a charge that agrees with the order. The attempt's row holds the evidence. `isFinalized`: the payment is SUCCEEDED, with
   * its ledger transaction and event; otherwise it still has to be finalized.
   */
  | { readonly kind: 'charged'; readonly isFinalized?: true }
  | { readonly kind: 'failed' | 'cancelled' | 'expired' }
  /** Nothing is decided yet. `hopeful`: something claims success, so it is worth querying again soon. */
  | {
      readonly kind: 'undecided';
      readonly hopeful: boolean;
      /** An operator decides whether the payer has paid, so the expiry does not end the payment. */
      readonly withOperator?: true;
      /** A callback has arrived that the query does not cover and that is not signalled. */
      readonly more?: true;
      /** The final query came too early: by the database's clock, the payment expires in this many milliseconds. */
      readonly expiresInMs?: number;
    }
  | { readonly kind: 'review'; readonly reason: ReviewReason };

export interface FinalizeInput extends PaymentWorkflowInput {
  readonly status: FinalStatus;
  readonly failureCode?: string;
  /** The operator's decision that led to this end. It is closed in the same transaction. */
  readonly decisionId?: string;
}

export type ReviewDecision =
  /** There is no decision row, whatever the signal said. */
  | { readonly kind: 'none' }
  | { readonly kind: 'accept' | 'reject'; readonly decisionId: string }
  /** An earlier run of this step carried the decision out, but its answer was lost. */
  | { readonly kind: 'ended'; readonly status: FinalStatus; readonly failureCode?: string };

export interface ReviewDecisionInput extends PaymentWorkflowInput {
  /** The decisions that were signalled since the last read. */
  readonly decisionIds: readonly string[];
}

export interface DeclinedDecisionInput extends PaymentWorkflowInput {
  readonly decisionId: string;
  /** Why the payment is still under review. */
  readonly outcome: string;
}

export interface ReviewInput extends PaymentWorkflowInput {
  readonly reason: ReviewReason;
}
