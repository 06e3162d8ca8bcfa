export interface SweepResult {
  readonly paymentsStarted: number;
  readonly callbacksSignalled: number;
  readonly lateQueriesSent: number;
  readonly refundsStarted: number;
  readonly unappliedStarted: number;
  readonly decisionsSignalled: number;
  readonly invoicesNotified: number;
  readonly deliveriesStarted: number;
  readonly keysForgotten: number;
  readonly callbacksForgotten: number;
  readonly deliveriesForgotten: number;
  readonly sessionsForgotten: number;
}

export interface SweepActivities {
  /** Runs one bounded pass over everything that is stored but not yet handled. */
  sweep(): Promise<SweepResult>;
}
