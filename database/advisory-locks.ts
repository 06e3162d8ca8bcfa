/**
 * Every advisory lock of Lenden. Two uses of one number would wait for each other or, with a lock that is only tried, keep each other from working
 * for as long as one is held.
 */
export const ADVISORY_LOCKS = {
  migration: 7016402,
  /** Every api and worker holds it shared while it lives; `npm run restore` holds it exclusively. */
  presence: 7016403,
  /** The sealer of the ledger holds it for one batch. */
  sealing: 7016406,
  /** Whoever continues the summaries of reports holds it for one batch. */
  summarizing: 7016408,
  /** Held for changes that could remove the last Super Admin. */
  lastSuperAdmin: 7016405,
} as const;

/** Seeds of hashed advisory locks, one lock for each name. */
export const ADVISORY_LOCK_SEEDS = {
  /** By slot: an application, mode and gateway. */
  gatewayStore: 7016407,
  /** By operator who confirms manual payments. */
  confirmingOperator: 7016404,
  /** By mode and gateway whose payout lines are judged. */
  reconciliation: 7016409,
  /** By gateway and store. */
  payoutMapping: 7016411,
} as const;
