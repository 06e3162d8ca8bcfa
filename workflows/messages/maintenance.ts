/** What a pass of the sweeper counts. */
export type SweepAction =
  | 'paymentsStarted'
  | 'callbacksSignalled'
  | 'lateQueriesSent'
  | 'refundsStarted'
  | 'unappliedStarted'
  | 'decisionsSignalled'
  | 'casesDecided'
  | 'invoicesNotified'
  | 'deliveriesStarted'
  | 'importsStarted'
  | 'runsStarted'
  | 'uploadsForgotten'
  | 'keysForgotten'
  | 'callbacksForgotten'
  | 'deliveriesForgotten'
  | 'sessionsForgotten';

export interface SweepResult {
  /** Without those that did not happen, since every pass is stored. */
  readonly actions: Readonly<Partial<Record<SweepAction, number>>>;
  /** The time until something is due, within the sweeper's bounds. */
  readonly nextInMs: number;
}

export interface SweepActivities {
  /** Runs one bounded pass over everything that is stored but not yet handled. */
  sweep(): Promise<SweepResult>;
}
