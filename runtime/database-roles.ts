/** The database roles of processes. Each has a login, owns nothing, and is a member of no other role. */
export const RUNTIME_ROLES = ['lenden_app', 'lenden_operator', 'lenden_system'] as const;

export type RuntimeRole = (typeof RUNTIME_ROLES)[number];

/** The environment variable with the URL of each role's login. */
export const RUNTIME_URL_VARIABLES = {
  lenden_app: 'DATABASE_APP_URL',
  lenden_operator: 'DATABASE_OPERATOR_URL',
  lenden_system: 'DATABASE_SYSTEM_URL',
} as const satisfies Record<RuntimeRole, string>;

/** The logins of a process. */
export type RuntimeUrls = Readonly<Partial<Record<RuntimeRole, string>>>;
