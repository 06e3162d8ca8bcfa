import { z } from 'zod';
import { MODES, type Mode } from '../domain/mode.ts';

/** What a process is told from outside, parsed once at start. A process with a wrong setting does not start. */
export interface Config {
  readonly environment: 'development' | 'production';
  readonly databaseUrl: string;
  readonly masterKey: string;
  readonly host: string;
  readonly apiPort: number;
  readonly webPort: number;
  /** Public origin of the API: gateways call back there. */
  readonly apiUrl: string;
  /** Public origin of the pages: payers are sent there. */
  readonly webUrl: string;
  readonly temporal: { readonly address: string; readonly namespace: string; readonly uiUrl: string | null };
  readonly sslcommerz: ReadonlyMap<Mode, SslcommerzAccount>;
  /** How long an operator's session lives: unused, and at most. */
  readonly sessionLimits: { readonly idleMs: number; readonly absoluteMs: number };
  readonly outboundAllow: string;
  /** How many proxies in front of us may speak for the client's address by X-Forwarded-For. */
  readonly trustedProxies: number;
  readonly logLevel: string;
  readonly workflowBundle: string | null;
}

export interface SslcommerzAccount {
  readonly baseUrl: string;
  /** The store of every application without one of its own. Null: only stores that operators configured. */
  readonly store: { readonly id: string; readonly password: string } | null;
}

/** Source: SSLCOMMERZ v4 documentation. */
const SSLCOMMERZ_URLS: Readonly<Record<Mode, string>> = {
  TEST: 'https://sandbox.sslcommerz.com',
  LIVE: 'https://securepay.sslcommerz.com',
};

const port = z.coerce.number().int().min(0).max(65535);
const origin = z
  .url({ protocol: /^https?$/ })
  .refine((text) => isOrigin(text), 'must be an origin without a path')
  .transform((text) => new URL(text).origin);

/** A check runs also after an earlier one has failed, so the text may be no URL at all. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).pathname === '/' && new URL(text).search === '';
}

const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

const Environment = z.object({
  LENDEN_ENV: optional(z.enum(['development', 'production'])),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// URL'),
  LENDEN_MASTER_KEY: z.string().min(1),
  LENDEN_HOST: optional(z.string()),
  LENDEN_API_PORT: optional(port),
  LENDEN_WEB_PORT: optional(port),
  LENDEN_API_URL: origin,
  LENDEN_WEB_URL: origin,
  TEMPORAL_ADDRESS: optional(z.string()),
  TEMPORAL_NAMESPACE: optional(z.string()),
  LENDEN_TEMPORAL_UI: optional(z.string()),
  LENDEN_OUTBOUND_ALLOW: optional(z.string()),
  LENDEN_TRUSTED_PROXIES: optional(z.coerce.number().int().min(0).max(10)),
  LENDEN_SESSION_IDLE_MINUTES: optional(z.coerce.number().int().min(1).max(720)),
  LENDEN_SESSION_HOURS: optional(z.coerce.number().int().min(1).max(168)),
  LENDEN_LOG_LEVEL: optional(z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])),
  LENDEN_WORKFLOW_BUNDLE: optional(z.string()),
});

/** @throws Error that lists every missing or malformed variable by name; values are never repeated. */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const parsed = Environment.safeParse(environment);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const sslcommerz = new Map(MODES.map((mode) => [mode, readAccount(environment, mode, problems)]));
  if (!parsed.success || problems.length > 0) {
    throw new Error(`Lenden cannot start with these settings:\n  ${problems.join('\n  ')}`);
  }
  const env = parsed.data;
  return {
    environment: env.LENDEN_ENV ?? 'production',
    databaseUrl: env.DATABASE_URL,
    masterKey: env.LENDEN_MASTER_KEY,
    host: env.LENDEN_HOST ?? '127.0.0.1',
    apiPort: env.LENDEN_API_PORT ?? 8080,
    webPort: env.LENDEN_WEB_PORT ?? 3000,
    apiUrl: env.LENDEN_API_URL,
    webUrl: env.LENDEN_WEB_URL,
    temporal: {
      address: env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233',
      namespace: env.TEMPORAL_NAMESPACE ?? 'default',
      uiUrl: env.LENDEN_TEMPORAL_UI ?? null,
    },
    sslcommerz,
    sessionLimits: {
      idleMs: (env.LENDEN_SESSION_IDLE_MINUTES ?? 30) * 60_000,
      absoluteMs: (env.LENDEN_SESSION_HOURS ?? 8) * 3_600_000,
    },
    outboundAllow: env.LENDEN_OUTBOUND_ALLOW ?? '',
    trustedProxies: env.LENDEN_TRUSTED_PROXIES ?? 0,
    logLevel: env.LENDEN_LOG_LEVEL ?? 'info',
    workflowBundle: env.LENDEN_WORKFLOW_BUNDLE ?? null,
  };
}

const STORE_SETTINGS = ['URL', 'STORE_ID', 'STORE_PASSWORD'] as const;

/** A mode without a store is allowed (no LIVE yet, or stores from operators alone); a store that is half set is a mistake. */
function readAccount(environment: NodeJS.ProcessEnv, mode: Mode, problems: string[]): SslcommerzAccount {
  const names = STORE_SETTINGS.map((setting) => `SSLCOMMERZ_${mode}_${setting}`);
  const [url = '', id = '', password = ''] = names.map((name) => environment[name] ?? '');
  const baseUrl = url === '' ? SSLCOMMERZ_URLS[mode] : url;
  const halfSet = [id, password].filter((text) => text === '').length === 1;
  if (!origin.safeParse(baseUrl).success || halfSet) {
    problems.push(`${names.join(', ')}: the first one an http(s) origin or none, the other two both or neither`);
    return { baseUrl: SSLCOMMERZ_URLS[mode], store: null };
  }
  return { baseUrl: new URL(baseUrl).origin, store: id === '' ? null : { id, password } };
}
