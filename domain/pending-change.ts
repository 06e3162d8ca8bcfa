/** Changes of applications and stores, for operators who manage applications. */
export const APPLICATION_CHANGES = [
  'application-settings',
  'credential',
  'credential-rotation',
  'gateway-store',
  'gateway-store-retirement',
] as const;

/** Changes of permissions, for operators who manage operators. */
export const OPERATOR_CHANGES = ['operator-roles', 'operator-access', 'operator-enabling', 'role'] as const;

/** Changes of how payout lines are judged and of what arrived in the bank, for operators who close differences. */
export const RECONCILIATION_CHANGES = ['match-settings', 'bank-amount'] as const;

export const CHANGE_KINDS = [...APPLICATION_CHANGES, ...OPERATOR_CHANGES, ...RECONCILIATION_CHANGES] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** The stored status of a change. */
export const STORED_CHANGE_STATUSES = ['PENDING', 'CONFIRMED', 'REJECTED', 'WITHDRAWN'] as const;

/** The status to show: a pending change expires by itself. */
export const CHANGE_STATUSES = [...STORED_CHANGE_STATUSES, 'EXPIRED'] as const;
export type ChangeStatus = (typeof CHANGE_STATUSES)[number];

export interface ChangeTarget {
  readonly type: 'application' | 'gateway' | 'operator' | 'payout' | 'role';
  readonly id: string;
}
