import { defineQuery } from '@temporalio/workflow';
import type { Mode } from '../../domain/mode.ts';
import type { RunStep } from '../../domain/payouts/reconciliation.ts';

/** What a run matches. */
export interface ReconciliationInput {
  readonly mode: Mode;
  readonly gateway: string;
  /** A business day, such as `2026-11-24`. */
  readonly period: string;
  /** The operator who started it; none for a schedule. */
  readonly operatorId?: string;
}

/** The input of a schedule: which gateway's days are matched, each on the day after. */
export type ScheduledReconciliationInput = Pick<ReconciliationInput, 'mode' | 'gateway'>;

export interface ReconciliationProgress {
  readonly goesOn: boolean;
  readonly step: RunStep;
  readonly linesDone: number;
  readonly movementsDone: number;
}

export interface ReconciliationActivities {
  /** Returns the reference of the run that is running, or begins one. */
  openReconciliation(input: ReconciliationInput): Promise<string>;
  /** Reads the day's payouts from the gateway's own API, if it has one. Returns the number of lines. */
  fetchPayouts(reference: string): Promise<number>;
  /** Notes that the gateway's API did not answer. */
  noteUnfetched(reference: string): Promise<void>;
  /** Goes on with a run for some seconds. Where it goes on is in its row. */
  advanceReconciliation(reference: string): Promise<ReconciliationProgress>;
  cancelReconciliation(reference: string): Promise<void>;
  /** Returns the day before today, in the business time zone. */
  dayToReconcile(): Promise<string>;
}

export const reconciliationProgressQuery = defineQuery<ReconciliationProgress | null>('progress');
