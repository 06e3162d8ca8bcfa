/** What an operator may be allowed to do. The names are published: roles contain them and routes require them. */
export const PERMISSIONS = [
  'app:read',
  'app:manage',
  'user:read',
  'user:manage',
  'payment:read',
  'payment:export',
  'payment:review',
  'refund:read',
  'refund:create',
  'refund:approve',
  'report:read',
  'reconciliation:manage',
  'audit:read',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const PERMISSION_MEANINGS = {
  'app:read': 'View applications, their settings and their credentials (secrets excluded)',
  'app:manage': 'Create and update applications, rotate and revoke credentials, configure gateways, resend webhooks',
  'user:read': 'View operators, roles and installation settings',
  'user:manage': 'Create, enable and disable operators, grant roles, update roles and settings',
  'payment:read': 'View payments, their attempts and their state',
  'payment:export': 'Export payments as CSV',
  'payment:review': 'Decide on payments under review and on unapplied payments',
  'refund:read': 'View refunds',
  'refund:create': 'Create refunds',
  'refund:approve': 'Approve and reject refunds created by other operators',
  'report:read': 'View reports and reconciliation',
  'reconciliation:manage': 'Upload payout files and bank statements, and close cases of reconciliation',
  'audit:read': 'View the audit log, webhook deliveries and gateway callbacks',
} as const satisfies Record<Permission, string>;

/**
 * Whether the holder of the permission can move money, decide on it, or change who may. Once a threshold is set, such a permission cannot be granted
 * by one person alone: one person with two accounts is not two people, and a threshold counts each account separately.
 */
const NEEDS_SECOND_PERSON = {
  'app:read': false,
  // Selects the account that payers pay into, and issues API keys that can refund.
  'app:manage': true,
  'user:read': false,
  // Decides who has these permissions.
  'user:manage': true,
  'payment:read': false,
  'payment:export': false,
  // Accepts a payment as paid, and refunds or keeps unapplied money.
  'payment:review': true,
  'refund:read': false,
  // Makes refunds up to the threshold alone, so three accounts could refund three times as much.
  'refund:create': true,
  'refund:approve': true,
  'report:read': false,
  // Writes differences off: a second person is none if it is the first one's second account.
  'reconciliation:manage': true,
  'audit:read': false,
} as const satisfies Record<Permission, boolean>;

/** Permissions that one person cannot grant alone once a threshold is set. */
export const GUARDED_PERMISSIONS: readonly Permission[] = PERMISSIONS.filter(
  (permission) => NEEDS_SECOND_PERSON[permission],
);

/** A role granted to an operator, in one application or in all. */
export interface Grant {
  readonly permissions: readonly Permission[];
  /** True for Super Admin: every permission, including future ones. */
  readonly everything: boolean;
  /** Null: every application, including future ones. */
  readonly applicationId: bigint | null;
}

/** The applications in which a permission is held, in both modes. An empty list means none. */
export type AppView = 'every-app' | readonly bigint[];

export function isPermission(text: string): text is Permission {
  return PERMISSIONS.some((permission) => permission === text);
}

export function viewFor(grants: readonly Grant[], permission: Permission): AppView {
  const held = grants.filter((grant) => grant.everything || grant.permissions.includes(permission));
  return held.some(({ applicationId }) => applicationId === null)
    ? 'every-app'
    : [...new Set(held.flatMap(({ applicationId }) => applicationId ?? []))];
}

export function isInView(view: AppView, applicationId: bigint): boolean {
  return view === 'every-app' || view.includes(applicationId);
}

export function isGuardedGrant({ permissions, everything }: Pick<Grant, 'permissions' | 'everything'>): boolean {
  return everything || GUARDED_PERMISSIONS.some((permission) => permissions.includes(permission));
}

export function isSuperAdmin(grants: readonly Grant[]): boolean {
  return grants.some(({ everything, applicationId }) => everything && applicationId === null);
}

/**
 * Reports whether the holder of `own` may grant or revoke `other`: only permissions that they hold themselves, in at least the same applications.
 * Otherwise anyone who may manage users could gain every permission through another account.
 */
export function mayGrant(own: readonly Grant[], other: Grant): boolean {
  if (isSuperAdmin(own)) {
    return true;
  }
  return (
    !other.everything &&
    other.permissions.every((permission) => {
      const view = viewFor(own, permission);
      return other.applicationId === null ? view === 'every-app' : isInView(view, other.applicationId);
    })
  );
}
