/** What processes run as. Each has a login of its own, owns nothing, and is a member of no other role. */
export const RUNTIME_ROLES = ['lenden_app', 'lenden_operator', 'lenden_system'] as const;

export type RuntimeRole = (typeof RUNTIME_ROLES)[number];

/** The variable of the environment that holds the URL of a role's login. */
export const RUNTIME_URL_VARIABLES = {
  lenden_app: 'DATABASE_APP_URL',
  lenden_operator: 'DATABASE_OPERATOR_URL',
  lenden_system: 'DATABASE_SYSTEM_URL',
} as const satisfies Record<RuntimeRole, string>;

/** The logins that a process holds. */
export type RuntimeUrls = Readonly<Partial<Record<RuntimeRole, string>>>;
