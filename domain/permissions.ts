/** What an operator may be allowed to do. Published contract: roles name them, routes demand them. */
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
  'audit:read',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const PERMISSION_MEANINGS = {
  'app:read': 'See applications, their settings and their credentials (never a secret)',
  'app:manage': 'Register and change applications, rotate and revoke credentials, set gateways, resend webhooks',
  'user:read': 'See operators, roles and settings of the installation',
  'user:manage': 'Create, enable and disable operators, grant roles, change roles and settings',
  'payment:read': 'See payments, their attempts and how they stand',
  'payment:export': 'Export payments as CSV',
  'payment:review': 'Decide on payments under review and on unapplied money',
  'refund:read': 'See refunds',
  'refund:create': 'Start refunds',
  'refund:approve': 'Approve and reject refunds that somebody else has started',
  'report:read': 'See reports and reconciliation',
  'audit:read': 'See the audit log, webhook deliveries and gateway callbacks',
} as const satisfies Record<Permission, string>;

/**
 * Whether somebody who holds the permission moves money, decides on it, or changes who may. Once a threshold is set, nobody gives such a
 * permission alone: one person with two accounts is no second person, and a threshold adds up over each account on its own.
 */
const NEEDS_SECOND_PERSON = {
  'app:read': false,
  // Chooses the account that payers pay into, and issues keys that refund.
  'app:manage': true,
  'user:read': false,
  // Decides who may do all of this.
  'user:manage': true,
  'payment:read': false,
  'payment:export': false,
  // Calls a payment paid, and gives unapplied money back or keeps it.
  'payment:review': true,
  'refund:read': false,
  // Refunds up to the threshold alone, so three accounts refund three times as much.
  'refund:create': true,
  'refund:approve': true,
  'report:read': false,
  'audit:read': false,
} as const satisfies Record<Permission, boolean>;

/** What nobody gives alone once a threshold is set. */
export const GUARDED_PERMISSIONS: readonly Permission[] = PERMISSIONS.filter(
  (permission) => NEEDS_SECOND_PERSON[permission],
);

/** One role of an operator, in one application or in all. */
export interface Grant {
  readonly permissions: readonly Permission[];
  /** The Super Admin's role: every permission that exists or will. */
  readonly everything: boolean;
  /** Null: in every application, those to come included. */
  readonly applicationId: bigint | null;
}

/** In which applications a permission is held, in both modes. An empty list: in none. */
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
 * Whether somebody with `own` may give or take away `other`: only what he holds himself, as widely as he holds it. Otherwise whoever may
 * manage users could make himself anything through somebody else.
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
