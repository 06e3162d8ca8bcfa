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
  'payment:review': 'Decide on payments under review and on late money',
  'refund:read': 'See refunds',
  'refund:create': 'Start refunds',
  'refund:approve': 'Approve and reject refunds that somebody else has started',
  'report:read': 'See reports and reconciliation',
  'audit:read': 'See the audit log, webhook deliveries and gateway callbacks',
} as const satisfies Record<Permission, string>;

/**
 * Whoever holds one of these says the second word: on refunds and other money, on settings and stores, or on who may do what. Once a
 * threshold is set, nobody gives one of them alone.
 */
export const APPROVING_PERMISSIONS = [
  'refund:approve',
  'payment:review',
  'app:manage',
  'user:manage',
] as const satisfies readonly Permission[];

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

export function isApproving({ permissions, everything }: Pick<Grant, 'permissions' | 'everything'>): boolean {
  return everything || APPROVING_PERMISSIONS.some((permission) => permissions.includes(permission));
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
