import { defineSignal } from '@temporalio/workflow';
import type { ScopeInput } from './names.ts';

export interface WebhookWorkflowInput extends ScopeInput {
  readonly eventId: string;
  /** Set when the first attempt was made without the workflow and failed. */
  readonly failed?: FailedFirstAttempt;
  /** Set when a long delivery continues as new; absent at the start. */
  readonly progress?: DeliveryProgress;
}

/** What follows a first attempt that failed. */
export interface FailedFirstAttempt extends Pick<DeliveryProgress, 'attempt'> {
  readonly recorded: number;
  /** Counts from the start of the workflow, because the clock of the process that made the attempt may differ from the server's. */
  readonly retryInMs: number;
}

/** The position of a delivery between two runs of its workflow. */
export interface DeliveryProgress {
  /** The next attempt's position in the published schedule, from 1. */
  readonly attempt: number;
  /** The number of attempts in the event's row at this time; null before the row was read. */
  readonly recorded: number | null;
  /** Unix time in milliseconds of the next attempt, by the workflow's clock. */
  readonly dueAtMs: number;
  readonly resend: boolean;
}

/** An operator wants the event sent now, even if it was delivered before. To resend an ended delivery, send the signal with a start. */
export const resendSignal = defineSignal('resend');

export interface DeliverWebhookInput extends ScopeInput {
  readonly eventId: string;
  readonly attempt: number;
  readonly recorded: number | null;
  /** Send now, whatever the circuit or the event's status is. */
  readonly resend: boolean;
}

export type PutOffReason = 'CIRCUIT_OPEN' | 'BUSY';
export type ParkedReason = 'NO_ENDPOINT' | 'ENDPOINT_DISABLED' | 'ATTEMPTS_EXHAUSTED' | 'UNKNOWN_EVENT';

/** The result of one attempt. It is stored in the history, so it contains only codes and numbers. */
export type DeliverWebhookResult =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'parked'; readonly reason: ParkedReason }
  /** No connection was made, and no attempt was used up. */
  | { readonly kind: 'put-off'; readonly reason: PutOffReason; readonly retryInMs: number }
  | {
      readonly kind: 'retry';
      /** The next attempt's position in the schedule. */
      readonly attempt: number;
      /** The number of attempts in the schedule. */
      readonly attemptsMax: number;
      readonly recorded: number;
      readonly status: number | null;
      readonly error: string | null;
      readonly retryInMs: number;
    };

export interface WebhookActivities {
  /** Makes one attempt, or returns why it did not. Rejects only when Lenden's database cannot be used. */
  deliverWebhook(input: DeliverWebhookInput): Promise<DeliverWebhookResult>;
}

export type WebhookOutcome = 'delivered' | 'parked';
