import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';

/** Infrastructure errors are retried here within bounds. Work that is still not done then is retried by workflow timers. */
export const OPEN_CHECKOUT: LocalActivityOptions = {
  summary: "open the gateway's checkout",
  startToCloseTimeout: '25s',
  scheduleToCloseTimeout: '40s',
  retry: { initialInterval: '300ms', backoffCoefficient: 2, maximumInterval: '2s', maximumAttempts: 4 },
};

const QUERY_SUMMARY = 'query the gateway and record its answer';

/**
 * One short try that moves no money. It costs no more than a marker in the history. The limit is below the time after which the server would
 * be asked for more time for the workflow task. If the gateway is silent, the regular activity takes over.
 */
export const QUERY_BRIEFLY: LocalActivityOptions = {
  summary: QUERY_SUMMARY,
  startToCloseTimeout: '7s',
  scheduleToCloseTimeout: '8s',
  retry: { maximumAttempts: 1 },
};

/** A regular activity, so that a gateway that does not answer appears in Temporal's UI as a pending activity with its last failure. */
export const QUERY_GATEWAY: ActivityOptions = {
  summary: QUERY_SUMMARY,
  startToCloseTimeout: '45s',
  scheduleToCloseTimeout: '3m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s', maximumAttempts: 4 },
};

/** Repeatable, since the request always has the same key. If an answer is lost, the row records that the result is unknown. */
export const QUERY_REFUND: ActivityOptions = {
  ...QUERY_GATEWAY,
  summary: 'make or query the refund at the gateway',
};

/** One database transaction. */
export const RECORD: LocalActivityOptions = {
  summary: 'record status, ledger postings and event',
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '60s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '5s', maximumAttempts: 8 },
};

/** One database transaction that records the due notices with their events and emails. */
export const NOTIFY: LocalActivityOptions = { ...RECORD, summary: 'read the invoice and send due notices' };

/** A few emails, each with its own time limit. The workflow retries those that were not sent. */
export const SEND_MAILS: ActivityOptions = {
  summary: 'send emails about the invoice',
  startToCloseTimeout: '3m',
  retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 5 },
};

/** One database transaction. The workflow has nothing else to do, so it is retried until it succeeds. */
export const PARK: ActivityOptions = {
  summary: 'put under review',
  startToCloseTimeout: '15s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
};

/** One database transaction that carries out a person's decision. Retried until it succeeds. */
export const DECIDE: ActivityOptions = { ...PARK, summary: 'carry out the decision' };

/**
 * The import of a file. It sends heartbeats as long as its process lives, also while it rests or reads what is stored. One whose process has died is made
 * again after seconds and goes on where it stopped. Only a person gives a file up.
 */
export const IMPORT: ActivityOptions = {
  summary: 'import the file',
  startToCloseTimeout: '6h',
  heartbeatTimeout: '20s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
};
/** One read of a row. */
export const DAYS_OF_IMPORT: LocalActivityOptions = {
  summary: 'read which days to reconcile',
  startToCloseTimeout: '15s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
};
/** The pauses until a run that was running may have ended. */
export const RUN_PAUSES = ['5s', '15s', '30s', '1m', '2m', '5m', '10m'] as const;
export const CANCEL_IMPORT: ActivityOptions = { ...PARK, summary: 'end the cancelled import' };

/** One read of a row. */
export const LOOK: ActivityOptions = { ...PARK, summary: 'read the unapplied payment' };
export const REMIND: ActivityOptions = { ...PARK, summary: 'remind the operators' };

/** One database transaction of a reconciliation. Nothing else can be done, so it is retried until it succeeds. */
export const RECORD_RUN: LocalActivityOptions = {
  summary: "find or write the run's row",
  startToCloseTimeout: '15s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
};

/** Reads pages from a gateway. Repeatable, since known lines are left out; a gateway that stays away holds up a run for a quarter of an hour. */
export const FETCH_PAYOUTS: ActivityOptions = {
  summary: "read the gateway's payouts",
  startToCloseTimeout: '30m',
  heartbeatTimeout: '2m',
  retry: { initialInterval: '5s', backoffCoefficient: 3, maximumInterval: '5m', maximumAttempts: 5 },
};

/** Some seconds of a run, in transactions that each note where the run goes on. */
export const RECONCILE: ActivityOptions = {
  summary: 'go on with the run',
  startToCloseTimeout: '10m',
  heartbeatTimeout: '1m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
};

/** One pass of a loop. A pass that fails is not retried: the loop makes the next one. */
export const SWEEP: LocalActivityOptions = {
  summary: 'restart what was lost',
  startToCloseTimeout: '60s',
  retry: { maximumAttempts: 1 },
};
export const SEAL: LocalActivityOptions = {
  summary: 'seal the ledger',
  startToCloseTimeout: '2m',
  retry: { maximumAttempts: 1 },
};

/**
 * The pauses between tries of a step that records money, after its bounded retries ran out. After the last one the workflow fails visibly, and the
 * sweeper resumes it.
 */
export const RECORDING_PAUSES = ['10s', '30s', '1m', '2m', '5m', '10m'] as const;

/** The pauses between queries about an outcome that looks like success but is not confirmed yet. */
export const HOPEFUL_PAUSES_MS = [5_000, 15_000, 60_000, 300_000] as const;

/** The pauses between final queries. The last value repeats until the limit below. */
export const FINAL_PAUSES_MS = [15_000, 60_000, 300_000, 900_000, 3_600_000] as const;
export const FINAL_QUERIES_FOR_MS = 72 * 3_600_000;

/** The pauses between queries about a refund that the gateway has not finished. Banks take days, so the last value repeats. */
export const REFUND_PAUSES_MS = [
  10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000, 3_600_000, 3_600_000, 21_600_000,
] as const;
/** After this time, an operator has to look in the gateway's panel. */
export const REFUND_POLLED_FOR_MS = 30 * 24 * 3_600_000;

/**
 * The pauses between reads of a row for the end of a refund, in case its signal was lost. After the last one, the workflow waits for a signal only.
 */
export const REFUND_LOOK_PAUSES_MS = [1, 2, 4, 8, 16, 32].map((days) => days * 24 * 3_600_000);

/** The pauses between tries to open a session. The last value repeats until the payment expires. */
export const OPEN_PAUSES_MS = [
  2_000, 5_000, 15_000, 30_000, 60_000, 60_000, 60_000, 60_000, 60_000, 300_000, 300_000, 900_000,
] as const;

/** Returns the pause after this many tries. The last value repeats. */
export function pauseAfter(tries: number, pausesMs: readonly number[]): number {
  return pausesMs[Math.min(tries, pausesMs.length - 1)] ?? 60_000;
}
