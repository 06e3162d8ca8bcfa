import { defineSignal } from '@temporalio/workflow';
import type { ScopeInput } from './names.ts';

export interface WebhookWorkflowInput extends ScopeInput {
  readonly eventId: string;
  /** Set when a long delivery goes on in a new run; absent at a start. */
  readonly progress?: DeliveryProgress;
}

/** Where a delivery stands between two runs of its workflow. */
export interface DeliveryProgress {
  /** The next attempt's place in the published schedule, from 1. */
  readonly attempt: number;
  /** Attempts that the event's row counted when this was written; null before the row was looked at. */
  readonly recorded: number | null;
  /** Unix time in milliseconds of the next attempt, in the workflow's time. */
  readonly dueAtMs: number;
  readonly resend: boolean;
}

/** An operator wants the event sent now, also when it was delivered before. Send it with a start to resend an ended delivery. */
export const resendSignal = defineSignal('resend');

export interface DeliverWebhookInput extends ScopeInput {
  readonly eventId: string;
  readonly attempt: number;
  readonly recorded: number | null;
  /** Send now, whatever the circuit or the event's status says. */
  readonly resend: boolean;
}

export type PutOffReason = 'CIRCUIT_OPEN' | 'BUSY';
export type ParkedReason = 'NO_ENDPOINT' | 'ENDPOINT_DISABLED' | 'ATTEMPTS_EXHAUSTED' | 'UNKNOWN_EVENT';

/** Codes and numbers only: it is stored in the history. */
export type DeliverWebhookResult =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'parked'; readonly reason: ParkedReason }
  /** No connection was made and no attempt used up. */
  | { readonly kind: 'put-off'; readonly reason: PutOffReason; readonly retryInMs: number }
  | {
      readonly kind: 'retry';
      /** The next attempt's place in the schedule. */
      readonly attempt: number;
      /** How many the schedule has; histories of before there were several have none. */
      readonly attemptsMax?: number;
      readonly recorded: number;
      readonly status: number | null;
      readonly error: string | null;
      readonly retryInMs: number;
    };

export interface WebhookActivities {
  /** Makes one attempt, or says why not. Rejects only when our own database cannot be used. */
  deliverWebhook(input: DeliverWebhookInput): Promise<DeliverWebhookResult>;
}

/** How the delivery ended. */
export type WebhookOutcome = 'delivered' | 'parked';
