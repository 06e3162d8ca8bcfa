import type { Permission } from './permissions.ts';

/** What waits for a person. */
export const INBOX_KINDS = [
  'REFUND_APPROVAL',
  'PAYMENT_REVIEW',
  'REFUND_REVIEW',
  'UNAPPLIED_PAYMENT',
  'MANUAL_SUBMISSION',
  'PAYOUT_CASE',
  'PARKED_EVENT',
  'DISABLED_ENDPOINT',
  'PENDING_CHANGE',
  'PENDING_OPERATOR_CHANGE',
  'PENDING_RECONCILIATION_CHANGE',
  'OVERDUE_SWEEP',
] as const;
export type InboxKind = (typeof INBOX_KINDS)[number];

/** The permission to do what the kind waits for. Operators without it do not see that it waits. */
export const INBOX_PERMISSIONS = {
  REFUND_APPROVAL: 'refund:approve',
  PAYMENT_REVIEW: 'payment:review',
  REFUND_REVIEW: 'payment:review',
  UNAPPLIED_PAYMENT: 'payment:review',
  MANUAL_SUBMISSION: 'payment:review',
  PAYOUT_CASE: 'reconciliation:manage',
  PARKED_EVENT: 'app:manage',
  DISABLED_ENDPOINT: 'app:manage',
  PENDING_CHANGE: 'app:manage',
  PENDING_OPERATOR_CHANGE: 'user:manage',
  PENDING_RECONCILIATION_CHANGE: 'reconciliation:manage',
  OVERDUE_SWEEP: 'app:manage',
} as const satisfies Record<InboxKind, Permission>;

/** How many of one application's things wait, and for how long. */
export interface InboxCount {
  /** Null: the installation's own. */
  readonly applicationId: bigint | null;
  readonly applicationName: string | null;
  readonly count: number;
  readonly oldestSince: Date;
  /** Waiting for less than an hour; for less than a day; for less than a week; for longer. Their sum is `count`. */
  readonly ages: readonly [hour: number, day: number, week: number, older: number];
}
