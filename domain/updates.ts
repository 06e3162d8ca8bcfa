import type { Permission } from './permissions.ts';

/** What updates tell about: the lists of the operators' API. */
export const UPDATE_KINDS = [
  'payments',
  'refunds',
  'unapplied-payments',
  'manual-payments',
  'disputes',
  'invoices',
  'webhooks',
  'gateway-callbacks',
  'payouts',
  'payout-files',
  'reconciliation-cases',
  'pending-changes',
  'pending-operator-changes',
  'pending-reconciliation-changes',
] as const;
export type UpdateKind = (typeof UPDATE_KINDS)[number];

/** The permission to read the list. Operators without it are not told of its updates. */
export const UPDATE_PERMISSIONS = {
  payments: 'payment:read',
  refunds: 'refund:read',
  'unapplied-payments': 'payment:read',
  'manual-payments': 'payment:review',
  disputes: 'payment:read',
  invoices: 'payment:read',
  webhooks: 'audit:read',
  'gateway-callbacks': 'audit:read',
  payouts: 'report:read',
  'payout-files': 'report:read',
  'reconciliation-cases': 'report:read',
  'pending-changes': 'app:manage',
  'pending-operator-changes': 'user:manage',
  'pending-reconciliation-changes': 'reconciliation:manage',
} as const satisfies Record<UpdateKind, Permission>;
