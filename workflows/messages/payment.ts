import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PaymentStatus, ReviewReason, FinalStatus } from '../../domain/payment.ts';
import type { ScopeInput } from './names.ts';

export interface PaymentWorkflowInput extends ScopeInput {
  readonly reference: string;
  /** It pays an invoice, which is locked before the payment is. */
  readonly paysInvoice?: true;
}

/** How far the checkout has come when the update answers. */
export interface CheckoutOpened {
  readonly status: PaymentStatus;
}

/** What a person or a program sees of a running payment, without asking the database. */
export interface PaymentProgress {
  readonly status: PaymentStatus;
  readonly waitingFor: 'gateway-session' | 'payer' | 'gateway-answer' | 'operator' | 'nothing';
  /** RFC 3339, UTC; null when nothing is timed. */
  readonly until: string | null;
  readonly reviewReason: ReviewReason | null;
}

/** Waits until the body of the workflow has opened the gateway's session, or has ended without one. */
export const checkoutOpenedUpdate = defineUpdate<CheckoutOpened, []>('checkout-opened');
/** One fixed id, so that every caller of one payment waits on the same update. */
export const CHECKOUT_OPENED_UPDATE_ID = 'checkout-opened';

/** A stored callback waits to be looked at. The id names the row; the row is the evidence. */
export const callbackSignal = defineSignal<[callbackId: string]>('callback');
/** The payer asked on our page to cancel. The row holds the request. */
export const cancelRequestedSignal = defineSignal('cancel-requested');
/**
 * The payer has chosen where to pay; the row holds the choice. Waits until that page was tried to be opened. The update's id is the attempt's
 * reference, so that a repeated one is the same.
 */
export const gatewayChosenUpdate = defineUpdate<CheckoutOpened, []>('gateway-chosen');
/** The same without waiting, from the sweeper. */
export const gatewayChosenSignal = defineSignal('gateway-chosen');
export const progressQuery = defineQuery<PaymentProgress>('progress');

/** What the payment workflow asks of the world. */
export interface PaymentActivities {
  openCheckout(input: PaymentWorkflowInput): Promise<OpenCheckoutResult>;
  verifyPayment(input: VerifyInput): Promise<Verdict>;
  finalizePayment(input: FinalizeInput): Promise<FinalStatus>;
  markForReview(input: ReviewInput): Promise<void>;
  /** The operator's decision as its row says; a signal without a row is written down and changes nothing. */
  readReviewDecision(input: ReviewDecisionInput): Promise<ReviewDecision>;
  /** Closes a decision that could not be carried out, since the gateway does not confirm what was ordered. */
  declineDecision(input: DeclinedDecisionInput): Promise<void>;
  /** Has the gateway asked about money that a payment's end leaves behind. */
  lookForUnappliedMoney(input: PaymentWorkflowInput): Promise<void>;
}

export type OpenCheckoutResult =
  /** The session is open, or was opened before. `expiresAtMs` is Unix time. */
  | {
      readonly kind: 'open';
      readonly expiresAtMs: number;
      readonly attention: boolean;
      /** What the payer has chosen, where he may. */
      readonly gateway?: string;
      /** What the gateway knows the payment by; the history keeps it for whoever has to look there after a restore. */
      readonly attemptReference?: string;
    }
  /** The payer has not chosen where to pay. */
  | { readonly kind: 'choosing'; readonly expiresAtMs: number; readonly attention?: boolean }
  /** Under review already: only an operator moves it. */
  | { readonly kind: 'review'; readonly reason: ReviewReason }
  | { readonly kind: 'refused'; readonly code: string }
  /** The gateway could not be reached, or its answer was lost; `expiresAtMs` bounds the trying. */
  | { readonly kind: 'unavailable'; readonly expiresAtMs: number }
  | { readonly kind: 'ended'; readonly status: FinalStatus; readonly failureCode?: string };

export interface VerifyInput extends PaymentWorkflowInput {
  /** The last question, when the workflow's timer says that the payment has expired: an untouched session ends it, if the row says so, too. */
  readonly final: boolean;
  /** An operator accepts a risk that the gateway flags; everything else must agree all the same. */
  readonly riskAccepted?: boolean;
}

export type Verdict =
  /** The gateway confirmed a charge that agrees with the order; the attempt's row holds the evidence. */
  | { readonly kind: 'charged' }
  | { readonly kind: 'failed' | 'cancelled' | 'expired' }
  /** Nothing decided yet. `hopeful`: something claims success, so asking again soon is worth it. */
  | {
      readonly kind: 'undecided';
      readonly hopeful: boolean;
      /** An operator is to say whether the payer has paid: the clock does not end that. */
      readonly withOperator?: true;
      /** The last question came too early: by the database's time the payment expires only in so many milliseconds. */
      readonly expiresInMs?: number;
    }
  | { readonly kind: 'review'; readonly reason: ReviewReason };

export interface FinalizeInput extends PaymentWorkflowInput {
  readonly status: FinalStatus;
  readonly failureCode?: string;
  /** The operator's decision that leads to this end; closed together with it. */
  readonly decisionId?: string;
}

export type ReviewDecision =
  /** Nobody has decided, whatever a signal said. */
  | { readonly kind: 'none' }
  | { readonly kind: 'accept' | 'reject'; readonly decisionId: string }
  /** Carried out before, by a run of this step whose answer was lost. */
  | { readonly kind: 'ended'; readonly status: FinalStatus; readonly failureCode?: string };

export interface ReviewDecisionInput extends PaymentWorkflowInput {
  /** The decisions that were signalled since the last look. */
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
